"""What a running executor says of itself: one line, kept by whoever runs the node.

An executor says it through its context, `context.progress`. Functions of the user that get no context, such as
`run_fn`, call `report` and `add_rows` of this module. Under TFX's own runners nobody listens and the calls cost nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from headrace.runtime.local_objects import LocalObject

__all__ = ["Progress", "add_rows", "report"]

Reporter = Callable[[str, "int | None"], None]

_MIN_SECONDS_BETWEEN_ROW_REPORTS = 0.2


class Progress(LocalObject):
    """The line of one execution; safe from any thread, and in steps that Beam pickles.

    A step that Beam runs in another process says nothing.

    Args:
        reporter: Receives what is done and the rows of it, `None` where no rows are counted; nobody where left out.
    """

    def __init__(self, reporter: Reporter | None = None) -> None:
        super().__init__()
        self.redirect(reporter)

    def redirect(self, reporter: Reporter | None) -> None:
        """Report to another from now on, as in a fork of the process that was listened to; `None` for nobody."""
        self._lock = threading.Lock()
        self._reporter = reporter
        self._doing = ""
        self._rows = 0
        self._last_sent = 0.0

    def report(self, doing: str) -> None:
        """Say what the executor does now, such as `"computing statistics of train"`; resets the row count."""
        with self._lock:
            self._doing, self._rows = doing, 0
            reporter = self._reporter
        if reporter is not None:
            reporter(doing, None)

    def report_once(self, doing: str) -> None:
        """Report, unless that is what was reported last: one of several workers at the same thing says so."""
        if doing != self._doing:
            self.report(doing)

    def add_rows(self, count: int) -> None:
        """Add rows processed since the last `report`; sent at most five times a second."""
        with self._lock:
            if self._reporter is None:
                return
            self._rows += count
            now = time.monotonic()
            if now - self._last_sent < _MIN_SECONDS_BETWEEN_ROW_REPORTS:
                return
            self._last_sent = now
            reporter, doing, rows = self._reporter, self._doing, self._rows
        reporter(doing, rows)


def report(doing: str) -> None:
    """Say what the execution does that this thread is part of; see `Progress.report`."""
    _of_this_call().report(doing)


def add_rows(count: int) -> None:
    """Add rows to those of the execution that this thread is part of; see `Progress.add_rows`."""
    _of_this_call().add_rows(count)


def _of_this_call() -> Progress:
    # The services hold a Progress, so their module imports this one.
    from headrace.runtime import services

    return services.lent_here().progress
