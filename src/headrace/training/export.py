"""The former place of `headrace.models.exporters.export_model`."""

import warnings

from headrace.models.exporters import export_model as export_model

warnings.warn(
    "headrace.training.export is called headrace.models.exporters now.", DeprecationWarning, stacklevel=2
)
