"""Rows with planted faults, for the tests of Cleaner and of the checks of rows."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

Row = dict[str, Any]


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """A picture as bytes."""
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def picture(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A picture of coloured patches with some grain; each seed gives another."""
    rng = np.random.default_rng(seed)
    patches = Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize(
        size, Image.Resampling.NEAREST
    )
    grain = rng.integers(-20, 20, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(patches, np.int16) + grain, 0, 255).astype(np.uint8))


def pictures() -> list[Row]:
    """Twelve good pictures of two classes, then eleven special ones."""
    rows = [
        {"image": encoded(picture(seed)), "label": b"ab"[seed % 2 :][:1], "path": b"good/%d.png" % seed}
        for seed in range(12)
    ]
    first = picture(0)
    special = {
        "truncated.png": encoded(first)[:300],
        "empty.png": b"",
        "text.png": b"this is no image",
        "blank.png": encoded(Image.new("RGB", (64, 64), "white")),
        "blurred.png": encoded(first.filter(ImageFilter.GaussianBlur(8))),
        "tiny.png": encoded(first.resize((6, 6))),
        "grey.png": encoded(first.convert("L")),
        "cmyk.jpg": encoded(first.convert("CMYK"), "JPEG"),
        "really_jpeg.png": encoded(first, "JPEG"),
        "copy.png": encoded(first),
    }
    rows += [
        {"image": data, "label": b"a", "path": f"special/{name}".encode()} for name, data in special.items()
    ]
    other = {"image": encoded(first), "label": b"b", "path": b"special/copy_of_other_label.png"}
    return [*rows, other]


def numbers(count: int, seed: int = 0) -> list[Row]:
    """Rows of three numbers and a class, none like another."""
    rng = np.random.default_rng(seed)
    return [
        {"row": seed * 1_000_000 + at, "a": float(rng.normal()), "b": float(rng.normal(10)), "label": at % 3}
        for at in range(count)
    ]


def texts() -> list[Row]:
    """Texts in two languages: one empty, one of 20,000 characters, two that contradict each other."""
    said: Iterable[tuple[str, int]] = [
        ("¡Qué película más BONITA! La volvería a ver.", 1),
        ("ÁRBOL, Ñandú y pingüino: un documental aburridísimo", 0),
        ("这部电影非常好看，我很喜欢。", 1),
        ("", 1),
        ("a", 0),
        ("x" * 20_000, 1),
        ("I loved it", 1),
        ("I loved it", 0),
        ("emoji 😀👍", 1),
    ]
    return [{"text": text.encode(), "label": label} for text, label in said]
