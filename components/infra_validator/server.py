"""The fresh process: loads one SavedModel and answers requests, with TensorFlow alone.

Run by path in a fresh process, which imports of Headrace what loads and asks a model, and no more: what TensorFlow
Serving does not have is no part of it. Messages are a big-endian uint32 length and JSON, over the standard streams:
pipes need no port, and end when either side dies. Serialized Examples travel as base64.

Commands: `{"load": path, "tags": [...]}`, then any number of
`{"signature": name, "records": [...]}`. Each is answered by one message; an error by `{"kind": class, "error": text}`.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import json
import os
import signal
import struct
import sys
import time
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
_PR_SET_PDEATHSIG = 1
_PACKAGE_FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """Return the next message; `None` at the end of the stream."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return None if len(body) < length else json.loads(body)


def write_message(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Send one message."""
    body = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def main() -> None:
    """Serve until the other side closes its end."""
    _die_with_parent()
    # Python put this file's folder first; its modules are no part of a server. Headrace is found where it is.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [*(path for path in sys.path if path != here), _PACKAGE_FOLDER]
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    # TensorFlow and the model's own ops may print: nothing of that may reach the answers.
    os.dup2(2, 1)
    # The collector would walk the growing heap again and again: a second of the import.
    gc.disable()
    from headrace.models import cost
    from headrace.models.model import load
    from headrace.models.runner import Refused
    from headrace.models.tensorflow_runner import BareTensorFlowRunner

    gc.enable()
    write_message(answers, {"ready": True})
    model: Any = None
    while (message := read_message(requests)) is not None:
        try:
            if "load" in message:
                model = load(
                    message["load"], where="server", tags=message["tags"], open_runner=BareTensorFlowRunner
                )
                answer = {"seconds": model.load_seconds}
            else:
                answer = _answer(model, message["signature"], message["records"])
            write_message(answers, {**answer, "memory_bytes": cost.peak_memory_bytes()})
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            # What TensorFlow says itself, where it is TensorFlow that refuses.
            cause = error.__cause__
            if isinstance(cause, Refused):
                write_message(answers, {"kind": cause.kind, "error": cause.text})
            else:
                write_message(answers, {"kind": type(error).__name__, "error": str(error)})


def _answer(model: Any, signature: str, records: list[str]) -> dict[str, Any]:
    """Call a signature; tell shape and finiteness of each output, and the time."""
    batch = [base64.b64decode(record) for record in records]
    started = time.perf_counter()
    outputs = model.call(batch, signature)
    seconds = time.perf_counter() - started
    described = {
        name: {
            "shape": list(value.shape),
            "is_finite": value.dtype.kind not in "fc" or bool((abs(value) < float("inf")).all()),
        }
        for name, value in outputs.items()
    }
    return {"seconds": seconds, "outputs": described}


def _die_with_parent() -> None:
    """Let Linux kill this process when the one that started it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
