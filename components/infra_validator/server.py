"""The fresh process: loads one SavedModel and answers requests, with TensorFlow alone.

Run by path in a fresh process: importing `headrace` here would bring in what a server does not have. Messages
are a big-endian uint32 length and JSON, over the standard streams: pipes need no port, and end when either
side dies. Serialized Examples travel as base64.

Commands: `{"load": path, "tags": [...]}`, then any number of
`{"signature": name, "records": [...]}`. Each is answered by one message; an error by `{"kind": class, "error": text}`.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import json
import os
import resource
import signal
import struct
import sys
import time
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
_PR_SET_PDEATHSIG = 1


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
    # Python put this file's folder first; its modules are no part of a server.
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    # TensorFlow and the model's own ops may print: nothing of that may reach the answers.
    os.dup2(2, 1)
    # The collector would walk the growing heap again and again: a second of the import.
    gc.disable()
    import tensorflow as tf

    gc.enable()
    write_message(answers, {"ready": tf.__version__})
    model: Any = None
    while (message := read_message(requests)) is not None:
        try:
            if "load" in message:
                started = time.perf_counter()
                model = tf.saved_model.load(message["load"], tags=message["tags"])
                write_message(
                    answers,
                    {"seconds": time.perf_counter() - started, "memory_bytes": peak_memory_bytes()},
                )
            else:
                write_message(
                    answers, _answer(tf, model.signatures[message["signature"]], message["records"])
                )
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            write_message(answers, {"kind": type(error).__name__, "error": str(error)})


def _answer(tf: Any, signature: Any, records: list[str]) -> dict[str, Any]:
    """Call a signature; tell shape, type and finiteness of each output, the time, and the memory so far."""
    name = next(iter(signature.structured_input_signature[1]))
    batch = tf.constant([base64.b64decode(record) for record in records])
    started = time.perf_counter()
    outputs = {key: value.numpy() for key, value in signature(**{name: batch}).items()}
    seconds = time.perf_counter() - started
    described = {
        key: {
            "shape": list(value.shape),
            "is_finite": value.dtype.kind not in "fc" or bool((abs(value) < float("inf")).all()),
        }
        for key, value in outputs.items()
    }
    return {"seconds": seconds, "outputs": described, "memory_bytes": peak_memory_bytes()}


def peak_memory_bytes() -> int:
    """Largest resident memory of this process, as if it had read the libraries' files itself."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    peak = peak if sys.platform == "darwin" else peak * 1024
    # Set where this process is a fork of one that had TensorFlow loaded: what of the files that one had in
    # memory this one has not touched.
    file_bytes = int(os.environ.get("HEADRACE_LIBRARY_FILE_BYTES", "0"))
    return peak + max(0, file_bytes - _resident_file_bytes()) if file_bytes else peak


def _resident_file_bytes() -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        # In kB, see proc(5).
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("RssFile:")), 0)


def _die_with_parent() -> None:
    """Let Linux kill this process when the one that started it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
