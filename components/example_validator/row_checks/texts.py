"""Texts: empty, too short or long, no UTF-8 or decoded wrongly, in another language, of unknown words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from headrace.components.example_validator.row_checks.check import (
    Found,
    Noter,
    RowCheck,
    Scanned,
    Tally,
    over_share,
)
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.quality import features, texts
from headrace.quality.survey import TEXT, Survey

_LEAST_LETTERS, _LEAST_WORDS, _LEAST_SIGNS = 20, 4, 8
_LEAST_PROBABILITY = 0.9
_MAX_WORDS = 1_000_000
_MAX_NAMED = 8
_WORDS = "words"
# Problem, whether it is an error, and the nearest of TFX's types.
_PROBLEMS = {
    "encoding": ("Not UTF-8", True, "ENUM_TYPE_INVALID_UTF8"),
    "mojibake": ("Decoded with the wrong encoding", False, "ENUM_TYPE_INVALID_UTF8"),
    "empty": ("Empty texts", False, "FEATURE_TYPE_NO_VALUES"),
    "short": ("Texts too short", False, "SEQUENCE_VALUE_TOO_FEW_OCCURRENCES"),
    "long": ("Texts too long", False, "SEQUENCE_VALUE_TOO_MANY_OCCURRENCES"),
    "language": ("Unexpected language", False, "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
}


class Texts(RowCheck):
    """The check `texts`."""

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        super().__init__(spec, survey, where)
        self._feature = survey.the_one(TEXT, spec["feature"], self.where)
        self._languages = spec["language"]
        for code in self._languages or ():
            known = texts.known_languages()
            if code not in known:
                raise DefinitionError(
                    f"{self.where}: language names '{code}', which py3langid does not tell. It tells {listed(known)}.",
                    f"{did_you_mean(code, known)}Give codes of ISO 639-1, such as 'es'.",
                )

    def note(self, batch: pa.RecordBatch, noter: Noter) -> None:
        """Look at each text, and count its words."""
        counter = noter.tally.more.setdefault(_WORDS, Counter())
        for row, values in enumerate(features.bytes_of(batch, self._feature)):
            for value in values:
                why = texts.problem(value)
                if why:
                    noter.note(row, "encoding", why, first=[self._feature])
                    break
            else:
                text = " ".join(value.decode("utf-8") for value in values)
                self._note_text(row, text, noter)
                if self.spec["out_of_vocabulary"] is not None and len(counter) < _MAX_WORDS:
                    counter.update(texts.words(text))

    def _note_text(self, row: int, text: str, noter: Noter) -> None:
        size, first = len(text), [self._feature]
        most = self.spec["max_length"]
        if not text.strip():
            noter.note(row, "empty", "no characters" if not text else f"{size} spaces", first=first)
            return
        if size < self.spec["min_length"]:
            noter.note(row, "short", f"{size:,} characters", first=first)
        if most is not None and size > most:
            noter.note(row, "long", f"{size:,} characters", first=first)
        if texts.is_mojibake(text):
            noter.note(row, "mojibake", first=first)
        if self._languages and _is_long_enough(text):
            code, probability = texts.language(text)
            if code not in self._languages and probability >= _LEAST_PROBABILITY:
                noter.note(row, "language", f"{code} ({probability:.2f})", first=first)

    def merge(self, tally: Tally, later: Tally, num_before: int) -> None:
        """Add the counts of words."""
        tally.more.setdefault(_WORDS, Counter()).update(later.more.get(_WORDS, Counter()))

    def conclude(self, scanned: Scanned) -> Found:
        """Say what is above the share allowed, and which words the baseline does not know."""
        spec = self.spec
        said = {
            "encoding": "not UTF-8",
            "mojibake": "decoded with the wrong encoding, or hold the sign for what could not be",
            "empty": "without any character but spaces",
            "short": f"shorter than {spec['min_length']:,} characters",
            "long": f"longer than {spec['max_length'] or 0:,} characters",
            "language": f"not in {' or '.join(self._languages or [])}",
        }
        for split in scanned.splits:
            for key, (problem, is_error, reason) in _PROBLEMS.items():
                yield from over_share(
                    self,
                    scanned,
                    split,
                    key,
                    self._feature,
                    problem,
                    said[key],
                    is_error=is_error,
                    reason=reason,
                    always=key == "encoding",
                )
        if spec["baseline"] in scanned.splits and spec["out_of_vocabulary"] is not None:
            yield from self._unknown_words(scanned)

    def _unknown_words(self, scanned: Scanned) -> Found:
        baseline, most = self.spec["baseline"], self.spec["out_of_vocabulary"]
        known = scanned.tally(baseline).more.get(_WORDS, Counter())
        for split in scanned.splits:
            words: Counter[str] = scanned.tally(split).more.get(_WORDS, Counter())
            total = sum(words.values())
            if split == baseline or not total:
                continue
            unknown = Counter({word: number for word, number in words.items() if word not in known})
            share = sum(unknown.values()) / total
            if share > most:
                names = ", ".join(f"'{word}'" for word, _ in unknown.most_common(_MAX_NAMED))
                yield (
                    split,
                    self.finding(
                        self._feature,
                        "Unknown words",
                        f"{100 * share:.1f} % of the words of split '{split}' do not occur in '{baseline}', more than "
                        f"{100 * most:g} %: {names}.",
                        is_error=False,
                        reason="ENUM_TYPE_UNEXPECTED_STRING_VALUES",
                    ),
                )


def _is_long_enough(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    if any("\u3040" <= sign <= "\u9fff" for sign in text):
        return letters >= _LEAST_SIGNS
    return letters >= _LEAST_LETTERS and len(texts.words(text)) >= _LEAST_WORDS
