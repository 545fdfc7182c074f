"""Pictures are known by their first bytes."""

from __future__ import annotations

import pytest

from headrace.sources.images import image_kinds
from headrace.sources.sounds import sound_kinds


@pytest.mark.parametrize(
    "head", [b"", b"BMW is a car", b"P2P", b"GIF", b"RIFF....WAVE", b"hello", b"II", b"\xff\xd8"]
)
def test_what_begins_alike_is_no_picture(head: bytes):
    assert image_kinds.kind_of(head) == ""


@pytest.mark.parametrize(
    "head", [b"", b"RIFF....WEBP", b"\xff\xfe", b"\xff\xd8\xff", b"fla", b"FORM....ILBM"]
)
def test_what_begins_alike_is_no_sound(head: bytes):
    assert sound_kinds.kind_of(head) == ""
