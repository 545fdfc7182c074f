"""What a run and a server say to each other: whole, in time, or not at all."""

from __future__ import annotations

import os
import socket
import time

import pytest

from headrace.orchestration.runners.warm import messages


def test_what_is_sent_arrives_with_its_descriptors():
    one, other = socket.socketpair()
    reading, writing = os.pipe()
    told = {"kind": "run", "text": "ä\udc80" * 1000}
    messages.send(one, told, [writing])
    received, descriptors = messages.receive(other, 1.0)

    assert received == told
    os.write(descriptors[0], b"x")
    assert os.read(reading, 1) == b"x"
    for descriptor in (reading, writing, *descriptors):
        os.close(descriptor)


@pytest.mark.parametrize(
    "sent", [b"", b"\x05\0", b"\x05\0\0\0ab", b"\xff\xff\xff\xff", b"\x02\0\0\0[]", b"\x02\0\0\0{x"]
)
def test_a_peer_that_says_something_else_is_a_peer_that_is_gone(sent: bytes):
    one, other = socket.socketpair()
    one.sendall(sent)
    one.close()
    with other, pytest.raises(OSError, match=r"gone|no message"):
        messages.receive(other, 1.0)


@pytest.mark.parametrize("sent", [b"", b"\x05\0\0\0ab"])
def test_a_silent_peer_is_waited_for_so_long(sent: bytes):
    one, other = socket.socketpair()
    one.sendall(sent)
    started = time.monotonic()
    with one, other, pytest.raises(TimeoutError):
        messages.receive(other, 0.1)
    assert time.monotonic() - started < 1.0
