"""Pictures and sounds in the cells of pages."""

from __future__ import annotations

import base64
import io
import wave

import pytest
from PIL import Image

from headrace.reports.blocks.rows import samples_cell, value_cell


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_picture_is_shown_small(kind: str):
    out = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(out, kind)

    cell = value_cell([out.getvalue()])

    assert cell.text.startswith(f"{kind.lower()} image, ")  # type: ignore[union-attr]
    content = base64.b64decode(cell.image.partition("base64,")[2])  # type: ignore[union-attr]
    assert Image.open(io.BytesIO(content)).size == (96, 64)


@pytest.mark.parametrize("text", [b"BMW is a car", b"RIFFRAFF", b"GIFT"])
def test_a_text_that_begins_alike_stays_text(text: bytes):
    cell = value_cell([text])

    assert (cell.text, cell.image, cell.sound) == (text.decode(), "", "")  # type: ignore[union-attr]


def test_samples_are_heard():
    """Of one channel, rounded to 16 bits; what is beyond the loudest is as loud as that, NaN silent."""
    cell = samples_cell([0.0, 1.0, -2.0, float("nan")], 8_000)

    assert cell.text == "4 samples, 0.00 s"
    content = base64.b64decode(cell.sound.partition("data:audio/wav;base64,")[2])
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels()) == (8_000, 1)
        frames = file.readframes(4)
    assert frames == (0).to_bytes(2, "little") + (32767).to_bytes(2, "little") + (-32767).to_bytes(
        2, "little", signed=True
    ) + bytes(2)


def test_a_sound_is_heard_where_it_is_small():
    small, large = b"fLaC" + bytes(100), b"fLaC" + bytes(300_000)

    assert value_cell([small]).sound.startswith("data:audio/flac;base64,")  # type: ignore[union-attr]
    assert (value_cell([large]).text, value_cell([large]).sound) == ("flac sound, 293 KiB", "")  # type: ignore[union-attr]
