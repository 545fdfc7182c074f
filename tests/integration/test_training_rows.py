"""The batches that a model is trained on: every row once in each pass, whatever the batch size and reader."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from data_validation import example
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.models import readers
from headrace.models.features import from_schema
from headrace.runtime.progress import Progress
from headrace.testing import make_examples
from headrace.training import datasets, fitting, short_form
from headrace.training.datasets import Rows
from headrace.training.parsing import LabelRange


def rows(number: int, *, is_streamed: bool, block: int = 40) -> Rows:
    """Rows 0, 1, 2..., in memory or in blocks."""
    values = np.arange(number, dtype="float32").reshape(-1, 1)
    columns = {"x": tf.constant(values), "y": tf.constant(values % 2)}
    signature = {name: tf.TensorSpec([None, 1], value.dtype) for name, value in columns.items()}

    def blocks() -> Any:
        for start in range(0, number, block):
            yield {name: value[start : start + block] for name, value in columns.items()}

    label = LabelRange("float32", 0, 1, is_whole=True)
    return Rows(number, "y", label, None if is_streamed else columns, blocks, signature)


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("number", "batch_size", "steps", "last", "known"),
    [
        (1_119, 256, 5, 95, None),
        (100, 32, 4, 4, None),
        (100, 25, 4, 25, 25),
        (81, 40, 3, 1, None),
        (7, 32, 1, 7, 7),
        (1, 5, 1, 1, 1),
    ],
)
def test_every_row_is_in_every_pass_once_and_in_a_new_order(
    is_streamed, number, batch_size, steps, last, known
):
    """The last batch holds what is left; its size is open to TensorFlow, so that nothing is traced again."""
    data = rows(number, is_streamed=is_streamed)
    batches = data.batches(batch_size, lambda columns: columns["x"], seed=1)

    assert data.steps(batch_size) == steps
    assert batches.element_spec[0].shape.as_list() == [known, 1]
    arrivals, orders = iter(batches), set()
    for _ in range(3):
        made = [next(arrivals)[0].numpy().ravel() for _ in range(steps)]
        assert [len(one) for one in made] == [min(batch_size, number)] * (steps - 1) + [last]
        assert sorted(np.concatenate(made)) == list(range(number))
        orders.add(tuple(np.concatenate(made)))
    assert len(orders) == (3 if number > 1 else 1)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_hundred_epochs_are_five_hundred_steps_traced_once(is_streamed):
    """1,119 rows in batches of 256: five steps an epoch; the training step is compiled once."""
    traced = []

    class Traced(keras.layers.Layer):
        def call(self, x: Any, training: bool = False) -> Any:
            traced.append(training)
            return x

    keras.utils.set_random_seed(1)
    inputs = keras.Input((1,), name="x")
    model = keras.Model({"x": inputs}, keras.layers.Dense(1)(Traced()(inputs)))
    data = rows(1_119, is_streamed=is_streamed, block=500)
    short_form.compile_if_needed(model, data.label_range, {"learning_rate": 1e-6}, "Trainer")
    settings = short_form.Settings("Trainer", ("train",), ("eval",), None, None, 256, 100, 0, 1)
    outcome = fitting.fit(
        model,
        (data, rows(10, is_streamed=False)),
        settings,
        {"epochs": 100 if not is_streamed else 3},
        progress=Progress(),
        is_row_wise=True,
    )

    assert outcome.steps == (500 if not is_streamed else 15)
    # TensorFlow traces a function that makes variables twice at its first call, and never again.
    assert traced.count(True) <= 2


def test_num_steps_stay_what_was_asked_for():
    """Steps are counted over all epochs, and the smaller last batch is one of them."""
    inputs = keras.Input((1,), name="x")
    model = keras.Model({"x": inputs}, keras.layers.Dense(1)(inputs))
    data = rows(100, is_streamed=False)
    short_form.compile_if_needed(model, data.label_range, {}, "Trainer")
    settings = short_form.Settings("Trainer", ("train",), ("eval",), 7, None, 32, None, 5, 1)

    assert fitting.fit(model, (data, data), settings, {}, progress=Progress(), is_row_wise=True).steps == 7


def test_streamed_rows_of_several_lengths_are_padded_alike(tmp_path, monkeypatch):
    """Blocks whose longest rows differ are batched together, with the values that reading at once gives."""
    schema = schema_pb2.Schema()
    for name, kind in (("x", schema_pb2.FLOAT), ("y", schema_pb2.INT)):
        feature = schema.feature.add(name=name, type=kind)
        feature.value_count.min = 0 if name == "x" else 1
        feature.value_count.max = 0 if name == "x" else 1
    records = [example(x=[float(row)] * (1 + row // 10), y=[row % 2]) for row in range(40)]
    given = make_examples(tmp_path, {"train": [records[:20], records[20:]]})
    reader = readers.ExampleReader(from_schema(schema))
    monkeypatch.setattr(datasets, "BLOCK_ROWS", 8)

    found = {}
    for name, limit in (("memory", 1 << 30), ("streamed", 1)):
        monkeypatch.setattr(datasets, "MAX_BYTES_IN_MEMORY", limit)
        data = datasets.read([given], ["train"], reader, ["x"], "y", "Trainer", Progress())
        batches = data.batches_once(7, lambda columns: columns["x"])
        found[name] = np.concatenate([inputs for inputs, _ in batches])
        trained = data.batches(7, lambda columns: columns["x"], seed=1).take(data.steps(7))
        assert sorted(map(tuple, np.concatenate([inputs for inputs, _ in trained]))) == sorted(
            map(tuple, found[name])
        )

    assert found["memory"].shape == (40, 4)
    np.testing.assert_array_equal(found["memory"], found["streamed"])
