"""Keeps the chatter of TensorFlow, Beam and their friends off the screen of the main process.

Worker processes write theirs to the node's log file; here nothing of theirs is of use to the reader.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from types import ModuleType

# Read by the libraries when they load, so set before anything is imported. A user's own value stays.
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "GRPC_VERBOSITY": "ERROR",
    "GLOG_minloglevel": "3",
}
# TensorFlow 2.21 writes these before it reads any setting: "I0000 00:00:1795242911.718454 12839 a.cc:31] ..."
_NOTICE = (
    rb"WARNING: All log messages before absl::InitializeLog|[IW]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ \S+:\d+\] "
)
_WITHOUT_NOTICES = f"""
import re, sys
for line in sys.stdin.buffer:
    if not re.match({_NOTICE!r}, line):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
"""
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class _OwnRecords(logging.Handler):
    """Shows warnings of the user's code, and of an installed library nothing below an error.

    The stream is looked up at each record: the live display puts its own in its place.
    """

    def emit(self, record: logging.LogRecord) -> None:
        is_installed = any(part in record.pathname for part in _INSTALLED)
        if record.levelno >= (logging.ERROR if is_installed else logging.WARNING):
            print(f"{record.levelname}: {record.getMessage()}", file=sys.stderr)


class _QuietTensorFlow(importlib.abc.MetaPathFinder):
    """Keeps TensorFlow's notices off the screen while it loads."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_quietly(module: ModuleType) -> None:
                with _without_notices():
                    load(module)

            spec.loader.exec_module = load_quietly  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """Send what is written to the screen's error stream through a filter: C++ code writes past `sys.stderr`.

    The filter is a process, so that the last words before a crash are not lost.
    """
    sys.stderr.flush()
    screen = os.dup(2)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _WITHOUT_NOTICES], stdin=subprocess.PIPE, stdout=screen
    ) as reader:
        assert reader.stdin is not None
        os.dup2(reader.stdin.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)


_quiet_tensorflow = _QuietTensorFlow()


def silence() -> None:
    """Set this process's environment, warning filters and root log handler; call it before heavy imports."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3" and _quiet_tensorflow not in sys.meta_path:
        sys.meta_path.insert(0, _quiet_tensorflow)
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
