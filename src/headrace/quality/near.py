"""Near duplicates: rows that are alike in the eyes of a person, by one of three measures.

- texts: the Jaccard similarity of their sets of 5 characters, estimated by MinHash
- pictures: the number of bits in which their perceptual hashes differ
- numbers: equal after rounding to significant digits, with all other features equal
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.quality import features, groups, hamming, pictures, survey, texts
from headrace.quality.groups import Mask, Rows
from headrace.quality.row_digests import Compared, RowValues
from headrace.quality.survey import Survey


class Measure(abc.ABC):
    """A measure of nearness.

    Attributes:
        words: What it says of near rows, such as `"similarity of texts 0.8 or more"`.
    """

    words: str

    @abc.abstractmethod
    def scan(self, batch: pa.RecordBatch) -> tuple[NDArray[Any], Mask]:
        """Return what is kept of each row, and whether it can be near to others at all."""

    @abc.abstractmethod
    def firsts(self, kept: NDArray[Any], chosen: Mask) -> Rows:
        """Return for each chosen row the first that it is near to; see `groups.first_near`."""


class Texts(Measure):
    """Texts whose sets of 5 characters have a Jaccard similarity of at least `similarity`."""

    def __init__(self, feature: str, similarity: float) -> None:
        self._feature = feature
        self._similarity = similarity
        self.words = f"'{feature}' is similar by {similarity:g} or more (MinHash of 5 characters)"

    def scan(self, batch: pa.RecordBatch) -> tuple[NDArray[Any], Mask]:
        """Signatures; an empty text is near to none."""
        found = [text or "" for text in features.texts_of(batch, self._feature)]
        return texts.signatures(found), np.array([bool(text.strip()) for text in found], bool)

    def firsts(self, kept: NDArray[Any], chosen: Mask) -> Rows:
        """Compare texts that share a band of their signatures."""
        num_bands, width = texts.bands(self._similarity)
        # Odd factors: a sum of products modulo 2**64 tells bands apart nearly always, and what it mixes up is compared.
        factors = np.random.default_rng(1).integers(1, 1 << 63, width, np.uint64) | np.uint64(1)
        bands = (
            (np.asarray(kept[:, at * width : (at + 1) * width], np.uint64) * factors).sum(1, dtype=np.uint64)
            for at in range(num_bands)
        )
        return groups.first_near(bands, chosen, lambda a, b: self.similarity(kept[a], kept[b]))

    def similarity(self, a: NDArray[Any], b: NDArray[Any]) -> bool:
        """Whether two signatures are near."""
        return float(np.mean(a == b)) >= self._similarity


class Pictures(Measure):
    """Pictures whose perceptual hashes differ in at most `distance` of 64 bits."""

    def __init__(self, feature: str, distance: int) -> None:
        self._feature = feature
        self._distance = distance
        self.words = f"'{feature}' differs in {distance} of 64 bits or fewer (perceptual hash)"

    def scan(self, batch: pa.RecordBatch) -> tuple[NDArray[Any], Mask]:
        """Hashes; what cannot be decoded, and a picture of one colour, is near to none."""
        hashes = [_hash(values) for values in features.bytes_of(batch, self._feature)]
        valid = np.array([one is not None for one in hashes], bool)
        return np.array([one or 0 for one in hashes], np.uint64), valid

    def firsts(self, kept: NDArray[Any], chosen: Mask) -> Rows:
        """Look hashes up by several parts of them."""
        return hamming.first_near(np.asarray(kept, np.uint64), chosen, self._distance)


class Numbers(Measure):
    """Rows whose floats are equal after rounding to `digits` significant digits, and all else is equal."""

    def __init__(self, compared: Compared, digits: int) -> None:
        self._compared = compared
        self._digits = digits
        self.words = f"numbers are equal in {digits} significant digits"

    def scan(self, batch: pa.RecordBatch) -> tuple[NDArray[Any], Mask]:
        """Digests of the rounded rows."""
        found = RowValues(batch, self._compared, self._digits).digests()
        return found, np.ones(batch.num_rows, bool)

    def firsts(self, kept: NDArray[Any], chosen: Mask) -> Rows:
        """Rows of one digest are near."""
        return groups.first_equal(np.asarray(kept), chosen)


def _hash(values: Sequence[bytes]) -> int | None:
    image = pictures.decode(values[0]) if values else ""
    return None if isinstance(image, str) else pictures.perceptual_hash(image)


def measures(
    specs: Sequence[Mapping[str, Any]] | None, found: Survey, compared: Compared, where: str
) -> list[Measure]:
    """Return the measures that are asked for, or those that fit the features.

    Args:
        specs: As `headrace.checks.near_texts` and its like make them; `None` for those that fit: pictures where there
            are some, else texts, else numbers.
        found: What the features hold.
        compared: The features that count where rows are compared.
        where: The node, for messages.

    Raises:
        DefinitionError: If a feature is not there, or holds something else.
    """
    if specs is None:
        specs = [_fitting(found, compared)]
    return [_measure(spec, found, compared, where) for spec in specs]


def _fitting(found: Survey, compared: Compared) -> dict[str, Any]:
    for kind, limit in ((survey.IMAGE, {"distance": 4}), (survey.TEXT, {"similarity": 0.8})):
        names = [name for name in found.of_kind(kind) if compared.counts(name)]
        if len(names) == 1:
            return {"kind": kind, "feature": names[0], **limit}
    return {"kind": "numbers", "digits": 3}


def _measure(spec: Mapping[str, Any], found: Survey, compared: Compared, where: str) -> Measure:
    kind = str(spec["kind"])
    if kind == "numbers":
        names = spec.get("features")
        found.check_names(names or (), where)
        return Numbers(Compared(tuple(names)) if names else compared, int(spec["digits"]))
    feature = found.the_one(kind, spec.get("feature"), where)
    if kind == survey.IMAGE:
        return Pictures(feature, int(spec["distance"]))
    return Texts(feature, float(spec["similarity"]))
