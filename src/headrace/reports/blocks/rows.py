"""Values of Examples as cells: images small, texts in full."""

from __future__ import annotations

import base64
import io
from typing import Any

from headrace.reports.blocks.blocks import Cell, Value
from headrace.reports.blocks.numbers import format_number
from headrace.ui.units import format_bytes

_IMAGES = (
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"RIFF", "webp"),
    (b"BM", "bmp"),
)
# What else stands at a place in files of a kind whose first bytes other files have too.
_ALSO = {"webp": (8, b"WEBP"), "bmp": (6, b"\0\0\0\0"), "wav": (8, b"WAVE")}
_SOUNDS = ((b"RIFF", "wav"), (b"fLaC", "flac"), (b"OggS", "ogg"))
# Longer ones would make the page large; of samples these first ones are played.
_MAX_SOUND_BYTES = 200_000
_MAX_SAMPLES = 80_000
_THUMBNAIL_PIXELS = 96
_MAX_IMAGE_BYTES = 40_000
_MAX_VALUES = 24
# Beyond this a text is cut: a page of documents would otherwise hold the data set.
_MAX_CHARACTERS = 20_000


def value_cell(values: list[Any]) -> Value:
    """Return the values of a feature in a row as a cell: an image as thumbnail, text in full."""
    if not values:
        return Cell("–")
    if len(values) == 1:
        return _single(values[0])
    shown = [_single(value) for value in values[:_MAX_VALUES]]
    text = ", ".join(cell.text for cell in shown)
    more = f", … {len(values):,} values" if len(values) > _MAX_VALUES else ""
    # Of several images the first is shown, and all are named.
    return Cell(f"[{text}{more}]", image=shown[0].image)


def _single(value: Any) -> Cell:
    if isinstance(value, bytes):
        for start, kind in _IMAGES:
            at, also = _ALSO.get(kind, (0, b""))
            if value.startswith(start) and value.startswith(also, at):
                return Cell(f"{kind} image, {format_bytes(len(value))}", image=_thumbnail(value, kind))
        for start, kind in _SOUNDS:
            at, also = _ALSO.get(kind, (0, b""))
            if value.startswith(start) and value.startswith(also, at):
                return Cell(f"{kind} sound, {format_bytes(len(value))}", sound=_played(value, kind))
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            return Cell(f"{format_bytes(len(value))}: {value[:16].hex(' ')}{' …' if len(value) > 16 else ''}")
    if isinstance(value, str):
        cut = len(value) > _MAX_CHARACTERS
        return Cell(f"{value[:_MAX_CHARACTERS]} … ({len(value):,} characters)" if cut else value)
    return Cell(format_number(value, 6) if isinstance(value, float) else str(value), is_number=True)


def samples_cell(values: list[float], rate: int) -> Cell:
    """Return the samples of one channel, from -1 to 1, as a cell that plays the first seconds of them."""
    import array
    import sys
    import wave

    loudest = 32767
    pulses = (max(-1.0, min(1.0, value)) if value == value else 0.0 for value in values[:_MAX_SAMPLES])
    numbers = array.array("h", [round(loudest * pulse) for pulse in pulses])
    if sys.byteorder == "big":
        numbers.byteswap()
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(numbers.tobytes())
    text = f"{len(values):,} samples, {len(values) / rate:.2f} s"
    return Cell(text, sound=_played(out.getvalue(), "wav"))


def _played(data: bytes, kind: str) -> str:
    """Return a `data:` address; empty where the sound is too large for a page."""
    if len(data) > _MAX_SOUND_BYTES:
        return ""
    return f"data:audio/{kind};base64,{base64.b64encode(data).decode()}"


def _thumbnail(data: bytes, kind: str) -> str:
    """Return a small copy as a `data:` address; empty where the image is damaged or cannot be made small."""
    try:
        from PIL import Image

        with Image.open(io.BytesIO(data)) as image:
            image.thumbnail((_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS))
            out = io.BytesIO()
            image.convert("RGBA" if image.mode in ("P", "LA", "RGBA") else "RGB").save(out, "PNG")
            data, kind = out.getvalue(), "png"
    except Exception:  # Pillow has an exception for each way in which a file can be damaged
        if len(data) > _MAX_IMAGE_BYTES:
            return ""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
