"""How a signal that stopped a run stops its caller."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from headrace.orchestration.engine import interrupts


def test_without_a_signal_nothing_is_raised():
    interrupts.raise_again(0)


@pytest.mark.parametrize(
    ("number", "kind", "is_keyboard", "code"),
    [(signal.SIGINT, SystemExit, True, 130), (signal.SIGTERM, SystemExit, False, 143)],
)
def test_a_script_exits_as_shells_count(number: int, kind: type[BaseException], is_keyboard: bool, code: int):
    """Ctrl-C is a `KeyboardInterrupt` for who catches it, and an exit code for who does not."""
    with pytest.raises(kind) as raised:
        interrupts.raise_again(number)

    assert isinstance(raised.value, KeyboardInterrupt) is is_keyboard
    assert raised.value.code == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interactive_session_lives_on(monkeypatch: pytest.MonkeyPatch, number: int):
    """A prompt, or a notebook's kernel, does not exit with the run."""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with pytest.raises(KeyboardInterrupt) as raised:
        interrupts.raise_again(number)

    assert not isinstance(raised.value, SystemExit)


@pytest.mark.parametrize(
    ("number", "reason"), [(signal.SIGINT, "stopped by Ctrl-C"), (signal.SIGTERM, "stopped by SIGTERM")]
)
def test_the_first_signal_cancels_and_the_handlers_come_back(number: int, reason: str):
    told = threading.Event()
    reasons: list[str] = []
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]

    with interrupts.cancelling(lambda text: (reasons.append(text), told.set())) as received:
        os.kill(os.getpid(), number)
        assert told.wait(10)

    assert (received.number, reasons) == (number, [reason])
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_second_signal_ends_the_process_at_once():
    child = os.fork()
    if not child:
        with interrupts.cancelling(lambda text: None):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(4 * interrupts._ONE_SIGNAL_SECONDS)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 143


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_sent_twice_at_once_counts_once(number: int, monkeypatch: pytest.MonkeyPatch):
    """`timeout`, a service manager and a closed terminal send it to the process and to its group: it ends in order."""
    monkeypatch.setattr(interrupts, "_ONE_SIGNAL_SECONDS", 60.0)
    # The tests may have been started with `nohup`.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with interrupts.cancelling(lambda text: None) as received:
            signal.raise_signal(number)
            signal.raise_signal(number)
    finally:
        signal.signal(number, before)

    assert received.number == number


def test_a_closed_terminal_stops_the_run_unless_it_is_to_be_ignored():
    """As after `nohup`: whoever started the run wants it to go on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.cancelling(lambda text: None) as received:
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert received.number == 0


def test_outside_of_the_main_thread_signals_are_left_alone():
    seen: list[object] = []

    def look() -> None:
        with interrupts.cancelling(lambda text: None) as received:
            seen.extend([signal.getsignal(signal.SIGTERM), received.number])

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == [signal.getsignal(signal.SIGTERM), 0]
