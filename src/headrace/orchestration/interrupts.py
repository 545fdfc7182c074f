"""Ctrl-C and SIGTERM while a run goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

_REASONS = {signal.SIGINT: "stopped by Ctrl-C", signal.SIGTERM: "stopped by SIGTERM"}


@contextlib.contextmanager
def cancelling(cancel: Callable[[str], None]) -> Iterator[None]:
    """Call `cancel` with the reason at the first signal, and end the process at once at the second.

    Outside of the main thread signals are left alone: Python delivers them there only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    num_received = 0

    def stop(number: int, frame: object) -> None:
        nonlocal num_received
        num_received += 1
        if num_received > 1:
            os._exit(128 + number)
        # The handler may interrupt a thread that holds the plan's lock: cancel from another one.
        reason = _REASONS[signal.Signals(number)]
        threading.Thread(target=cancel, args=(reason,), daemon=True).start()

    previous = {number: signal.signal(number, stop) for number in _REASONS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
