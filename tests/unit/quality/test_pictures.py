"""Pictures: those that cannot be decoded say why; size, channels, colour, sharpness and nearness are measured."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from headrace.quality import pictures


def _picture(mode: str = "RGB", size: tuple[int, int] = (64, 48), seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC).convert(mode)


def _encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def _decoded(data: bytes) -> Image.Image:
    image = pictures.decode(data)
    assert not isinstance(image, str)
    return image


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it has no bytes"),
        (b"this is no image", "it is no picture that Pillow knows"),
        (_encoded(_picture())[:500], "Pillow cannot decode it: image file is truncated"),
        (_encoded(_picture(), "JPEG")[:200], "Pillow cannot decode it: "),
    ],
)
def test_what_cannot_be_decoded_says_why(data: bytes, why: str) -> None:
    found = pictures.decode(data)

    assert isinstance(found, str)
    assert found.startswith(why)


@pytest.mark.parametrize(
    ("mode", "kind", "channels"),
    [("RGB", "PNG", 3), ("L", "PNG", 1), ("RGBA", "PNG", 4), ("CMYK", "JPEG", 4), ("P", "GIF", 1)],
)
def test_mode_channels_and_size_are_those_of_the_file(mode: str, kind: str, channels: int) -> None:
    data = _encoded(_picture(mode), kind)
    found = pictures.measure(_decoded(data))

    assert pictures.looks_like_one(data)
    assert (found.format, found.mode, found.channels, found.width, found.height) == (
        kind,
        mode,
        channels,
        64,
        48,
    )


def test_a_blank_picture_deviates_by_nothing_and_a_blurred_one_is_less_sharp() -> None:
    sharp = _picture()
    rng = np.random.default_rng(1)
    noisy = Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8))
    blurred = noisy.filter(ImageFilter.GaussianBlur(8))
    blank = pictures.measure(_decoded(_encoded(Image.new("RGB", (32, 32), "white"))))

    assert (blank.deviation, blank.sharpness) == (0, 0)
    assert pictures.measure(sharp).deviation > 10
    assert pictures.measure(noisy).sharpness > 1000 > 20 > pictures.measure(blurred).sharpness


def test_grey_is_what_has_no_colour_whatever_its_mode() -> None:
    grey = _picture("L")

    assert pictures.measure(grey).is_grey
    assert pictures.measure(grey.convert("RGB")).is_grey
    assert not pictures.measure(_picture()).is_grey


def test_near_pictures_have_near_hashes_and_a_blank_one_has_none() -> None:
    original = _picture(size=(200, 150))
    smaller = _decoded(_encoded(original.resize((100, 75)), "JPEG"))
    other = _picture(size=(200, 150), seed=5)
    first, second, third = map(pictures.perceptual_hash, (original, smaller, other))

    assert first is not None
    assert second is not None
    assert third is not None
    assert (first ^ second).bit_count() <= 4 < 16 < (first ^ third).bit_count()
    assert pictures.perceptual_hash(Image.new("RGB", (50, 50), "red")) is None


def test_a_thumbnail_is_a_small_png() -> None:
    small = pictures.thumbnail(_encoded(_picture("CMYK", (400, 300)), "JPEG"))

    assert _decoded(small).size == (96, 72)
    assert _decoded(small).format == "PNG"
    assert pictures.thumbnail(b"no picture") == b""
