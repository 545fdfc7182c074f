"""Read pictures: each is decoded to see that it can be, and kept as it is where TensorFlow decodes it alike."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from PIL import Image, ImageFile, ImageOps

from headrace.sources.feature_kinds import BYTES, INTEGERS
from headrace.sources.images import image_ends, image_kinds, png_files
from headrace.sources.labelled.labelled_reader import Decoded, LabelledReader, NotDecodedError

_FORMATS = {
    "png": ("PNG",),
    "jpeg": ("JPEG",),
    "gif": ("GIF",),
    "bmp": ("BMP",),
    "webp": ("WEBP",),
    "tiff": ("TIFF",),
    "ppm": ("PPM",),
}
# The tag in which cameras say how they were held.
_ORIENTATION = 0x0112
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_CHANNELS = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 3, "PA": 4}
_MAX_16_BITS = 65535
_KEPT_BITS = 8


class ImageReader(LabelledReader):
    """Reads pictures.

    Args:
        image_size: Height and width that each is brought to, or `None`.
        channels: 1, 3 or 4, or `None` to leave them.
        with_label: Whether folders are classes.
    """

    SUFFIXES: ClassVar[tuple[str, ...]] = image_kinds.SUFFIXES
    NOT_READ: ClassVar[Mapping[str, str]] = image_kinds.NOT_READ
    ITEM: ClassVar[str] = "picture"

    def __init__(self, image_size: tuple[int, int] | None, channels: int | None, *, with_label: bool) -> None:
        super().__init__(with_label=with_label)
        self._image_size = image_size
        self._channels = channels

    @property
    def features(self) -> dict[str, str]:
        """The features of each example."""
        numbers = dict.fromkeys(("height", "width", "channels"), INTEGERS)
        return {"image": BYTES, "format": BYTES, **numbers}

    def kind_of(self, head: bytes) -> str:
        """Return the format."""
        return image_kinds.kind_of(head)

    def decode(self, data: bytes, name: str) -> Decoded:
        """Return the picture's bytes, re-encoded as PNG where that is needed, and what it is."""
        kind = image_kinds.kind_of(data)
        notes = []
        suffix = os.path.splitext(name.lower())[1]
        if suffix not in image_kinds.SUFFIXES_OF[kind]:
            notes.append("extension not that of the content")
        try:
            if kind == "png":
                png = png_files.parse(data)
                if self._stays(png):
                    png_files.check_rows(png)
                    return Decoded(_values(data, kind, png.height, png.width, png.channels), notes)
            with Image.open(io.BytesIO(data), formats=_FORMATS[kind]) as image:
                return self._decoded(image, kind, data, notes)
        except (NotDecodedError, MemoryError):
            raise
        except png_files.DamagedPngError as error:
            raise NotDecodedError(f"cannot be decoded: {error}") from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise NotDecodedError(f"has too many pixels: {str(error).rstrip('.')}") from error
        except Exception as error:  # Pillow has an exception for each way in which a file can be damaged
            text = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise NotDecodedError(f"cannot be decoded: {_without_address(text)}") from error

    def _stays(self, png: png_files.Png) -> bool:
        """Whether a PNG is kept without a look at its pixels; what has to be said of others is found out with Pillow."""
        size, limit = self._image_size, Image.MAX_IMAGE_PIXELS
        return (
            png.depth <= _KEPT_BITS
            and not png.has_exif
            and (limit is None or png.width * png.height <= limit)
            and (size is None or (png.height, png.width) == size)
            and (self._channels is None or png.channels == self._channels)
        )

    def _decoded(self, image: Image.Image, kind: str, data: bytes, notes: list[str]) -> Decoded:
        limit = Image.MAX_IMAGE_PIXELS
        if limit is not None and image.width * image.height > limit:
            raise NotDecodedError(
                f"has too many pixels: {image.width:,} x {image.height:,}, where {limit:,} are taken in all"
            )
        if kind == "jpeg" and not image_ends.jpeg_has_end(data):
            raise NotDecodedError("cannot be decoded: its end is missing")
        if kind in ("gif", "webp") and getattr(image, "is_animated", False):
            notes.append("first frame taken")
        wanted = _MODES.get(self._channels or 0)
        changes = _needed_changes(image, kind, data)
        is_kept = not changes and self._is_as_wanted(image)
        orientation = image.getexif().get(_ORIENTATION, 1) if kind in ("jpeg", "png", "webp", "tiff") else 1
        if is_kept and kind == "jpeg":
            # An eighth of the size: all bits of the file are read, and few pixels computed.
            width, height = image.size
            image.draft(None, (max(1, width // 8), max(1, height // 8)))
            image.load()
            channels = _CHANNELS[image.mode]
        elif is_kept:
            image.load()
            width, height = image.size
            channels = _channels_of(image)
        if is_kept:
            if orientation not in (0, 1):
                notes.append("turned by EXIF orientation, which decoding does not follow")
            return Decoded(_values(data, kind, height, width, channels), notes)
        encoded, made = self._encoded(image, wanted, is_turned=orientation not in (0, 1))
        notes += changes
        if orientation not in (0, 1):
            notes.append("turned by EXIF orientation")
        return Decoded(_values(encoded, "png", made.height, made.width, _CHANNELS[made.mode]), notes)

    def _is_as_wanted(self, image: Image.Image) -> bool:
        """Whether size and channels are those asked for."""
        size = self._image_size
        has_size = size is None or (image.height, image.width) == size
        return has_size and self._channels in (None, _channels_of(image))

    def _encoded(
        self, image: Image.Image, wanted: str | None, *, is_turned: bool
    ) -> tuple[bytes, Image.Image]:
        """Return a picture as PNG, upright, in the size and with the channels asked for."""
        made = _plain(ImageOps.exif_transpose(image) if is_turned else image)
        if wanted is not None and made.mode != wanted:
            made = made.convert(wanted)
        if self._image_size is not None and (made.height, made.width) != self._image_size:
            height, width = self._image_size
            made = made.resize((width, height), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        # What tags, profiles and texts it had is not pixels.
        made.save(out, "PNG", exif=b"", icc_profile=None)
        return out.getvalue(), made


def _values(data: bytes, kind: str, height: int, width: int, channels: int) -> dict[str, object]:
    return {
        "image": data,
        "format": kind.encode(),
        "height": height,
        "width": width,
        "channels": channels,
    }


def _needed_changes(image: Image.Image, kind: str, data: bytes) -> list[str]:
    """Say why a picture cannot stay as it is: TensorFlow does not decode it, or to other pixels."""
    if kind not in image_kinds.KEPT:
        return [f"converted from {'PPM' if kind == 'ppm' else 'WebP' if kind == 'webp' else kind.upper()}"]
    if kind == "jpeg" and image.mode not in ("L", "RGB"):
        return [f"converted from {image.mode}"]
    if kind == "png" and data[24] == 16:
        return ["converted from 16 bits"]
    if (
        isinstance(image, ImageFile.ImageFile)
        and kind == "gif"
        and [tile[1] for tile in image.tile] != [(0, 0, image.width, image.height)]
    ):
        return ["converted from a GIF whose first picture does not fill it"]
    if kind == "gif" and not image_ends.gif_has_end(data):
        return ["converted from a GIF without its end"]
    if kind == "bmp" and not _is_plain_bmp(data):
        return ["converted from a BMP with palette or compression"]
    return []


def _is_plain_bmp(data: bytes) -> bool:
    """Whether a BMP is of three bytes a pixel and nothing else, which all readers take alike."""
    if len(data) < 34:
        return False
    header, _, _, _, bits, compression = struct.unpack_from("<IiiHHI", data, 14)
    return header >= 40 and bits == 24 and compression == 0


def _channels_of(image: Image.Image) -> int:
    """How many channels TensorFlow decodes a picture to, unless told."""
    if image.format == "GIF":
        return 3
    if image.mode == "P" and "transparency" in image.info:
        return 4
    return _CHANNELS[image.mode]


def _plain(image: Image.Image) -> Image.Image:
    """Return a picture with 8 bits in one to four channels."""
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I"):
        pixels = np.asarray(image)
        if pixels.min() < 0 or pixels.max() > _MAX_16_BITS:
            raise NotDecodedError("holds numbers of more than 16 bits")
        return Image.fromarray((pixels.astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode == "F":
        raise NotDecodedError("holds floats, of which nobody knows what is white")
    if image.mode in ("L", "LA", "RGB", "RGBA"):
        return image
    return image.convert("RGBA" if image.mode in ("PA", "RGBa", "La") else "RGB")


def _without_address(text: str) -> str:
    """An error's text without where in memory something lay, which differs from run to run."""
    return text.partition(" <_io.BytesIO")[0]
