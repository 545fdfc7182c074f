"""Apply the finished SavedModel to all rows: Beam stage that writes Examples and gathers statistics."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.transform.background import Behind
from headrace.components.transform.composites import RecordColumns
from headrace.components.transform.layout import InputLayout, to_tensors
from headrace.components.transform.model import SavedFunction
from headrace.components.transform.request import OUTPUT_PREFIX, Dataset
from headrace.components.transform.tft_internals import impl_helper
from headrace.components.transform.tft_library import tfdv
from headrace.errors import UserFunctionError
from headrace.files.prefetch import prefetched
from headrace.formats.examples import example_encoder, tfrecord
from headrace.runtime.context import ExecutionContext
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread
from headrace.statistics import text_lengths
from headrace.statistics.accumulation import SplitAccumulator, SplitState


@dataclass(frozen=True)
class Application:
    """How rows are transformed.

    Attributes:
        model_path: The finished SavedModel.
        layout: Columns to read.
        schema: Schema of the result, in serialized form.
        options: Statistics to gather; `None` for none.
        is_local: Whether only this process can do it.
    """

    model_path: str
    layout: InputLayout
    schema: bytes
    options: tfdv.StatsOptions | None
    is_local: bool = False


@dataclass
class Applied:
    """What was transformed: rows per split, and what is known of the features made.

    Attributes:
        num_rows: By split.
        statistics: Of the features made.
        displaced: Sparse outputs with gaps between the values of a row: records keep values, and no places.
    """

    num_rows: dict[str, int]
    statistics: SplitState = field(default_factory=SplitState)
    displaced: set[str] = field(default_factory=set)


def apply(
    pipeline: beam.Pipeline,
    context: ExecutionContext,
    datasets: Sequence[Dataset],
    results: SharedFolder[Applied],
    *,
    application: Application,
) -> None:
    """Add the transformation of `datasets` to a pipeline; each file leaves an `Applied`."""
    files = [
        (dataset.split, path, dataset.payload, _output_file(dataset, index))
        for dataset in datasets
        for index, path in enumerate(dataset.files)
    ]
    step = _TransformFile(application, results, context.progress)
    _ = (
        pipeline
        | "Files" >> beam.Create(list(enumerate(files)), reshuffle=len(files) > 1)
        | "Transform" >> beam.ParDo(Spread(step, context.side_processes, is_local=application.is_local))
    )


def merge(parts: Iterable[Applied], options: tfdv.StatsOptions | None) -> Applied:
    """What was transformed in all."""
    merged = Applied({})
    statistics = []
    for part in parts:
        for split, count in part.num_rows.items():
            merged.num_rows[split] = merged.num_rows.get(split, 0) + count
        statistics.append(part.statistics)
        merged.displaced |= part.displaced
    if options is not None:
        merged.statistics = SplitAccumulator(options).merge(statistics)
    return merged


def _output_file(dataset: Dataset, index: int) -> str:
    if not dataset.output_path:
        return ""
    name = f"{OUTPUT_PREFIX}-{index:05d}-of-{len(dataset.files):05d}.gz"
    return os.path.join(dataset.output_path, name)


class _TransformFile(beam.DoFn):
    """Transforms one file into one file."""

    def __init__(self, application: Application, results: SharedFolder[Applied], progress: Progress) -> None:
        self._progress = progress
        self._application = application
        self._results = results

    def setup(self) -> None:
        """Load the model once per worker."""
        text_lengths.install()
        application = self._application
        schema = schema_pb2.Schema.FromString(application.schema)
        self._adapter = application.layout.adapter()
        self._function = SavedFunction(application.model_path).load(list(application.layout.representations))
        self._converter = impl_helper.make_tensor_to_arrow_converter(schema)
        self._record_columns = RecordColumns(schema)
        self._statistics = SplitAccumulator(application.options) if application.options else None

    def process(self, element: tuple[int, tuple[str, str, str, str]]) -> None:
        index, (split, path, payload, output_file) = element
        applied = Applied({split: 0})
        if output_file:
            os.makedirs(os.path.dirname(output_file), exist_ok=True)
            with tfrecord.Writer(output_file) as writer:

                def write(batch: pa.RecordBatch) -> None:
                    writer.write(self._encode(batch))

                with Behind(write) as sink:
                    for batch in self._transformed(path, payload, applied, split):
                        sink.put(batch)
        else:
            for _ in self._transformed(path, payload, applied, split):
                pass
        self._results.keep(index, applied)

    def _encode(self, batch: pa.RecordBatch) -> list[bytes]:
        """Serialize rows as tf.Examples."""
        return example_encoder.encode(self._record_columns.of(batch)).to_pylist()

    def _transformed(self, path: str, payload: str, applied: Applied, split: str) -> Iterator[pa.RecordBatch]:
        layout = self._application.layout
        for batch in prefetched(layout.read_file(path, payload)):
            tensors = self._function(to_tensors(self._adapter, layout, batch))
            _check_rows(tensors, batch.num_rows)
            applied.displaced |= _displaced(tensors)
            transformed = self._converter.convert(tensors)
            yield transformed
            if self._statistics is not None:
                self._statistics.add(applied.statistics, transformed)
            applied.num_rows[split] += batch.num_rows
            self._progress.add_rows(batch.num_rows)


def _displaced(tensors: Mapping[str, Any]) -> set[str]:
    """Names of the sparse tensors of two dimensions in which a row's values are not at places 0, 1, 2..."""
    found = set()
    for name, tensor in tensors.items():
        indices = (
            np.asarray(tensor.indices)
            if isinstance(tensor, (tf.SparseTensor, tf.compat.v1.SparseTensorValue))
            else None
        )
        if indices is None or indices.shape[1] != 2 or not len(indices):
            continue
        rows, places = indices[:, 0], indices[:, 1]
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        expected = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
        if (places != expected).any():
            found.add(name)
    return found


def _check_rows(tensors: Mapping[str, Any], num_rows: int) -> None:
    """Raise unless each output has one row for each row that went in."""
    for name, tensor in tensors.items():
        shape = tensor.dense_shape if hasattr(tensor, "dense_shape") else tf.shape(tensor)
        if int(shape[0]) != num_rows:
            raise UserFunctionError(
                f"preprocessing_fn made {int(shape[0]):,} rows of output '{name}' from {num_rows:,} rows.",
                f"return one row for each row of the inputs in '{name}'; tf.sparse.reset_shape, for one, drops "
                "the last rows where these are empty.",
            )
