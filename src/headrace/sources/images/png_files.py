"""PNG files, checked as libpng checks them, without computing their pixels: a third of what Pillow takes for it.

A file that passes is one that TensorFlow decodes: the checksum of each chunk is right, the last chunk is there, and the
compressed data hold each row with a filter that there is (PNG specification, third edition, sections 5, 7 and 9).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from isal import isal_zlib

_HEAD_BYTES = 8
_CHUNK_HEAD = struct.Struct(">I4s")
_IHDR = struct.Struct(">IIBBBBB")
_MAX_FILTER = 4
_MAX_SIDE = 2**31 - 1
_PALETTE = 3
# Of each colour type: samples of a pixel, and the depths that there are.
_TYPES = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
# Adam7: of each pass, the first column and row, and the steps to the next.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class DamagedPngError(Exception):
    """A file is damaged; the text is a clause."""


@dataclass(frozen=True)
class Png:
    """What a file says of its picture.

    Attributes:
        width: In pixels.
        height: In pixels.
        depth: Bits of a sample.
        channels: What libpng makes of it unless told: of a palette three, or four where some colours are transparent.
        has_exif: Whether it may say how the camera was held.
        is_interlaced: Whether its rows come in seven passes.
        data: The compressed rows.
        samples: Samples of a pixel, of a palette one.
    """

    width: int
    height: int
    depth: int
    channels: int
    has_exif: bool
    is_interlaced: bool
    data: bytes
    samples: int


def parse(data: bytes) -> Png:
    """Read the chunks of a file.

    Raises:
        DamagedPngError: If one is damaged, or missing.
    """
    view, at = memoryview(data), _HEAD_BYTES
    rows: list[memoryview] = []
    header: bytes = b""
    seen: set[bytes] = set()
    while at + _CHUNK_HEAD.size <= len(data):
        length, name = _CHUNK_HEAD.unpack_from(data, at)
        start = at + _CHUNK_HEAD.size
        end = start + length
        if end + 4 > len(data):
            break
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise DamagedPngError(f"the checksum of its chunk {name.decode('ascii', 'replace')} is wrong")
        seen.add(name)
        if name == b"IDAT":
            rows.append(view[start:end])
        elif name == b"IHDR":
            header = bytes(view[start:end])
        elif name == b"IEND":
            return _picture(header, seen, rows)
        at = end + 4
    raise DamagedPngError("its end is missing")


def _picture(header: bytes, seen: set[bytes], rows: list[memoryview]) -> Png:
    if len(header) != _IHDR.size:
        raise DamagedPngError("its header is damaged")
    width, height, depth, colour, compression, filtering, interlacing = _IHDR.unpack(header)
    samples, depths = _TYPES.get(colour, (0, ()))
    is_known = depth in depths and not compression and not filtering and interlacing in (0, 1)
    if not is_known or not 0 < width <= _MAX_SIDE or not 0 < height <= _MAX_SIDE:
        raise DamagedPngError("its header is damaged")
    if colour == _PALETTE and b"PLTE" not in seen:
        raise DamagedPngError("its palette is missing")
    is_transparent = b"tRNS" in seen
    channels = (4 if is_transparent else 3) if colour == _PALETTE else samples
    packed = bytes(rows[0]) if len(rows) == 1 else b"".join(rows)
    return Png(width, height, depth, channels, b"eXIf" in seen, interlacing == 1, packed, samples)


def check_rows(png: Png) -> None:
    """Unpack the rows, and look at the filter of each.

    Raises:
        DamagedPngError: If some are missing or damaged.
    """
    passes = [(png.width, png.height)]
    if png.is_interlaced:
        passes = [
            (-(-(png.width - left) // across), -(-(png.height - top) // down))
            for left, top, across, down in _PASSES
            if png.width > left and png.height > top
        ]
    strides = [1 + (width * png.samples * png.depth + 7) // 8 for width, _ in passes]
    total = sum(stride * height for stride, (_, height) in zip(strides, passes))
    try:
        rows = isal_zlib.decompressobj().decompress(png.data, total)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub has an instance there
        raise DamagedPngError(f"its rows are damaged: {error}") from error
    if len(rows) < total:
        raise DamagedPngError("some of its rows are missing")
    at = 0
    for stride, (_, height) in zip(strides, passes):
        if max(rows[at : at + stride * height : stride]) > _MAX_FILTER:
            raise DamagedPngError("a row has a filter that there is not")
        at += stride * height
