"""The rows that a model is trained on, in memory where they fit, else streamed from their files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.authoring import Artifact
from headrace.formats import artifacts
from headrace.formats.examples import examples as examples_io
from headrace.runtime.progress import Progress
from headrace.training.augmentation import Augmenter, Batch
from headrace.training.balance import Balance, copies, resampled_order
from headrace.training.parsing import Columns, LabelRange, Parser

# Beyond this, rows stay in their files and are shuffled within blocks.
MAX_BYTES_IN_MEMORY = 1 << 30
BLOCK_ROWS = 16_384
_STREAMED_BLOCKS_AHEAD = 2
# More than the blocks of any pass, so that each block of each pass has a number of its own.
_MAX_BLOCKS = 1 << 32

# AutoGraph would rewrite the source of each function that a dataset maps, 50 ms each; these need none of it.
_as_it_is = tf.autograph.experimental.do_not_convert


@dataclass(frozen=True)
class Rows:
    """The rows of one or more splits.

    Attributes:
        num_rows: 1 or more.
        label: The label's name; it is one of the columns.
        label_range: What its values are like.
        columns: All rows, or `None` where they stay in their files.
        blocks: Makes an iterator that reads the rows from their files again.
        signature: Shape and type of the columns of a block.
    """

    num_rows: int
    label: str
    label_range: LabelRange
    columns: Columns | None
    blocks: Callable[[], Iterator[Columns]]
    signature: dict[str, tf.TensorSpec]

    @property
    def bytes_per_row(self) -> int:
        """About how much memory a row takes, 1 or more; a string counts as its first 24 bytes."""
        specs = self.signature.values()
        return sum(math.prod(size or 1 for size in spec.shape) * (spec.dtype.size or 24) for spec in specs)

    def steps(self, batch_size: int) -> int:
        """Return the number of training batches in one pass; the last one may be smaller."""
        return -(-self.num_rows // batch_size)

    def batches(
        self,
        batch_size: int,
        arrange: Callable[[Columns], Any],
        seed: int,
        balance: Balance | None = None,
        augmenter: Augmenter | None = None,
        first: int = 0,
    ) -> tf.data.Dataset:
        """Return endless batches of `(inputs, label)` to train on: every row once in each pass, in a new random order.

        A pass has `steps(batch_size)` batches, of which the last may be smaller; the shape that TensorFlow knows
        allows for that, so that the training step is compiled once. In memory the order is that of all rows;
        streamed, rows are shuffled within blocks.

        Args:
            batch_size: Rows in a batch, before the augmenter sees it.
            arrange: Puts the features in the form that the model takes.
            seed: Of the order.
            balance: With weights: batches are `(inputs, label, weights)`. Resampled: as many rows of each class are
                in a pass of as many rows as there are, so that not every row is in every pass.
            augmenter: Changes each batch.
            first: The number of the batch to begin with, as if those before it had been taken.
        """
        batch_size = min(batch_size, self.num_rows)
        resampled = balance if balance is not None and balance.is_resampled else None
        passes, skipped = divmod(first, self.steps(batch_size))
        if self.columns is not None:
            dataset = self._shuffled(batch_size, seed, resampled, passes).skip(skipped)
        elif resampled is None:
            dataset = self._streamed(batch_size, seed, resampled, passes).skip(skipped)
        else:
            # How many batches a pass has is known only when it was drawn.
            dataset = self._streamed(batch_size, seed, resampled, 0).skip(first)
        if balance is None and augmenter is None:
            dataset = dataset.map(self._pair(arrange), num_parallel_calls=2)
        else:
            weighted = balance if resampled is None else None
            change = self._changed(arrange, weighted, augmenter)
            dataset = dataset.enumerate(first).map(change, num_parallel_calls=2)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def class_counts(self) -> dict[float, int]:
        """Return how many rows have each value of the label; streamed rows are read once for it."""
        found: Counter[float] = Counter()
        for columns in [self.columns] if self.columns is not None else self.blocks():
            values, counts = np.unique(columns[self.label].numpy(), return_counts=True)
            found.update(dict(zip(values.tolist(), counts.tolist())))
        return dict(found)

    def batches_once(self, batch_size: int, arrange: Callable[[Columns], Any]) -> tf.data.Dataset:
        """Return batches of `(inputs, label)` in the order of the files, the last one perhaps smaller."""
        if self.columns is None:
            dataset = self._read_blocks().prefetch(_STREAMED_BLOCKS_AHEAD).rebatch(batch_size)
        else:
            dataset = tf.data.Dataset.from_tensors(self.columns).rebatch(batch_size)
        dataset = dataset.map(self._pair(arrange)).prefetch(tf.data.AUTOTUNE)
        # Keras takes the end of a dataset of unknown length for a mistake, and warns.
        return dataset.apply(tf.data.experimental.assert_cardinality(-(-self.num_rows // batch_size)))

    def _pair(self, arrange: Callable[[Columns], Any]) -> Callable[[Columns], tuple[Any, tf.Tensor]]:
        @_as_it_is
        def pair(columns: Columns) -> tuple[Any, tf.Tensor]:
            inputs = {name: value for name, value in columns.items() if name != self.label}
            return arrange(inputs), columns[self.label]

        return pair

    def _changed(
        self, arrange: Callable[[Columns], Any], balance: Balance | None, augmenter: Augmenter | None
    ) -> Callable[[tf.Tensor, Columns], tuple[Any, ...]]:
        @_as_it_is
        def changed(number: tf.Tensor, columns: Columns) -> tuple[Any, ...]:
            inputs = {name: value for name, value in columns.items() if name != self.label}
            label = columns[self.label]
            batch = Batch(inputs, label, None if balance is None else balance.row_weights(label))
            if augmenter is not None:
                batch = augmenter.apply(batch, number)
            weights = () if batch.weights is None else (batch.weights,)
            return (arrange(batch.columns), batch.label, *weights)

        return changed

    def _shuffled(
        self, batch_size: int, seed: int, resampled: Balance | None, passes: int
    ) -> tf.data.Dataset:
        columns, num_rows, steps = self.columns or {}, self.num_rows, self.steps(batch_size)
        size = None if num_rows % batch_size else batch_size

        @_as_it_is
        def epoch(number: tf.Tensor) -> tf.data.Dataset:
            if resampled is None:
                order = _permutation(num_rows, seed, number)
            else:
                places = resampled.class_places(columns[self.label])
                order = resampled_order(places, resampled, num_rows, _key(seed, number))

            @_as_it_is
            def batch(step: tf.Tensor) -> Columns:
                return _take(columns, order[step * batch_size : (step + 1) * batch_size], size)

            return tf.data.Dataset.range(steps).map(batch)

        return tf.data.Dataset.counter(passes).flat_map(epoch)

    def _streamed(
        self, batch_size: int, seed: int, resampled: Balance | None, passes: int
    ) -> tf.data.Dataset:
        is_even = self.num_rows % batch_size == 0

        @_as_it_is
        def epoch(number: tf.Tensor) -> tf.data.Dataset:
            @_as_it_is
            def shuffle(block: tf.Tensor, columns: Columns) -> Columns:
                number_of_block = number * _MAX_BLOCKS + block
                if resampled is not None:
                    key = _key(seed, number_of_block)
                    drawn = copies(resampled.class_places(columns[self.label]), resampled, key)
                    return _take(columns, tf.random.experimental.stateless_shuffle(drawn, key), None)
                rows = tf.shape(next(iter(columns.values())))[0]
                return _take(columns, _permutation(rows, seed, number_of_block), None)

            shuffled = self._read_blocks().enumerate().map(shuffle).prefetch(_STREAMED_BLOCKS_AHEAD)
            return shuffled if resampled is not None else shuffled.rebatch(batch_size, drop_remainder=is_even)

        endless = tf.data.Dataset.counter(passes).flat_map(epoch)
        # How many rows are drawn in a pass differs, so batches go on over its end.
        return endless.rebatch(batch_size, drop_remainder=True) if resampled is not None else endless

    def _read_blocks(self) -> tf.data.Dataset:
        return tf.data.Dataset.from_generator(self.blocks, output_signature=self.signature)


def _permutation(num_rows: Any, seed: int, number: tf.Tensor) -> tf.Tensor:
    return tf.random.experimental.stateless_shuffle(tf.range(num_rows), seed=_key(seed, number))


def _key(seed: int, number: tf.Tensor) -> tf.Tensor:
    return tf.stack([tf.constant(seed, tf.int64), tf.cast(number, tf.int64)])


def _take(columns: Columns, rows: tf.Tensor, count: int | None) -> Columns:
    taken = {}
    for name, column in columns.items():
        taken[name] = tf.gather(column, rows)
        taken[name].set_shape([count, *column.shape[1:]])
    return taken


def read(
    examples: Sequence[Artifact],
    splits: Sequence[str],
    reader: Any,
    names: Iterable[str],
    label: str,
    node_id: str,
    progress: Progress,
) -> Rows:
    """Read the splits of the examples.

    Args:
        examples: Examples artifacts; the rows of all are used.
        splits: Names of splits that each of them has.
        reader: What parses their records; see `readers`.
        names: The features to read, without the label.
        label: The label's name.
        node_id: The node, for messages.
        progress: Gets the rows that are read.

    Raises:
        UnknownSplitError: If an artifact has no such split.
        EmptyDataError: If there is no row.
        SchemaMismatchError: If a record does not hold what the schema says.
        DataError: If the label is missing from a row.
    """
    for artifact in examples:
        artifacts.check_splits(artifact, splits, node_id)
    parser = Parser(reader, [*names, label], label, f"{node_id}: split {' and '.join(map(repr, splits))}")

    def blocks() -> Iterator[Columns]:
        for artifact in examples:
            for split in splits:
                for records in examples_io.read_records(artifact, split, BLOCK_ROWS):
                    yield parser.parse(records)

    kept: list[Columns] | None = []
    num_rows = num_bytes = 0
    sizes: dict[str, list[int]] = {}
    for columns in blocks():
        _note_sizes(sizes, columns, reader.features)
        rows = int(columns[label].shape[0])
        num_rows += rows
        num_bytes += sum(_bytes(column) for column in columns.values())
        progress.add_rows(rows)
        if num_bytes > MAX_BYTES_IN_MEMORY:
            kept = None
        if kept is not None:
            kept.append(columns)
    parser.check_label(num_rows)
    return Rows(
        num_rows=num_rows,
        label=label,
        label_range=parser.label_range(),
        columns=None if kept is None else _concatenate(kept, sizes, reader.features),
        blocks=lambda: (_padded(columns, sizes, reader.features) for columns in blocks()),
        signature=parser.signature(),
    )


def _bytes(column: tf.Tensor) -> int:
    # A short string lies in its 24 bytes; a longer one is counted by a sample's length.
    count = int(tf.size(column))
    if column.dtype != tf.string:
        return count * int(column.dtype.size)
    sample = tf.strings.length(tf.reshape(column, [-1])[:1000])
    return count * (24 + int(tf.reduce_mean(sample)) if count else 0)


def _note_sizes(sizes: dict[str, list[int]], columns: Columns, features: Any) -> None:
    """Widen `sizes`, by name, to the blocks of columns whose rows differ in length."""
    for name, column in columns.items():
        if None in features[name].shape:
            found = [int(size) for size in column.shape[1:]]
            sizes[name] = [max(pair) for pair in zip(found, sizes.get(name, found))]


def _padded(columns: Columns, sizes: dict[str, list[int]], features: Any) -> Columns:
    """Pad columns whose rows differ in length to the longest row of all blocks."""
    padded = dict(columns)
    for name, wanted in sizes.items():
        missing = [[0, size - int(has)] for size, has in zip(wanted, columns[name].shape[1:])]
        padded[name] = tf.pad(columns[name], [[0, 0], *missing], constant_values=features[name].default)
    return padded


def _concatenate(blocks: list[Columns], sizes: dict[str, list[int]], features: Any) -> Columns:
    """Join blocks column by column."""
    joined = {}
    for name in list(blocks[0]):
        widths = {name: sizes[name]} if name in sizes else {}
        parts = [_padded({name: block.pop(name)}, widths, features)[name] for block in blocks]
        joined[name] = tf.concat(parts, axis=0) if len(parts) > 1 else parts[0]
    return joined
