"""The checksums of TFRecord: CRC-32C of each record, masked, and all those of a buffer compared at once.

A call for each record costs 0.4 us, half as much again as reading it. So the records of a buffer are compared
with one call: behind data and the CRC of these data, the register of a CRC has one value, whatever the data are.
From there 12 fixed bytes lead it back to where a CRC begins. In a TFRecord 16 bytes stand between two records, a
checksum and the head of the next: replaced by the record's CRC, not masked, and these 12 bytes, they make of the
buffer one text whose CRC is 0 where every checksum fits. One that does not always changes it, for all that
follows is linear in the register.
"""

from __future__ import annotations

from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

_MASK_DELTA = 0xA282EAD8
# CRC-32C of b"\\0\\0\\0\\0" is what any data and their CRC end in; these bytes lead from there to 0.
_BACK_TO_START = bytes.fromhex("0000000000000000f62e80b0")
_BETWEEN_BYTES = 4 + len(_BACK_TO_START)


def masked_crc(data: bytes) -> int:
    """Return the CRC-32C of `data`, masked as TFRecord stores it."""
    return mask(google_crc32c.value(data))


def mask(crc: int) -> int:
    """Return a CRC-32C as TFRecord stores it."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def do_fit(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> bool:
    """Whether every record fits the checksum behind it.

    Args:
        data: A buffer of a TFRecord file.
        starts: Where each record begins; at least one, each 16 bytes behind the end of the one before.
        ends: Where each record ends, and its checksum begins.
    """
    first, last = int(starts[0]), int(ends[-1]) + 4
    text = np.empty(last - first + len(_BACK_TO_START), np.uint8)
    text[: last - first] = np.frombuffer(data, np.uint8, last - first, first)
    places = ends - first
    stored = np.ndarray((len(text) - 3,), "V4", text, strides=(1,))[places].view("<u4")
    rotated = stored - np.uint32(_MASK_DELTA)
    between = np.empty((len(places), _BETWEEN_BYTES), np.uint8)
    between[:, :4] = ((rotated >> np.uint32(17)) | (rotated << np.uint32(15))).view(np.uint8).reshape(-1, 4)
    between[:, 4:] = np.frombuffer(_BACK_TO_START, np.uint8)
    windows: NDArray[Any] = np.ndarray(
        (len(text) - _BETWEEN_BYTES + 1,), f"V{_BETWEEN_BYTES}", text, strides=(1,)
    )
    windows[places] = between.view(f"V{_BETWEEN_BYTES}")[:, 0]
    crc: int = google_crc32c.value(text.tobytes())
    return crc == 0
