"""Read sounds: samples of one channel, resampled, cut and filled up as asked for."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS
from headrace.sources.labelled.labelled_reader import Decoded, LabelledReader, NotDecodedError
from headrace.sources.sounds import sound_ends, sound_kinds

# As 32-bit floats a quarter of what a record can hold.
_MAX_SAMPLES = 128 << 20
_BLOCK_FRAMES = 1 << 20


class SoundReader(LabelledReader):
    """Reads sounds.

    Args:
        rate: Samples a second that each is brought to, or `None`.
        seconds: The length that each is brought to, or `None`.
        with_label: Whether folders are classes.
        keep_encoded: Whether the file's bytes are kept in the place of samples.
    """

    SUFFIXES: ClassVar[tuple[str, ...]] = sound_kinds.SUFFIXES
    NOT_READ: ClassVar[Mapping[str, str]] = sound_kinds.NOT_READ
    ITEM: ClassVar[str] = "sound"

    def __init__(
        self, rate: int | None, seconds: float | None, *, with_label: bool, keep_encoded: bool
    ) -> None:
        super().__init__(with_label=with_label)
        self._rate = rate
        self._seconds = seconds
        self._keep_encoded = keep_encoded

    @property
    def features(self) -> dict[str, str]:
        """The features of each example."""
        audio = BYTES if self._keep_encoded else FLOATS
        return {"audio": audio, "rate": INTEGERS, "channels": INTEGERS, "duration": FLOATS}

    def kind_of(self, head: bytes) -> str:
        """Return the format."""
        return sound_kinds.kind_of(head)

    def decode(self, data: bytes, name: str) -> Decoded:
        """Return the sound's samples, or its bytes where they are kept, and what it is."""
        suffix = os.path.splitext(name.lower())[1]
        kind = sound_kinds.kind_of(data)
        is_named = suffix in sound_kinds.SUFFIXES_OF[kind]
        notes = [] if is_named else ["extension not that of the content"]
        if sound_ends.is_cut(kind, data):
            raise NotDecodedError("cannot be decoded: its end is missing")
        try:
            with soundfile.SoundFile(io.BytesIO(data)) as file:
                return self._decoded(file, data, notes)
        except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
            text = str(error).rpartition(": ")[2].rstrip(".")
            raise NotDecodedError(f"cannot be decoded: {text}") from error

    def _decoded(self, file: soundfile.SoundFile, data: bytes, notes: list[str]) -> Decoded:
        rate, channels = int(file.samplerate), int(file.channels)
        if self._keep_encoded:
            num_frames = sum(len(block) for block in _blocks(file))
            _check_whole(file, num_frames)
            return Decoded(_values(data, rate, channels, num_frames / rate), notes)
        samples = self._samples(file)
        if channels > 1:
            notes.append("mixed to one channel")
        duration = len(samples) / rate
        if self._rate is not None and rate != self._rate:
            samples = _resampled(samples, rate, self._rate)
            notes.append("resampled")
            rate = self._rate
        if self._seconds is not None:
            samples = _fitted(samples, round(self._seconds * rate), notes)
            duration = len(samples) / rate
        return Decoded(_values(samples, rate, channels, duration), notes)

    def _samples(self, file: soundfile.SoundFile) -> NDArray[Any]:
        """Read one channel, the mean of all; of a sound that is cut, little more than what stays."""
        limit = _MAX_SAMPLES
        if self._seconds is not None:
            # The filter of the resampling looks ahead by ten periods of the lower rate.
            ahead = 32 * math.ceil(max(1.0, file.samplerate / (self._rate or file.samplerate)))
            limit = min(limit, math.ceil(self._seconds * file.samplerate) + ahead)
        parts: list[NDArray[Any]] = []
        num_frames = 0
        for block in _blocks(file):
            # Of whole numbers the mean of the channels is exact in double.
            mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float64)
            parts.append(mono.astype(np.float32))
            num_frames += len(block)
            if num_frames > limit and self._seconds is not None:
                return np.concatenate(parts)[: limit + 1]
            if num_frames > limit:
                raise NotDecodedError(
                    f"has more than {_MAX_SAMPLES:,} samples: cut it, or ask for its first seconds="
                )
        _check_whole(file, num_frames)
        return np.concatenate(parts)


def _blocks(file: soundfile.SoundFile) -> Any:
    while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
        yield block


def _check_whole(file: soundfile.SoundFile, num_frames: int) -> None:
    if not num_frames:
        raise NotDecodedError("holds no samples")
    # Of streams whose header does not tell, soundfile says the largest number there is.
    if num_frames < file.frames < 1 << 62:
        raise NotDecodedError(f"is truncated: {num_frames:,} of {file.frames:,} samples are there")


def _values(audio: Any, rate: int, channels: int, duration: float) -> dict[str, Any]:
    return {"audio": audio, "rate": rate, "channels": channels, "duration": duration}


def _resampled(samples: NDArray[Any], rate: int, wanted: int) -> NDArray[Any]:
    """Bring samples to another rate with SciPy's polyphase filter."""
    from scipy import signal

    common = math.gcd(rate, wanted)
    made: NDArray[Any] = signal.resample_poly(samples, wanted // common, rate // common)
    return made.astype(np.float32)


def _fitted(samples: NDArray[Any], num: int, notes: list[str]) -> NDArray[Any]:
    """Cut samples at the end, or fill them up with silence."""
    if len(samples) > num:
        notes.append("cut")
        return samples[:num]
    if len(samples) < num:
        notes.append("filled up with silence")
        return np.pad(samples, (0, num - len(samples)))
    return samples
