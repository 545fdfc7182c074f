"""What the texts and pictures of a split are like, taken batch by batch and merged part by part.

A sample of the values of each feature of text or bytes is kept, of which what takes time is told at the end. Which of
the features hold texts is decided there too, as `default_preprocessing` decides it: a column of a few words is none.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.features.roles import is_language
from headrace.formats.contents import Contents, PictureDescription, TextDescription, Three
from headrace.quality import pictures, texts
from headrace.quality.pictures import Header
from headrace.quality.value_samples import Limit, ValueSample

MAX_SAMPLED = 4_000
# A tenth to a quarter of a second; a share of a language is right to seven in a hundred.
MAX_TOLD = 200
# So many tell whether a feature holds language at all.
_MAX_LOOKED_AT = 500
# What all features of a split hold together.
_MAX_HELD_BYTES = 64 << 20
# Small parts keep so many anyway.
_MIN_SAMPLED = 256
# Of a longer text, words and language are those of its first characters.
_MAX_CHARACTERS = 100_000
_MAX_CHARACTERS_TOLD = 1_000
_HEADER_BYTES = 100
# So many values tell whether bytes are mostly texts.
_FEW = 100
_MAX_FREQUENT, _MAX_SIZES = 20, 8
# Less probable than that, no language is clear.
_CLEAR = 0.5
_UNCLEAR = "und"

_T = TypeVar("_T")


@dataclass
class FeatureContents:
    """What is known of the values of one feature; picklable.

    Attributes:
        sample: Some of them: a text, a picture's `Header`, or `None` for other bytes.
        num_texts: Values that are UTF-8.
        shortest, longest: Their characters.
    """

    sample: ValueSample = field(default_factory=ValueSample)
    num_texts: int = 0
    shortest: int | None = None
    longest: int = 0

    def add_lengths(self, lengths: Any) -> None:
        """Add the lengths of texts, in characters."""
        if len(lengths):
            found = pc.min_max(lengths).as_py()
            self._widen(len(lengths), found["min"], found["max"])

    def merge(self, other: FeatureContents, limit: Limit) -> None:
        """Add what is known of other values."""
        self.sample.merge(other.sample, limit)
        if other.shortest is not None:
            self._widen(other.num_texts, other.shortest, other.longest)

    def _widen(self, count: int, low: int, high: int) -> None:
        self.num_texts += count
        self.shortest = low if self.shortest is None else min(self.shortest, low)
        self.longest = max(self.longest, high)


ContentsByFeature = dict[str, FeatureContents]


class ContentsKeeper:
    """Keeps what is known of texts and pictures.

    Args:
        names: The features to look at; empty for all.
        share: Share of the split's data that is added, above 0 and at most 1: of a part no more is kept than about
            twice what it gives to the sample of all.
        first: Place of the first value among all of the data; see `ValueSample`.
    """

    def __init__(self, names: Iterable[str] = (), share: float = 1.0, first: int = 0) -> None:
        self._names = frozenset(names)
        self._share = share
        self._first = first

    def add(self, kept: ContentsByFeature, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch: lists of values, one list for each row and feature."""
        found = [
            (name, values)
            for name, column in zip(batch.schema.names, batch.columns)
            if (not self._names or name in self._names) and (values := _values(column)) is not None
        ]
        limit = self._limit(len({*kept, *(name for name, _ in found)}))
        for name, values in found:
            one = kept.setdefault(name, FeatureContents(ValueSample(self._first)))
            decoded = _as_texts(values)
            if decoded is None:
                one.sample.add(len(values), functools.partial(_taken_of_bytes, values), limit)
                one.add_lengths(_lengths_of_bytes(values))
            else:
                lengths = pc.utf8_length(decoded)
                one.sample.add(len(values), functools.partial(_taken_of_texts, decoded, lengths), limit)
                one.add_lengths(lengths)

    def merge(self, kept: ContentsByFeature, other: ContentsByFeature) -> None:
        """Add what another part kept; `other` is used up."""
        limit = self._limit(len({*kept, *other}))
        for name, one in other.items():
            if name in kept:
                kept[name].merge(one, limit)
            else:
                kept[name] = one

    def _limit(self, num_features: int) -> Limit:
        most = min(MAX_SAMPLED, max(math.ceil(2 * MAX_SAMPLED * self._share), _MIN_SAMPLED))
        return Limit(most, _MAX_HELD_BYTES // max(num_features, 1))


def _values(column: pa.Array) -> pa.Array | None:
    """Return the values of a feature of text or bytes; `None` for others."""
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    if pa.types.is_binary(kind.value_type) or pa.types.is_string(kind.value_type):
        wide = pa.large_binary()
    elif pa.types.is_large_binary(kind.value_type) or pa.types.is_large_string(kind.value_type):
        wide = kind.value_type
    else:
        return None
    return column.flatten().drop_null().cast(wide)


def _as_texts(values: pa.Array) -> pa.Array | None:
    """Return values as texts; `None` where one is no UTF-8, which the bytes of a picture never are."""
    try:
        return values.cast(pa.large_string())
    except pa.ArrowInvalid:
        return None


def _taken_of_texts(values: pa.Array, lengths: pa.Array, places: NDArray[np.int64]) -> list[tuple[Any, int]]:
    at = pa.array(places)
    found = values.take(at)
    if len(found) and pc.max(lengths).as_py() > _MAX_CHARACTERS:
        found = pc.utf8_slice_codeunits(found, 0, _MAX_CHARACTERS)
    return list(zip(found.to_pylist(), lengths.take(at).to_pylist()))


def _taken_of_bytes(values: pa.Array, places: NDArray[np.int64]) -> list[tuple[Any, int]]:
    found: list[tuple[Any, int]] = []
    for data in values.take(pa.array(places)).to_pylist():
        text = _decoded(data)
        if text is not None:
            found.append((text[:_MAX_CHARACTERS], len(text)))
        else:
            header = pictures.header(data) if pictures.looks_like_one(data) else None
            found.append((header, _HEADER_BYTES))
    return found


def _lengths_of_bytes(values: pa.Array) -> pa.Array:
    """Return how many characters each text among other bytes has; of files, which are large, none is looked at."""
    first = values.slice(0, _FEW).to_pylist()
    if 2 * sum(_decoded(value) is not None for value in first) <= len(first):
        return pa.array([], pa.int64())
    found = [len(text) for value in values.to_pylist() if (text := _decoded(value)) is not None]
    return pa.array(found, pa.int64())


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def described(kept: ContentsByFeature) -> Contents:
    """Return what is told of the features that hold texts or pictures, by name."""
    found_texts: dict[str, TextDescription] = {}
    found_pictures: dict[str, PictureDescription] = {}
    for name, one in kept.items():
        order = np.argsort(one.sample.numbers, kind="stable")
        values = [one.sample.values[at] for at in order[:MAX_SAMPLED]]
        seen_texts = [value for value in values if isinstance(value, str)]
        headers = [value for value in values if isinstance(value, Header)]
        if 2 * len(headers) > len(values):
            found_pictures[name] = _pictures(headers, len(values), one.sample.seen)
        elif 2 * len(seen_texts) > len(values) and (told := _texts(seen_texts, one)) is not None:
            found_texts[name] = told
    return Contents(found_texts, found_pictures)


def _texts(found: Sequence[str], one: FeatureContents) -> TextDescription | None:
    some = found[:_MAX_LOOKED_AT]
    mean_words = sum(len(texts.words(text)) for text in some) / len(some)
    if not is_language(mean_words, len(set(some)) / len(some)):
        return None
    words = [texts.words(text) for text in found]
    counts = [len(each) for each in words]
    vocabulary = Counter(word for each in words for word in each)
    languages, num_told = _languages([text for text, count in zip(found, counts) if count])
    middle = float(np.median([len(text) for text in found]))
    return TextDescription(
        count=one.num_texts,
        num_sampled=len(found),
        characters=(float(one.shortest or 0), middle, float(one.longest)),
        words=_three(counts),
        vocabulary=len(vocabulary),
        frequent=tuple(_most(vocabulary, _MAX_FREQUENT)),
        languages=languages,
        num_told=num_told,
    )


def _languages(found: Sequence[str]) -> tuple[dict[str, int], int]:
    told: Counter[str] = Counter()
    for text in found[:MAX_TOLD]:
        code, probability = texts.language(text[:_MAX_CHARACTERS_TOLD])
        told[code if probability >= _CLEAR else _UNCLEAR] += 1
    return dict(_most(told)), sum(told.values())


def _pictures(headers: Sequence[Header], num_sampled: int, count: int) -> PictureDescription:
    sizes = Counter(f"{one.width} x {one.height}" for one in headers)
    return PictureDescription(
        count=count,
        num_sampled=num_sampled,
        num_other=num_sampled - len(headers),
        formats=_counted(headers, lambda one: one.format),
        widths=_three([one.width for one in headers]),
        heights=_three([one.height for one in headers]),
        channels=_counted(headers, lambda one: str(one.channels)),
        sizes=tuple(_most(sizes, _MAX_SIZES)),
        num_sizes=len(sizes),
    )


def _counted(values: Iterable[_T], key: Callable[[_T], str]) -> dict[str, int]:
    return dict(_most(Counter(map(key, values))))


def _most(counts: Counter[str], limit: int | None = None) -> list[tuple[str, int]]:
    """Return the most frequent first, and of equals the first by name: whatever the order in which they were met."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:limit]


def _three(values: Sequence[int]) -> Three:
    return float(min(values)), float(np.median(values)), float(max(values))
