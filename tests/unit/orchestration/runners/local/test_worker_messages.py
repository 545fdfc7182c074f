"""What the orchestrating process makes of how a worker ended."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import struct
from collections.abc import Callable

import pytest

from headrace.errors import ExecutorError
from headrace.orchestration.runners.local import workers
from headrace.orchestration.runners.local.messages import Exited, ServerLost
from headrace.orchestration.runners.tasks import Task

_KILLED = Exited(-signal.SIGKILL)


def _after(num_calls: int) -> Callable[[], bool]:
    """Whether the run is cancelled: so many times not yet."""
    answers = iter([False] * num_calls)
    return lambda: next(answers, True)


@pytest.mark.parametrize("is_cancelled", [_after(0), _after(3)])
@pytest.mark.parametrize("message", [ServerLost(), Exited(-signal.SIGTERM), Exited(-signal.SIGHUP)])
def test_a_worker_that_is_stopped_with_the_run_has_not_failed(
    message: Exited | ServerLost, is_cancelled: Callable[[], bool]
):
    """A service manager ends all processes at once, and the run may be the last to know."""
    # Whichever was first, the run or its worker: the answers run on.
    assert workers._is_stopped_with_run(message, is_cancelled)


def test_a_worker_that_was_killed_alone_has_failed(monkeypatch: pytest.MonkeyPatch):
    """Nothing else was stopped: its signal is the node's failure, and no wait hides one that memory ended."""
    monkeypatch.setattr(workers, "_STOPPING_SECONDS", 0.0)

    assert not workers._is_stopped_with_run(Exited(-signal.SIGTERM), lambda: False)
    assert not workers._is_stopped_with_run(_KILLED, lambda: True)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", ServerLost()),
        (struct.pack("!i", 1000) + b"a part", _KILLED),
        (struct.pack("!i", 3) + b"\x80\x05x", _KILLED),
        (struct.pack("!i", len(pickle.dumps(Exited(3)))) + pickle.dumps(Exited(3)), Exited(3)),
    ],
    ids=["nothing", "half a message", "no pickle", "a message"],
)
def test_half_a_message_is_the_end_of_its_sender(sent: bytes, expected: object):
    """A worker that was killed while it reported is told as killed, and not as an error of the operating system."""
    ours, theirs = multiprocessing.Pipe()
    os.write(theirs.fileno(), sent)
    theirs.close()

    assert workers._receive(ours) == expected
    ours.close()


@pytest.mark.parametrize(
    ("number", "told", "advised"),
    [
        (signal.SIGKILL, "SIGKILL. The system kills a process so when memory runs out.", "more memory"),
        (signal.SIGSEGV, "SIGSEGV. Native code of a library crashed.", "the last library"),
        (signal.SIGTERM, "SIGTERM. Another process ended it, or its own code did.", "who sends that signal"),
        (signal.SIGXFSZ, "SIGXFSZ. A limit on the size of files was reached.", "ulimit -f"),
        (40, "40.", "read Trainer.log"),
    ],
)
def test_a_signal_is_named_with_what_sends_it(number: int, told: str, advised: str):
    task = Task("Trainer", "executor", "a.B", "", b"", b"")

    with pytest.raises(ExecutorError) as raised:
        workers._judge(task, Exited(-number), "Trainer.log")

    assert raised.value.problem == f"Trainer: its process was killed by signal {told}"
    assert advised in raised.value.fix
