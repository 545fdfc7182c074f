"""Ctrl-C, SIGTERM and SIGHUP while a run goes on: the run ends in order, then the process does."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

_REASONS = {
    signal.SIGINT: "stopped by Ctrl-C",
    signal.SIGTERM: "stopped by SIGTERM",
    signal.SIGHUP: "stopped by SIGHUP: its terminal was closed",
}
# `timeout` and service managers send a signal to the process and to its group: twice at once, and meant once.
_ONE_SIGNAL_SECONDS = 0.05


class Interrupted(KeyboardInterrupt, SystemExit):
    """Ctrl-C for a script: a `KeyboardInterrupt` whose process, where nobody catches it, exits with its code.

    Python's own way to end after a `KeyboardInterrupt` is to print where it was, and to die of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(_REASONS[signal.Signals(number)])
        self.code = exit_code(number)


def exit_code(number: int) -> int:
    """The exit code of a process that a signal stopped, as shells count."""
    return 128 + number


def raise_again(number: int) -> None:
    """Stop the caller too, if a signal stopped its run.

    Args:
        number: The signal; 0 for none.

    Raises:
        KeyboardInterrupt: After SIGINT.
        SystemExit: After SIGTERM, with 143, and after SIGHUP, with 129; an interactive session gets a
            `KeyboardInterrupt`, and lives on.
    """
    if not number:
        return
    if _is_interactive():
        raise KeyboardInterrupt(_REASONS[signal.Signals(number)])
    if number == signal.SIGINT:
        raise Interrupted(number)
    raise SystemExit(exit_code(number))


def _is_interactive() -> bool:
    """Whether someone types into this process: a notebook's kernel, IPython or Python's own prompt."""
    find_shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return find_shell() is not None or hasattr(sys, "ps1") or bool(sys.flags.interactive)


class Received:
    """Which signal stopped a run.

    Attributes:
        number: The first signal; 0 while there was none.
    """

    def __init__(self) -> None:
        self.number = 0


@contextlib.contextmanager
def cancelling(cancel: Callable[[str], None]) -> Iterator[Received]:
    """Call `cancel` with the reason at the first signal, and end the process at once at the second.

    A closed terminal is told by several signals, which count as one; where it is to be ignored, as after `nohup`, it
    is. Outside of the main thread signals are left alone: Python delivers them there only.

    Yields:
        What came; `raise_again` with its number stops the caller after the clean-up.
    """
    received = Received()
    received_at = 0.0
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def stop(number: int, frame: object) -> None:
        nonlocal received_at
        if received.number:
            is_another = time.monotonic() > received_at + _ONE_SIGNAL_SECONDS
            if is_another and number != signal.SIGHUP:
                os._exit(exit_code(number))
            return
        received.number, received_at = number, time.monotonic()
        # The handler may interrupt a thread that holds the plan's lock: cancel from another one.
        reason = _REASONS[signal.Signals(number)]
        threading.Thread(target=cancel, args=(reason,), daemon=True).start()

    handled = [
        number
        for number in _REASONS
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]
    previous = {number: signal.signal(number, stop) for number in handled}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            # `None` stands for a handler that was not set from Python, which cannot set it again either.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
