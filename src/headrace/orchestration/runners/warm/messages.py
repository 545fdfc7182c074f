"""What a run and a warm server say to each other when they meet: JSON with its length before it, and descriptors."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

_LENGTH = struct.Struct("=I")
# An environment has at most a few MB, see execve(2).
_MAX_BYTES = 16 << 20
_MAX_DESCRIPTORS = 2


def send(connected: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message.

    Raises:
        OSError: If nobody takes it, or not within the socket's time.
    """
    content = json.dumps(message).encode()
    start = _LENGTH.pack(len(content))
    if descriptors:
        socket.send_fds(connected, [start], list(descriptors))
        connected.sendall(content)
    else:
        connected.sendall(start + content)


def receive(connected: socket.socket, seconds: float) -> tuple[dict[str, Any], list[int]]:
    """Return the next message, and the descriptors that came with it.

    Args:
        connected: The socket; its timeout is set.
        seconds: How long the whole message may take.

    Raises:
        OSError: If it does not come whole in that time, or is none.
    """
    deadline = time.monotonic() + seconds
    connected.settimeout(seconds)
    content, descriptors, _, _ = socket.recv_fds(connected, _LENGTH.size, _MAX_DESCRIPTORS)
    content += _rest(connected, _LENGTH.size - len(content), deadline) if content else b""
    length = _LENGTH.unpack(content)[0] if len(content) == _LENGTH.size else _MAX_BYTES + 1
    if length > _MAX_BYTES:
        raise ConnectionError("the other end is gone, or says what is no message")
    try:
        message = json.loads(_rest(connected, length, deadline))
    except ValueError as error:
        raise ConnectionError("the other end says what is no message") from error
    if not isinstance(message, dict):
        raise ConnectionError("the other end says what is no message")
    return message, descriptors


def _rest(connected: socket.socket, size: int, deadline: float) -> bytes:
    content = b""
    while len(content) < size:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the other end is silent")
        connected.settimeout(seconds)
        part = connected.recv(size - len(content))
        if not part:
            raise ConnectionError("the other end is gone")
        content += part
    return content
