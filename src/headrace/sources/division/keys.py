"""What is kept of each row in the first pass, a few bytes; gathered batch by batch by the one who reads a part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.sources.division.row_hashes import list_lengths

# A class or group: a value, or several, or none.
Label: TypeAlias = "bytes | int | float | tuple[bytes | int | float, ...] | None"
# The number of each row, and whether it has one.
Numbers: TypeAlias = "tuple[NDArray[Any], NDArray[np.bool_]]"


# Stands in a message where the number of the row among all rows belongs, which is known when all are counted.
ROW = "\0"


@dataclass
class Fault:
    """The first row of a part that cannot be divided.

    Attributes:
        row: Its position in the part.
        problem: What is wrong, with `ROW` in it.
        fix: What to do.
    """

    row: int
    problem: str
    fix: str


@dataclass(frozen=True)
class Coded:
    """The class or group of each row of a part.

    Attributes:
        codes: For each row the position of its value in `labels`; `None` where all are numbers.
        labels: The different values.
        numbers: The number of each row, and 0 where it has none.
        has_number: Whether it has one.
    """

    codes: NDArray[np.int32] | None = None
    labels: list[Label] = field(default_factory=list)
    numbers: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.int64))
    has_number: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def as_codes(self) -> tuple[NDArray[np.int64], list[Label]]:
        """Return codes and labels, of numbers too."""
        return (self.codes.astype(np.int64), self.labels) if self.codes is not None else united([self])


@dataclass(frozen=True)
class Keys:
    """What is kept of the rows of one part.

    Attributes:
        num_rows: How many there are; of a part with a fault, up to the batch with it.
        values: The class or group of each row.
        hashes: A hash of each row's content.
        times: The time of each row, and 0 where it has none.
        has_time: Whether it has one.
        is_text: Whether the times were texts.
        has_feature: Whether some row has the feature that decides.
        names: The features that there are.
        fault: What stopped the gathering.
        digest: The `ValueDigest` of the feature that decides.
    """

    num_rows: int
    values: Coded = field(default_factory=Coded)
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    times: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.int64))
    has_time: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    is_text: bool = False
    has_feature: bool = True
    names: tuple[str, ...] = ()
    fault: Fault | None = None
    digest: int = 0


class Coder:
    """Numbers the different values of a feature in the order in which they are met; numbers stay what they are."""

    def __init__(self) -> None:
        self._codes_of: dict[Label, int] = {}
        self._codes: list[NDArray[np.int32]] = []
        # As long as all values are numbers; then `_codes` stays empty.
        self._numbers: list[Numbers] | None = []

    def add(self, column: pa.Array, *, is_combined: bool, where: str) -> None:
        """Take the values of a batch.

        Args:
            column: A column of lists, or of null type.
            is_combined: Whether several values in a row count as one; else they are a fault.
            where: The way to divide, for messages.

        Raises:
            FaultyRow: If a row has several values and they are not to be combined.
        """
        lengths = (
            list_lengths(column) if not pa.types.is_null(column.type) else np.zeros(len(column), np.int64)
        )
        if (lengths > 1).any():
            row = int(np.flatnonzero(lengths > 1)[0])
            if not is_combined or pa.types.is_floating(column.type.value_type):
                raise FaultyRow(
                    row,
                    f"{where}: row {ROW} has {lengths[row]} values.",
                    "name a feature with one value in each row.",
                )
            self._code(np.array([self._code_of(_label(values)) for values in column.to_pylist()], np.int32))
            return
        numbers = _numbers(column, lengths == 1)
        if numbers is None:
            self._code(self._coded_texts(column, lengths == 1))
        elif self._numbers is None:
            self._codes.append(self._coded_numbers(numbers))
        else:
            self._numbers.append(numbers)

    def _code(self, codes: NDArray[np.int32]) -> None:
        """Keep the codes of a batch that is not of numbers; those before it need codes, too."""
        if self._numbers is not None:
            before, self._numbers = self._numbers, None
            self._codes = [self._coded_numbers(numbers) for numbers in before]
        self._codes.append(codes)

    def _coded_texts(self, column: pa.Array, has_value: NDArray[np.bool_]) -> NDArray[np.int32]:
        encoded = column.flatten().dictionary_encode()
        codes = np.array([self._code_of(label) for label in encoded.dictionary.to_pylist()], np.int32)
        found = np.full(len(column), -1, np.int32)
        found[has_value] = codes[encoded.indices.to_numpy(zero_copy_only=False)]
        if not has_value.all():
            found[~has_value] = self._code_of(None)
        return found

    def _coded_numbers(self, numbers: Numbers) -> NDArray[np.int32]:
        labels = (
            value if is_there else None for value, is_there in zip(numbers[0].tolist(), numbers[1].tolist())
        )
        return np.array([self._code_of(label) for label in labels], np.int32)

    def _code_of(self, label: Label) -> int:
        return self._codes_of.setdefault(label, len(self._codes_of))

    def values(self) -> Coded:
        """Return the values of all batches."""
        if self._numbers is None:
            return Coded(np.concatenate([np.zeros(0, np.int32), *self._codes]), list(self._codes_of))
        values = [one for one, _ in self._numbers]
        has_value = [one for _, one in self._numbers]
        kind = np.result_type(*values) if values else np.int64
        return Coded(
            numbers=np.concatenate([np.zeros(0, kind), *values]),
            has_number=np.concatenate([np.zeros(0, np.bool_), *has_value]),
        )


def _numbers(column: pa.Array, has_value: NDArray[np.bool_]) -> Numbers | None:
    """Return the numbers of a column with one value at most in each row; `None` of a column of texts."""
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.int64), has_value
    values = column.flatten()
    if pa.types.is_integer(values.type):
        values = values.cast(pa.int64())
    elif not pa.types.is_floating(values.type):
        return None
    found = values.to_numpy(zero_copy_only=False)
    if found.dtype.kind == "f":
        # What is no number is as good as missing.
        is_nan = np.isnan(found)
        has_value[np.flatnonzero(has_value)[is_nan]] = False
        found = found[~is_nan].astype(np.float64)
    numbers = np.zeros(len(column), found.dtype)
    numbers[has_value] = found
    return numbers, has_value


class FaultyRow(Exception):
    """A row that cannot be divided.

    Args:
        row: Its position in the batch.
        problem: See `Fault`.
        fix: See `Fault`.
    """

    def __init__(self, row: int, problem: str, fix: str) -> None:
        super().__init__(row, problem, fix)
        self.row, self.problem, self.fix = row, problem, fix


def _label(values: list[Any] | None) -> Label:
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


def united(parts: Sequence[Coded]) -> tuple[NDArray[np.int64], list[Label]]:
    """Return the codes of the rows of all parts, and the labels that they stand for, in the order of `sorted_labels`."""
    if all(part.codes is None for part in parts):
        has_number = np.concatenate([part.has_number for part in parts])
        values = np.concatenate([part.numbers for part in parts])
        found, places = np.unique(values[has_number], return_inverse=True)
        numbered = np.full(len(values), len(found), np.int64)
        numbered[has_number] = places
        return numbered, [*found.tolist(), *([] if has_number.all() else [None])]
    coded = [part.as_codes() for part in parts]
    labels = sorted_labels({label for _, of_part in coded for label in of_part})
    numbers = {label: number for number, label in enumerate(labels)}
    codes = [
        np.array([numbers[label] for label in of_part], np.int64)[codes]
        for codes, of_part in coded
        if len(codes)
    ]
    return np.concatenate([np.zeros(0, np.int64), *codes]), labels


def sorted_labels(labels: Iterable[Label]) -> list[Label]:
    """Return labels in an order that hangs on them alone: numbers, texts, combinations, and none at all."""

    known = list(labels)
    return [
        *sorted(label for label in known if isinstance(label, (int, float))),
        *sorted(label for label in known if isinstance(label, bytes)),
        *sorted((label for label in known if isinstance(label, tuple)), key=label_text),
        *(label for label in known if label is None),
    ]


def label_text(label: Label) -> str:
    """Return how a label is written."""
    if label is None:
        return "(none)"
    if isinstance(label, bytes):
        return label.decode("utf-8", "backslashreplace")
    if isinstance(label, tuple):
        return ", ".join(map(label_text, label))
    # With the digits of the 32 bits in which floats are kept.
    return str(np.float32(label)) if isinstance(label, float) else str(label)


def as_texts(values: pa.Array) -> pa.Array:
    """Return bytes as text; what is no UTF-8 is written with backslashes."""
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([label_text(value) for value in values.to_pylist()], pa.string())


def first_missing(column: pa.Array) -> int | None:
    """Return the position of the first cell without a value; of floats, NaN is none either."""
    if pa.types.is_null(column.type):
        return 0 if len(column) else None
    lengths = list_lengths(column)
    is_missing = lengths == 0
    if pa.types.is_floating(column.type.value_type):
        is_nan = np.isnan(column.flatten().to_numpy(zero_copy_only=False))
        is_missing[np.repeat(np.arange(len(column)), lengths)[is_nan]] = True
    return int(np.argmax(is_missing)) if is_missing.any() else None
