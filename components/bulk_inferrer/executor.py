"""Executor of BulkInferrer: one Beam element is a file of examples, one call of the model a batch of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from tensorflow_serving.apis import prediction_log_pb2
from tfx.components.bulk_inferrer import prediction_to_example_utils
from tfx.proto import bulk_inferrer_pb2
from tfx.utils import path_utils

from headrace.authoring import Artifact
from headrace.components.bulk_inferrer import inference
from headrace.errors import DataError
from headrace.files import create_file, open_file
from headrace.formats import artifacts, blessings, predictions
from headrace.formats.examples import example_encoder, tfrecord
from headrace.formats.examples import examples as examples_io
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder

EXAMPLES_NAME = "examples"
BATCH_ROWS = 4096
_BATCH_BYTES = 32 << 20


@dataclass(frozen=True)
class Part:
    """A file of examples, and the file that its predictions go to before they are joined."""

    source_path: str
    payload: str
    part_path: str
    split: str


class Executor(BeamExecutor):
    """Predicts for examples; see `headrace.components.bulk_inferrer.component.BulkInferrer`."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill the output that the node has: `inference_result` or `output_examples`."""
        output_key = "inference_result" if context.optional_output("inference_result") else "output_examples"
        blessing = context.optional_input("model_blessing")
        if blessing is not None and not blessings.allows(blessing):
            context.summarize(output_key, "no predictions: the model is not blessed")
            return
        data_spec = context.proto_parameter("data_spec", bulk_inferrer_pb2.DataSpec)
        parts = _parts(context, data_spec.example_splits)
        num_predictions = self._predict(context, parts)
        if output_key == "inference_result":
            _join(parts, predictions.log_path(context.output(output_key).uri))
        else:
            output = context.output(output_key)
            splits = sorted({part.split for part in parts})
            for split in splits:
                path = os.path.join(artifacts.new_split_folder(output.uri, split), EXAMPLES_NAME)
                _join([part for part in parts if part.split == split], path)
            output.split_names = artifacts.encode_split_names(splits)
        context.summarize(output_key, f"{num_predictions:,} predictions")

    def _predict(self, context: ExecutionContext, parts: Sequence[Part]) -> int:
        """Write the predictions of each part; return how many there are."""
        model = context.input("model")
        path = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
        spec = context.proto_parameter("model_spec", bulk_inferrer_pb2.ModelSpec)
        names, tags = list(spec.model_signature_name), list(spec.tag)
        inference.check_signatures(path, names, tags, context.node_id)
        output_spec = None
        if context.optional_output("output_examples") is not None:
            proto = context.proto_parameter("output_example_spec", bulk_inferrer_pb2.OutputExampleSpec)
            output_spec = proto.SerializeToString()
        stage = f"{context.node_id}: Beam stage 'Predict'"
        num_rows: SharedFolder[int] = SharedFolder.make(context.tmp_path, stage, len(parts))
        predict = _PredictFile(path, names, tags, output_spec, context.node_id, num_rows, context.progress)
        context.progress.report("predicting")
        with self.beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(list(enumerate(parts)), reshuffle=len(parts) > 1)
                | "Predict" >> beam.ParDo(predict)
            )
        return sum(num_rows.read())


def _parts(context: ExecutionContext, wanted: Sequence[str]) -> list[Part]:
    """Return the files to predict for, in order of artifacts, splits and names.

    Raises:
        UnknownSplitError: If no artifact has a wanted split.
    """
    parts: list[Part] = []
    for artifact in context.inputs["examples"]:
        artifacts.check_splits(artifact, wanted, context.node_id)
        for split in artifacts.split_names(artifact):
            if wanted and split not in wanted:
                continue
            parts += _split_parts(artifact, split, context.tmp_path, len(parts))
    return parts


def _split_parts(artifact: Artifact, split: str, tmp_path: str, first: int) -> list[Part]:
    payload = artifacts.payload_format(artifact)
    return [
        Part(path, payload, os.path.join(tmp_path, f"part-{first + number:05}.gz"), split)
        for number, path in enumerate(artifacts.split_files(artifact, split))
    ]


class _PredictFile(beam.DoFn):
    """Writes the predictions for one file; the model is loaded once in each worker."""

    def __init__(
        self,
        path: str,
        names: list[str],
        tags: list[str],
        output_spec: bytes | None,
        node_id: str,
        num_rows: SharedFolder[int],
        progress: Progress,
    ) -> None:
        self._num_rows = num_rows
        self._progress = progress
        self._arguments = (path, names, tags, node_id)
        self._output_spec_bytes = output_spec
        self._node_id = node_id

    def setup(self) -> None:
        self._predictor = inference.Predictor(*self._arguments)
        self._output_spec = None
        if self._output_spec_bytes is not None:
            self._output_spec = bulk_inferrer_pb2.OutputExampleSpec.FromString(self._output_spec_bytes)

    def process(self, element: tuple[int, Part]) -> None:
        index, part = element
        num_rows = 0
        with tfrecord.Writer(part.part_path) as writer:
            for records in _read(part):
                logs = self._predictor.predict(records)
                if self._output_spec is not None:
                    logs = [self._as_example(log) for log in logs]
                writer.write(logs)
                num_rows += len(records)
                self._progress.add_rows(len(records))
        if not num_rows:
            # TensorFlow takes an empty gzip member among others for the end of the file.
            os.truncate(part.part_path, 0)
        # Last: who finds it finds the predictions too.
        self._num_rows.keep(index, num_rows)

    def _as_example(self, log: bytes) -> bytes:
        proto = prediction_log_pb2.PredictionLog.FromString(log)
        try:
            example = prediction_to_example_utils.convert(proto, self._output_spec)
        except (ValueError, AssertionError) as error:
            raise DataError(
                f"{self._node_id}: a prediction does not fit output_example_spec: {str(error)[:500]}",
                "name outputs that the model has and columns that the examples do not have.",
            ) from error
        return bytes(example.SerializeToString(deterministic=True))


def _read(part: Part) -> Iterator[list[bytes]]:
    if part.payload != "FORMAT_PARQUET":
        yield from tfrecord.read_batches(part.source_path, BATCH_ROWS, _BATCH_BYTES)
        return
    for batch in examples_io.read_file(part.source_path, part.payload, batch_rows=BATCH_ROWS):
        yield example_encoder.encode(batch).to_pylist()


def _join(parts: Sequence[Part], path: str) -> None:
    """Write the parts one behind another: gzip files joined are a gzip file of the joined content."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    path = f"{path}-00000-of-00001.gz"
    with create_file(path) as joined:
        for part in parts:
            with open_file(part.part_path) as file:
                shutil.copyfileobj(file, joined, 1 << 20)
            os.remove(part.part_path)
        is_empty = not joined.tell()
    if is_empty:
        with tfrecord.Writer(path) as writer:
            writer.write([])
