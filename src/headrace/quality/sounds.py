"""Sounds: whether encoded ones can be decoded, and what is measured of samples."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STARTS = (b"fLaC", b"OggS", b"FORM", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
# From here on a sample is at the end of its range.
_CLIPPED = 0.999
_SILENT_DB = -200.0


@dataclass(frozen=True)
class Sound:
    """Samples of a sound.

    Attributes:
        samples: Of one channel, or the mean of several; -1 to 1.
        rate: Samples in a second; 0 where it is not known.
    """

    samples: NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        """Its length; 0 where the rate is not known."""
        return len(self.samples) / self.rate if self.rate else 0.0

    @property
    def loudness_db(self) -> float:
        """The root mean square in decibels below full scale, -200 for silence."""
        if not len(self.samples):
            return _SILENT_DB
        power = float(np.mean(np.square(self.samples, dtype=np.float64)))
        return max(10 * float(np.log10(power)), _SILENT_DB) if power > 0 else _SILENT_DB

    @property
    def clipped_share(self) -> float:
        """The share of its samples at the ends of their range."""
        return float(np.mean(np.abs(self.samples) >= _CLIPPED)) if len(self.samples) else 0.0


def looks_like_one(data: bytes) -> bool:
    """Whether bytes begin as a WAV, FLAC, Ogg, AIFF or MP3 file does."""
    return data.startswith(_STARTS) or (data[:4] == b"RIFF" and data[8:12] == b"WAVE")


def decode(data: bytes) -> Sound | str:
    """Return the samples of an encoded sound, or why it cannot be decoded."""
    import soundfile

    if not data:
        return "it has no bytes"
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (RuntimeError, ValueError, TypeError) as error:
        return f"it cannot be decoded: {str(error).rpartition(': ')[2].rstrip('.')}"
    return Sound(samples.mean(axis=1), int(rate))


def problem(data: bytes) -> str:
    """Return why a sound cannot be decoded; empty where it can."""
    found = decode(data)
    return found if isinstance(found, str) else ""
