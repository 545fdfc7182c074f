"""Pictures: whether they can be decoded, and what is measured of them."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

# Beyond this, Pillow's own limit against files that unpack to more than memory holds.
_THUMBNAIL_PIXELS = 96
# The measure of sharpness depends on the size, so larger pictures are made so small first.
_SHARPNESS_PIXELS = 256
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")
# Longer texts of Pillow and TensorFlow are of no help.
_MAX_REASON = 160


def looks_like_one(data: bytes) -> bool:
    """Whether bytes begin as a PNG, JPEG, GIF, BMP, TIFF or WebP does."""
    return data.startswith(_STARTS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def decode(data: bytes) -> Image.Image | str:
    """Return a picture with its pixels, or why Pillow cannot decode it."""
    if not data:
        return "it has no bytes"
    try:
        with warnings.catch_warnings():
            # Of a size that Pillow calls a decompression bomb, and of bytes behind the end.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)
            image = Image.open(io.BytesIO(data))
            image.load()
    except UnidentifiedImageError:
        return "it is no picture that Pillow knows"
    except Exception as error:  # Pillow has one of its own for each way in which a file can be damaged
        return f"Pillow cannot decode it: {_words(error)}"
    return image


def tensorflow_problem(data: bytes) -> str:
    """Return why TensorFlow's `tf.io.decode_image` cannot decode a picture; empty where it can."""
    import tensorflow as tf

    try:
        tf.io.decode_image(data, expand_animations=False)
    except tf.errors.OpError as error:
        text = error.message.split("[Op:")[0].strip()
        return f"TensorFlow cannot decode it: {text[:_MAX_REASON].rstrip('.')}"
    return ""


def problem(data: bytes) -> str:
    """Return why a picture cannot be decoded, by Pillow or by TensorFlow; empty where both can."""
    image = decode(data)
    if isinstance(image, str):
        return image
    why = tensorflow_problem(data)
    return f"{why} ({image.format}, which Pillow can)" if why else ""


@dataclass(frozen=True)
class Header:
    """What the first bytes of a picture's file say of it.

    Attributes:
        format: Pillow's name, such as `"JPEG"`.
        channels: The number of its channels.
        width: In pixels.
        height: In pixels.
    """

    format: str
    channels: int
    width: int
    height: int


def header(data: bytes) -> Header | None:
    """Return what a picture's file says of it, without its pixels; `None` where Pillow cannot read that."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data))
    except Exception:  # Pillow has one of its own for each way in which a file can be damaged
        return None
    return Header(str(image.format or ""), len(image.getbands()), image.width, image.height)


@dataclass(frozen=True)
class Measures:
    """What is measured of a picture.

    Attributes:
        format: Pillow's name, such as `"JPEG"`.
        mode: Pillow's colour model, such as `"RGB"`, `"L"` or `"CMYK"`.
        channels: The number of its channels.
        width: In pixels.
        height: In pixels.
        deviation: The standard deviation of its grey values, 0 to 127.5; 0 for one colour.
        sharpness: The variance of the Laplacian of its grey values; low where it is blurred.
        is_grey: Whether it has no colour.
    """

    format: str
    mode: str
    channels: int
    width: int
    height: int
    deviation: float
    sharpness: float
    is_grey: bool


def measure(image: Image.Image) -> Measures:
    """Measure a decoded picture.

    The variance of the Laplacian as a measure of focus: Pech-Pacheco et al., "Diatom autofocusing in brightfield
    microscopy", ICPR 2000. It is taken of a copy of at most 256 pixels, so that one threshold fits all sizes.
    """
    grey = _grey(image)
    return Measures(
        format=str(image.format or ""),
        mode=image.mode,
        channels=len(image.getbands()),
        width=image.width,
        height=image.height,
        deviation=float(grey.std()),
        sharpness=_sharpness(grey),
        is_grey=_is_grey(image),
    )


def _grey(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    small = image.convert("RGBA") if image.mode in ("P", "PA", "LA", "RGBA") else image
    if small.mode == "RGBA":
        # What is transparent has a colour nobody sees.
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    small = small.convert("L")
    if max(small.size) > _SHARPNESS_PIXELS:
        small.thumbnail((_SHARPNESS_PIXELS, _SHARPNESS_PIXELS), Image.Resampling.BOX)
    return np.asarray(small, np.float64)


def _sharpness(grey: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("1", "L", "LA", "I", "F", "I;16"):
        return True
    pixels = np.asarray(image.convert("RGB"), np.int16)
    return bool((np.abs(pixels - pixels[..., :1]) <= 2).all())


def thumbnail(data: bytes) -> bytes:
    """Return a small PNG of a picture; empty where it cannot be decoded."""
    image = decode(data)
    if isinstance(image, str):
        return b""
    image.thumbnail((_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS))
    out = io.BytesIO()
    image.convert("RGBA" if image.mode in ("P", "PA", "LA", "RGBA") else "RGB").save(out, "PNG")
    return out.getvalue()


def perceptual_hash(image: Image.Image) -> int | None:
    """Return 64 bits of which near pictures share most; `None` for a picture of nearly one colour, which has none.

    It is `imagehash.phash`: the signs of the lowest frequencies of the picture in grey.
    """
    import imagehash

    if _grey(image).std() < 1:
        return None
    rgb = image.convert("RGBA") if image.mode in ("P", "PA", "LA") else image
    return int(str(imagehash.phash(rgb)), 16)


def _words(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:_MAX_REASON].rstrip(".")
