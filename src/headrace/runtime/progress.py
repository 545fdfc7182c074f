"""What a running executor says of itself: one line, kept by whoever runs the node.

Executors call `report`; the process that runs a node under Headrace installs a reporter that sends the
words on. Under TFX's own runners nobody listens and the calls cost nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Reporter = Callable[[str, "int | None"], None]

_MIN_SECONDS_BETWEEN_ROW_REPORTS = 0.2

_lock = threading.Lock()
_reporter: Reporter | None = None
_doing = ""
_rows = 0
_last_sent = 0.0


def set_reporter(reporter: Reporter | None) -> None:
    """Install the function that receives `(doing, rows)`; `None` stops reporting."""
    global _reporter, _doing, _rows
    with _lock:
        _reporter, _doing, _rows = reporter, "", 0


def report(doing: str) -> None:
    """Say what the executor does now, such as `"computing statistics of train"`; resets the row count."""
    global _doing, _rows
    with _lock:
        _doing, _rows = doing, 0
        reporter = _reporter
    if reporter is not None:
        reporter(doing, None)


def report_once(doing: str) -> None:
    """Report, unless that is what was reported last: one of several workers at the same thing says so."""
    if doing != _doing:
        report(doing)


def add_rows(count: int) -> None:
    """Add rows processed since the last `report`; safe from any thread, sent at most five times a second."""
    global _rows, _last_sent
    with _lock:
        if _reporter is None:
            return
        _rows += count
        now = time.monotonic()
        if now - _last_sent < _MIN_SECONDS_BETWEEN_ROW_REPORTS:
            return
        _last_sent = now
        reporter, doing, rows = _reporter, _doing, _rows
    reporter(doing, rows)
