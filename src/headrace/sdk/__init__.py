"""The former name of `headrace.authoring`, kept for pipelines that import from it."""

import warnings

from headrace.authoring import *  # noqa: F403
from headrace.authoring import __all__ as __all__

warnings.warn("headrace.sdk is called headrace.authoring now.", DeprecationWarning, stacklevel=2)
