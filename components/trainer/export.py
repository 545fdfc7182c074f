"""The place of `export_model` in earlier versions."""

from headrace.training.export import export_model as export_model
