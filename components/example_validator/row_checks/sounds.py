"""Sounds: undecodable, of another rate or length, silent, clipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from headrace.components.example_validator.row_checks.check import (
    Found,
    Noter,
    RowCheck,
    Scanned,
    over_share,
)
from headrace.errors import DefinitionError
from headrace.quality import features, sounds, survey
from headrace.quality.sounds import Sound
from headrace.quality.survey import Survey

_SAMPLES, _RATE = "audio", "rate"
_UNDECODABLE = "undecodable"


class Sounds(RowCheck):
    """The check `sounds`."""

    def __init__(self, spec: Mapping[str, Any], found: Survey, where: str) -> None:
        super().__init__(spec, found, where)
        self._feature = self._find_feature(found)
        self._is_encoded = found.kinds.get(self._feature) not in (survey.FLOAT, survey.INTEGER)
        self._rate_feature = ""
        if isinstance(spec["rate"], str):
            found.check_names([spec["rate"]], self.where)
            self._rate_feature = spec["rate"]
        elif spec["rate"] is None and not self._is_encoded and _RATE in found.kinds:
            self._rate_feature = _RATE
        if spec["seconds"] and not (self._is_encoded or self._rate_feature or spec["rate"]):
            raise DefinitionError(
                f"{self.where}: seconds is {spec['seconds']!r}, and nothing says the rate of the samples.",
                "give rate=, a number or the feature that holds it.",
            )

    def _find_feature(self, found: Survey) -> str:
        feature = self.spec["feature"]
        if feature is None and not found.of_kind(survey.SOUND) and found.kinds.get(_SAMPLES) == survey.FLOAT:
            return _SAMPLES
        if feature is not None and found.kinds.get(feature) == survey.FLOAT:
            return str(feature)
        return found.the_one(survey.SOUND, feature, self.where)

    def note(self, batch: pa.RecordBatch, noter: Noter) -> None:
        """Measure each sound."""
        for row, sound in enumerate(self._sounds(batch)):
            if isinstance(sound, str):
                noter.note(row, _UNDECODABLE, sound)
                continue
            if sound.rate:
                noter.note(row, ("rate", sound.rate), f"{sound.rate:,} samples in a second")
            for key, words in self._problems(sound):
                noter.note(row, key, words)

    def _sounds(self, batch: pa.RecordBatch) -> Iterator[Sound | str]:
        if self._is_encoded:
            for values in features.bytes_of(batch, self._feature):
                yield sounds.decode(values[0]) if values else "no sound"
            return
        column = features.column_of(batch, self._feature)
        rates = features.column_of(batch, self._rate_feature) if self._rate_feature else None
        fixed = self.spec["rate"] if isinstance(self.spec["rate"], int) else 0
        for row in range(batch.num_rows):
            samples = None if column is None else column[row].values
            if samples is None or not len(samples):
                yield "no samples"
                continue
            rate = fixed if rates is None else next(iter(rates[row].as_py() or [0]))
            yield Sound(np.asarray(samples.to_numpy(zero_copy_only=False), np.float32), int(rate))

    def _problems(self, sound: Sound) -> Iterator[tuple[str, str]]:
        limits = self.spec["seconds"]
        if limits and not limits[0] <= sound.seconds <= limits[1]:
            yield "length", f"{sound.seconds:.3g} seconds"
        if sound.loudness_db < self.spec["silence_db"]:
            yield "silent", f"{sound.loudness_db:.0f} dB"
        if sound.clipped_share > self.spec["clipped"]:
            yield "clipped", f"{100 * sound.clipped_share:.2g} % of samples"

    def conclude(self, scanned: Scanned) -> Found:
        """Say what is above the share allowed; rates are compared with that of most sounds."""
        rates: Counter[int] = Counter()
        for split in scanned.splits:
            for key, number in scanned.tally(split).counts.items():
                if isinstance(key, tuple):
                    rates[key[1]] += number
        asked = self.spec["rate"] if isinstance(self.spec["rate"], int) else None
        expected = asked or max(rates, key=lambda one: (rates[one], one), default=0)
        limits = self.spec["seconds"] or [0, 0]
        rules: list[tuple[Any, str, str, bool]] = [
            (_UNDECODABLE, "Undecodable sounds", "not to be decoded", True),
            ("length", "Unexpected length", f"not of {limits[0]:g} to {limits[1]:g} seconds", True),
            ("silent", "Silent sounds", f"below {self.spec['silence_db']:g} dB of full scale", False),
            (
                "clipped",
                "Clipped sounds",
                f"at the ends of their range in more than {100 * self.spec['clipped']:g} % of samples",
                False,
            ),
        ]
        rules += [
            (
                ("rate", rate),
                "Unexpected rate",
                f"of {rate:,} samples in a second, and not {expected:,}",
                True,
            )
            for rate in sorted(rates)
            if rate != expected
        ]
        for split in scanned.splits:
            for key, problem, text, is_error in rules:
                yield from over_share(
                    self,
                    scanned,
                    split,
                    key,
                    self._feature,
                    problem,
                    text,
                    is_error=is_error,
                    reason="UNEXPECTED_DATA_TYPE",
                    always=key == _UNDECODABLE,
                )
