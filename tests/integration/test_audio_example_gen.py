"""AudioExampleGen: the samples of soundfile, resampled as SciPy does it, and every file accounted for."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from conftest_example_gen import data, run
from scipy import signal
from test_image_example_gen import rows_of, summary

from headrace.components import AudioExampleGen
from headrace.components.example_gen.source_executor import Executor
from headrace.errors import DefinitionError
from headrace.formats import quarantine
from headrace.sources.labelled.labelled_reader import NotDecodedError
from headrace.sources.sounds.sound_reader import SoundReader

_ = (data,)  # fixtures
RATE = 8_000


def sound(seconds=0.5, channels=1, rate=RATE):
    """A tone for each channel."""
    times = np.arange(int(seconds * rate)) / rate
    tones = [0.4 * np.sin(2 * np.pi * 440 * (channel + 1) * times) for channel in range(channels)]
    return np.stack(tones, axis=1)


def encoded(samples, kind, rate=RATE, **options):
    """The bytes of a sound's file."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind, **options)
    return out.getvalue()


def reader(rate=None, seconds=None, *, keep_encoded=False):
    """What reads sounds."""
    return SoundReader(rate, seconds, with_label=False, keep_encoded=keep_encoded)


KINDS = {
    "wav": {"subtype": "PCM_16"},
    "wav of 24 bits": {"subtype": "PCM_24"},
    "wav of floats": {"subtype": "FLOAT"},
    "flac": {},
    "ogg": {},
    "aiff": {},
    "au": {},
    "mp3": {},
}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", list(KINDS))
def test_samples_are_those_of_soundfile(kind, channels):
    """Of several channels the mean."""
    name = kind.split()[0]
    content = encoded(sound(channels=channels), name.upper(), **KINDS[kind])

    made = reader().decode(content, f"x.{name}")

    expected, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    mean = expected.mean(axis=1, dtype=np.float64).astype(np.float32)
    # The decoder of MP3 rounds by how much is read at a time.
    np.testing.assert_allclose(made.values["audio"], mean, rtol=0, atol=1e-6 if name == "mp3" else 0)
    assert made.values["audio"].dtype == np.float32
    assert (made.values["rate"], made.values["channels"]) == (rate, channels)
    assert made.values["duration"] == len(expected) / rate
    assert made.notes == (["mixed to one channel"] if channels > 1 else [])


def test_another_rate_is_that_of_scipy():
    content = encoded(sound(rate=11_025), "WAV", 11_025)

    made = reader(RATE).decode(content, "x.wav").values

    given, _rate = soundfile.read(io.BytesIO(content), dtype="float32")
    expected = signal.resample_poly(given, 320, 441).astype(np.float32)
    np.testing.assert_array_equal(made["audio"], expected)
    assert (made["rate"], made["duration"]) == (RATE, len(given) / 11_025)


@pytest.mark.parametrize("rate", [None, 4_000, 16_000, 11_025])
@pytest.mark.parametrize("seconds", [0.1, 0.5, 2])
def test_a_length_cuts_or_fills_up(rate, seconds):
    """What is cut is what the whole would begin with, though less of the file is read."""
    content = encoded(sound(1.0), "WAV")

    made = reader(rate, seconds).decode(content, "x.wav")

    whole = reader(rate).decode(content, "x.wav").values["audio"]
    num = round(seconds * (rate or RATE))
    expected = np.pad(whole[:num], (0, max(0, num - len(whole))))
    np.testing.assert_allclose(made.values["audio"], expected, atol=1e-6)
    assert made.values["duration"] == num / (rate or RATE)
    assert ("filled up with silence" if seconds > 1 else "cut") in made.notes


def test_encoded_sounds_stay_as_they_are():
    content = encoded(sound(), "FLAC")

    made = reader(keep_encoded=True).decode(content, "x.flac").values

    assert made == {"audio": content, "rate": RATE, "channels": 1, "duration": 0.5}


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "aiff", "au"])
@pytest.mark.parametrize("keep_encoded", [False, True])
def test_a_truncated_sound_is_refused(kind, keep_encoded):
    content = encoded(sound(20.0), kind.upper())
    with pytest.raises(NotDecodedError):
        reader(keep_encoded=keep_encoded).decode(content[: len(content) // 2], f"x.{kind}")


def test_every_file_is_read_or_set_aside_or_no_sound(data, tmp_path):
    for label in ("sí", "不"):
        (data / label).mkdir()
        for number in range(4):
            (data / label / f"{number}.wav").write_bytes(encoded(sound(0.1 + number / 10), "WAV"))
    (data / "sí" / "really_flac.wav").write_bytes(encoded(sound(), "FLAC"))
    (data / "sí" / "empty.wav").write_bytes(b"")
    (data / "sí" / "silent.wav").write_bytes(encoded(sound(0), "WAV"))
    (data / "sí" / "phone.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    (data / "sí" / "notes.txt").write_text("not to be heard")

    component = AudioExampleGen(str(data), rate=4_000, seconds=0.25, on_error="quarantine")
    examples = run(Executor, component, tmp_path / "out")

    rows = rows_of(examples)
    assert len(rows) == 9
    assert {len(row["audio"]) for row in rows.values()} == {1_000}
    assert rows["不/3.wav"]["label"] == ["不".encode()]
    assert {item.source.rpartition("/")[2]: item.reason for item in quarantine.read(examples.uri)} == {
        "empty.wav": "is empty",
        "silent.wav": "holds no samples",
        "phone.m4a": "is no sound that is read: convert it to WAV or FLAC",
    }
    assert summary(examples).partition("quarantine; ")[2] == (
        "files found: 13, resampled: 9, filled up with silence: 4, cut: 5, other files: 1, "
        "extension not that of the content: 1"
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"rate": 0}, "AudioExampleGen: rate is 0."),
        ({"rate": 8000.0}, "AudioExampleGen: rate is 8000.0."),
        ({"seconds": 0}, "AudioExampleGen: seconds is 0."),
        ({"seconds": float("inf")}, "AudioExampleGen: seconds is inf."),
        (
            {"keep_encoded": True, "seconds": 1},
            "AudioExampleGen: keep_encoded leaves the file's bytes as they are, and rate or seconds would change them.",
        ),
        (
            {"label": "word"},
            "AudioExampleGen: label is 'word', which is the column of a table, and no table is given.",
        ),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, problem):
    with pytest.raises(DefinitionError) as caught:
        AudioExampleGen("words", **options)

    assert caught.value.problem == problem
