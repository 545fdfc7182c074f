"""The place of `export_model` in earlier versions."""

from headrace.models.exporters import export_model as export_model
