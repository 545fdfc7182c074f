"""Sounds: decoded, or why not; length, loudness and clipping measured."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from headrace.quality import sounds

_RATE = 8000


def _tone(seconds: float = 0.5, volume: float = 0.5) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return (volume * np.sin(np.arange(int(seconds * _RATE)) / 5)).astype(np.float32)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_an_encoded_sound_is_measured(kind: str) -> None:
    out = io.BytesIO()
    soundfile.write(out, np.stack([_tone(), _tone()], axis=1), _RATE, format=kind)
    found = sounds.decode(out.getvalue())

    assert sounds.looks_like_one(out.getvalue())
    assert isinstance(found, sounds.Sound)
    assert found.rate == _RATE
    assert found.seconds == pytest.approx(0.5)
    assert found.loudness_db == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.2)
    assert found.clipped_share == 0


@pytest.mark.parametrize("data", [b"", b"no sound", b"RIFF....WAVEfmt broken"])
def test_what_cannot_be_decoded_says_why(data: bytes) -> None:
    found = sounds.decode(data)

    assert isinstance(found, str)
    assert found == sounds.problem(data)
    assert found.startswith("it has no bytes" if not data else "it cannot be decoded: ")


def test_silence_and_clipping() -> None:
    silent = sounds.Sound(np.zeros(100, np.float32), _RATE)
    clipped = sounds.Sound(np.clip(_tone(volume=3), -1, 1), _RATE)

    assert silent.loudness_db == -200
    assert sounds.Sound(np.zeros(0, np.float32), 0).seconds == 0
    assert clipped.clipped_share > 0.5
