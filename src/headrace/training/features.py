"""The former place of `headrace.models.features`."""

import warnings

from headrace.models.features import *  # noqa: F403

warnings.warn(
    "headrace.training.features is called headrace.models.features now.", DeprecationWarning, stacklevel=2
)
