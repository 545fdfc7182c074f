"""What a pandas DataFrame of the features would be, as tensors: named columns in a stated order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from headrace.errors import ModelError, did_you_mean, listed

# What stands for a missing value in a column of text, which is `None` in training. A missing number is NaN.
from headrace.models.missing import MISSING_TEXT as MISSING_TEXT


@dataclass(frozen=True)
class Block:
    """Columns of one type.

    Attributes:
        names: Of the columns; empty strings where they have none, as after most transformers.
        values: Of shape `(rows, len(names))`; float32, float64, int64 or string.
    """

    names: tuple[str, ...]
    values: tf.Tensor

    def take(self, places: Sequence[int]) -> Block:
        """Return some of its columns."""
        if list(places) == list(range(len(self.names))):
            return self
        names = tuple(self.names[place] for place in places)
        if list(places) == list(range(places[0], places[0] + len(places))):
            return Block(names, self.values[:, places[0] : places[0] + len(places)])
        return Block(names, tf.gather(self.values, list(places), axis=1))


class Table:
    """Columns side by side.

    Args:
        blocks: In the order of the columns.

    Example:
        >>> table = Table([Block(("age", "fare"), tf.constant([[1.0, 2.0]])), Block(("town",), tf.constant([[b"x"]]))])
        >>> table.select(["fare"]).matrix().numpy()
        array([[2.]])
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = tuple(block for block in blocks if block.names)

    @classmethod
    def of(cls, values: tf.Tensor, names: Sequence[str] | None = None, width: int | None = None) -> Table:
        """Return a table of one matrix, whose columns may have no names."""
        count = width if width is not None else int(values.shape[1])
        return cls([Block(tuple(names) if names is not None else ("",) * count, values)])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(itertools.chain.from_iterable(block.names for block in self.blocks))

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.names)

    def select(self, columns: Sequence[str] | Sequence[int]) -> Table:
        """Return some columns by names or positions, in the order given.

        Raises:
            ModelError: If there is no such column.
        """
        names = self.names
        places = []
        for column in columns:
            if isinstance(column, str):
                if column not in names:
                    raise ModelError(
                        f"there is no column '{column}'. There are {listed(names)}.",
                        f"{did_you_mean(column, names)}Correct the name in build_model.",
                    )
                places.append(names.index(column))
            else:
                places.append(range(len(names))[int(column)])
        return Table(self._blocks_of(places))

    def _blocks_of(self, places: Iterable[int]) -> list[Block]:
        owners = [
            (number, place) for number, block in enumerate(self.blocks) for place in range(len(block.names))
        ]
        runs = itertools.groupby((owners[place] for place in places), key=lambda owner: owner[0])
        return [self.blocks[number].take([place for _, place in run]) for number, run in runs]

    def matrix(self, dtype: tf.DType = tf.float64) -> tf.Tensor:
        """Return all columns as one matrix of numbers, of shape `(rows, width)`.

        Raises:
            ModelError: If a column is text.
        """
        texts = [name for block in self.blocks if block.values.dtype == tf.string for name in block.names]
        if texts and dtype != tf.string:
            raise ModelError(
                f"column {listed(texts)} is text, where numbers are needed.",
                "encode it before, such as with OneHotEncoder in a ColumnTransformer, or make numbers of it in "
                "preprocessing_fn.",
            )
        parts = [tf.cast(block.values, dtype) for block in self.blocks]
        matrix = parts[0] if len(parts) == 1 else tf.concat(parts, axis=1)
        return tf.ensure_shape(matrix, [None, self.width])

    def __add__(self, other: Table) -> Table:
        """Return the columns of both side by side."""
        return Table([*self.blocks, *other.blocks])


def from_columns(columns: Mapping[str, tf.Tensor], names: Iterable[str]) -> Table:
    """Return the features of dense batches, by name, as a table.

    Args:
        columns: Of shape `(rows, ...)` with known sizes.
        names: The features in their order. One with k values in a row gives the columns `name_0` to `name_{k-1}`.
    """
    blocks = []
    for name in names:
        value = columns[name]
        width = 1
        for size in value.shape[1:]:
            width *= int(size)
        blocks.append(Block(column_names(name, width), tf.reshape(value, [-1, width])))
    return Table(blocks)


def column_names(feature: str, width: int) -> tuple[str, ...]:
    """Return the names of the columns of a feature with `width` values in a row."""
    return (feature,) if width == 1 else tuple(f"{feature}_{number}" for number in range(width))
