"""What a sound's file is, by its first bytes and by its name. Light."""

from __future__ import annotations

SUFFIXES_OF = {
    "wav": (".wav", ".wave"),
    "flac": (".flac",),
    "ogg": (".ogg", ".oga", ".opus"),
    "aiff": (".aif", ".aiff", ".aifc"),
    "au": (".au", ".snd"),
    "mp3": (".mp3",),
}
SUFFIXES = tuple(suffix for suffixes in SUFFIXES_OF.values() for suffix in suffixes)
# What is a sound, and is not read.
NOT_READ = dict.fromkeys(
    (".m4a", ".aac", ".wma", ".amr", ".ape", ".mid", ".midi"), "convert it to WAV or FLAC"
)


def kind_of(head: bytes) -> str:
    """Return the format that some first bytes are of; empty for none that is read.

    Example:
        >>> kind_of(b"fLaC..."), kind_of(b"notes")
        ('flac', '')
    """
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    for start, kind in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b".snd", "au"), (b"ID3", "mp3")):
        if head.startswith(start):
            return kind
    return "mp3" if _is_mp3_frame(head) else ""


def _is_mp3_frame(head: bytes) -> bool:
    """Whether bytes are the header of a frame of MPEG audio, layer III: two alone begin texts in UTF-16 too."""
    return (
        len(head) > 2
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[1] & 0x18 != 0x08
        and head[2] & 0xF0 != 0xF0
        and head[2] & 0x0C != 0x0C
    )
