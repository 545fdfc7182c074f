"""Keeps the chatter of TensorFlow, Beam and their friends off the screen of the main process.

Worker processes write theirs to the node's log file; here nothing of theirs is of use to the reader.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings

# Read by the libraries when they load, so set before anything is imported. A user's own value stays.
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "GRPC_VERBOSITY": "ERROR",
    "GLOG_minloglevel": "3",
}
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class _OwnRecords(logging.Handler):
    """Shows warnings of the user's code, and of an installed library nothing below an error.

    The stream is looked up at each record: the live display puts its own in its place.
    """

    def emit(self, record: logging.LogRecord) -> None:
        is_installed = any(part in record.pathname for part in _INSTALLED)
        if record.levelno >= (logging.ERROR if is_installed else logging.WARNING):
            print(f"{record.levelname}: {record.getMessage()}", file=sys.stderr)


def silence() -> None:
    """Set this process's environment, warning filters and root log handler; call it before heavy imports."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if sys.warnoptions:
        # The user asked for warnings with -W or PYTHONWARNINGS.
        return
    for category in (
        FutureWarning,
        DeprecationWarning,
        PendingDeprecationWarning,
        UserWarning,
        ResourceWarning,
    ):
        # What a user's own script warns of is named __main__ and stays visible.
        warnings.filterwarnings("ignore", category=category, module=r"(?!__main__$)")
    root = logging.getLogger()
    if not root.handlers:
        # Without a handler Python prints every library's warnings; with one, absl and Beam add none.
        root.addHandler(_OwnRecords())
