"""Whether a picture's file has its end: Pillow takes some without, with all pixels there, that TensorFlow refuses.

Found by cutting files at each byte and changing single ones (TensorFlow 2.16, Pillow 12).
"""

from __future__ import annotations


def jpeg_has_end(data: bytes) -> bool:
    """Whether the end of a JPEG stands behind its last scan: in scans, a byte of ones is followed by zeros."""
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")


def gif_has_end(data: bytes) -> bool:
    """Whether a GIF ends as one: else its end is missing, or something stands behind it."""
    return data.rstrip(b"\0").endswith(b";")
