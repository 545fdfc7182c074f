"""What a picture's file is, by its first bytes and by its name. Light."""

from __future__ import annotations

# The formats that are read, and how names of their files end.
SUFFIXES_OF = {
    "png": (".png", ".apng"),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "gif": (".gif",),
    "bmp": (".bmp", ".dib"),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff"),
    "ppm": (".ppm", ".pgm", ".pbm", ".pnm"),
}
SUFFIXES = tuple(suffix for suffixes in SUFFIXES_OF.values() for suffix in suffixes)
# What is a picture, and is not read.
_CONVERT = "convert it to PNG or JPEG"
NOT_READ = {
    **dict.fromkeys(
        (".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".psd", ".svg", ".eps", ".ico"), _CONVERT
    ),
    **dict.fromkeys(
        (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"), "develop it to PNG or JPEG"
    ),
}
# What tf.io.decode_image reads.
KEPT = ("png", "jpeg", "gif", "bmp")


def kind_of(head: bytes) -> str:
    """Return the format that some first bytes are of; empty for none that is read.

    Example:
        >>> kind_of(b"GIF89a..."), kind_of(b"notes")
        ('gif', '')
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith((b"II*\0", b"MM\0*")):
        return "tiff"
    # Two bytes are little to go by: texts begin with them too.
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "bmp"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in (b"\n", b" ", b"\r", b"\t"):
        return "ppm"
    return ""
