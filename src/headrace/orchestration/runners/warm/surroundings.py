"""What a run hands over to the processes that a warm server forks for it: all that is its own and can be changed."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass

from headrace.orchestration.runners.local import links
from headrace.runtime.processes.process_groups import SERVER_MARK, take_mark

# A fresh Python sets these itself, or nobody can.
_NOT_HANDED_OVER = (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ)


@dataclass(frozen=True)
class Surroundings:
    """Those of a run, as JSON can hold them.

    Attributes:
        environment: All environment variables of its workers.
        folder: The working directory.
        search_path: Where the run's process finds modules.
        umask: For files that are made.
        ignored: Numbers of the signals that it ignores, as after `nohup`.
        blocked: Numbers of those that are held back.
    """

    environment: dict[str, str]
    folder: str
    search_path: list[str]
    umask: int
    ignored: list[int]
    blocked: list[int]

    @classmethod
    def of_this_process(cls, mark: str) -> Surroundings:
        """Return this process's.

        Args:
            mark: For the environment of what is forked for it.

        Raises:
            OSError: If its working directory is gone.
        """
        return cls(
            environment=links.environment(mark),
            folder=os.getcwd(),
            search_path=links.search_path(),
            umask=current_umask(),
            ignored=[number for number in _handed_over() if signal.getsignal(number) is signal.SIG_IGN],
            blocked=sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        )

    def take_over(self, set_variables: Mapping[str, str | None]) -> None:
        """Make them this process's own, which a server has just forked.

        Args:
            set_variables: What libraries made of the environment when they were loaded, see `LoadRecord`.

        Raises:
            OSError: If the working directory cannot be entered.
        """
        take_mark(self.environment[SERVER_MARK])
        os.environ.clear()
        os.environ.update(self.environment)
        for name, value in set_variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        time.tzset()
        tempfile.tempdir = None
        os.umask(self.umask)
        for number in _handed_over():
            signal.signal(number, signal.SIG_IGN if number in self.ignored else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
        os.chdir(self.folder)
        # As of `python -m`, with a PYTHONPATH.
        sys.path[:] = dict.fromkeys([self.folder, *self.search_path, *sys.path])
        importlib.invalidate_caches()


def current_umask() -> int:
    """Return this process's umask; to ask for it by `os.umask` would change it for a moment, for all threads."""
    with open("/proc/self/status", encoding="utf-8", errors="replace") as file:
        return next(int(line.split()[1], 8) for line in file if line.startswith("Umask:"))


def _handed_over() -> list[signal.Signals]:
    return [number for number in signal.valid_signals() if _is_handed_over(number)]


def _is_handed_over(number: int) -> bool:
    return isinstance(number, signal.Signals) and number not in _NOT_HANDED_OVER
