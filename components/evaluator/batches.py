"""The Beam step that turns files of examples into metric accumulators per slice."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.evaluator import (
    batch_checks,
    classes,
    combiners,
    intervals,
    keras_metrics,
    pairs,
    predictions,
    ragged,
    slices,
    tfma_internals,
)
from headrace.components.evaluator.tfma_internals import constants, model_util, util
from headrace.files.prefetch import prefetched
from headrace.formats import tensorflow_paths
from headrace.formats.examples import examples as examples_io
from headrace.formats.tfx_bsl_internals import tensor_representation_util
from headrace.runtime.progress import Progress

tensorflow_paths.accept_any_folder()

# One call of the model for each batch. More rows per call are no faster, and outputs may be wide.
_BATCH_ROWS = 8_192

# A sample of a slice, its rows, and the accumulator of each computation.
SampleAccumulators = tuple[intervals.Sample, int, list[Any]]


@dataclass(frozen=True)
class FilePart:
    """One file of the examples.

    Attributes:
        index: Its place among all files.
        path: The file.
        payload: Its payload format.
    """

    index: int
    path: str
    payload: str


@dataclass(frozen=True)
class Evaluated:
    """What became of one file.

    Attributes:
        index: Its place among all files.
        num_rows: Its rows.
        accumulators: For each sample of each slice in it, how many rows were added to which accumulators.
        row_wise: The metrics whose rows TFMA added one by one.
    """

    index: int
    num_rows: int
    accumulators: list[SampleAccumulators]
    row_wise: tuple[str, ...] = ()


class EvaluateFile(beam.DoFn):
    """Predicts each batch of a file once, and adds its rows to the accumulators of their slices.

    Args:
        eval_config: With defaults filled in.
        models: Asks the models; `None` where predictions come with the data.
        computations: The non-derived computations of the metrics.
        schema: Of the examples; `None` where none is given.
        representations: Tensor representations from the schema, by feature; may be empty.
        wanted: Raw features that labels, weights and slices may need; `None` for all.
        sampling: Which samples of the rows are computed besides the rows themselves.
        class_names: Names of the classes 0, 1, 2 ..., where labels and predictions are names.
        progress: Gets the rows that are evaluated; nobody where left out.
    """

    def __init__(
        self,
        eval_config: Any,
        models: predictions.Predictions | None,
        computations: Sequence[Any],
        schema: schema_pb2.Schema | None,
        representations: Mapping[str, Any],
        wanted: frozenset[str] | None,
        sampling: intervals.Sampling,
        class_names: Sequence[bytes] = (),
        progress: Progress | None = None,
    ) -> None:
        self._progress = progress or Progress()
        self._eval_config = eval_config
        self._computations = list(computations)
        self._schema = schema
        self._representations = dict(representations)
        self._wanted = wanted
        self._sampling = sampling
        self._class_numbers = {name: number for number, name in enumerate(class_names)}
        self._readers = batch_checks.Readers.of(eval_config.metrics_specs)
        self._models = models
        self._specs = list(eval_config.model_specs)
        self._selections = [
            combiners.selections(computation.combiner) if combiners.takes_batches(computation) else None
            for computation in self._computations
        ]
        self._accumulators: dict[intervals.Sample, list[Any]] = {}
        self._num_rows: Counter[intervals.Sample] = Counter()
        self._row_wise: dict[str, None] = {}

    def setup(self) -> None:
        if self._models is not None:
            self._models.setup()
        for computation in self._computations:
            keras_metrics.set_up(computation.combiner)

    def read(self, part: FilePart) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a file, with all features that are needed."""
        read = examples_io.read_file(
            part.path, part.payload, self._schema, constants.ARROW_INPUT_COLUMN, _BATCH_ROWS, self._wanted
        )
        return iter(prefetched(read))

    def process(self, part: FilePart) -> Iterator[Any]:
        self._accumulators, self._num_rows, self._row_wise = {}, Counter(), {}
        num_rows = 0
        for number, batch in enumerate(self.read(part)):
            self._add_batch(batch, (part.index, number))
            num_rows += batch.num_rows
            self._progress.add_rows(batch.num_rows)
        accumulators = [
            (
                sample,
                self._num_rows[sample],
                [
                    computation.combiner.compact(accumulator)
                    for computation, accumulator in zip(self._computations, accumulators)
                ],
            )
            for sample, accumulators in self._accumulators.items()
        ]
        self._accumulators = {}
        yield Evaluated(part.index, num_rows, accumulators, tuple(self._row_wise))

    def _add_batch(self, batch: pa.RecordBatch, seed: tuple[int, int]) -> None:
        extracts = self.extract(batch)
        batch_checks.check(extracts, self._specs, self._readers, batch.num_rows)
        inputs = pairs.Inputs(
            extracts.get(constants.LABELS_KEY),
            extracts.get(constants.PREDICTIONS_KEY),
            extracts.get(constants.EXAMPLE_WEIGHTS_KEY),
            batch.num_rows,
        )
        rows_by_slice = slices.rows_by_slice(
            list(self._eval_config.slicing_specs),
            self._transformed(extracts),
            extracts[constants.FEATURES_KEY],
            batch.num_rows,
        )
        rows_by_sample = self._sampling.rows_by_sample(rows_by_slice, batch.num_rows, seed)
        for sample, rows in rows_by_sample.items():
            self._num_rows[sample] += batch.num_rows if rows is None else len(rows)
            if sample not in self._accumulators:
                self._accumulators[sample] = [
                    computation.combiner.create_accumulator() for computation in self._computations
                ]
        self._add(inputs, extracts, rows_by_sample)

    def extract(self, batch: pa.RecordBatch) -> dict[str, Any]:
        """Features, transformed features, labels, weights and predictions, as TFMA's extractors make them."""
        names = batch.schema.names
        serialized = np.asarray(batch.column(names.index(constants.ARROW_INPUT_COLUMN)).flatten())
        kept = [
            name
            for name in names
            if name != constants.ARROW_INPUT_COLUMN
            and _is_feature(batch.schema.field(name).type)
            and (self._wanted is None or name in self._wanted)
        ]
        narrow = pa.RecordBatch.from_arrays([batch.column(names.index(name)) for name in kept], kept)
        representations = {
            name: representation
            for name, representation in self._representations.items()
            if self._wanted is None or name in kept
        }
        extracts: dict[str, Any] = {
            constants.FEATURES_KEY: util.record_batch_to_tensor_values(narrow, representations),
            constants.INPUT_KEY: serialized,
        }
        if self._models is not None:
            extracts = self._models.transform(extracts)
        for key, field, fields in (
            (constants.LABELS_KEY, "label_key", "label_keys"),
            (constants.EXAMPLE_WEIGHTS_KEY, "example_weight_key", "example_weight_keys"),
        ):
            allow_missing = key == constants.LABELS_KEY
            value = model_util.get_feature_values_for_model_spec_field(
                self._specs, field, fields, extracts, allow_missing
            )
            if value is not None or allow_missing:
                extracts[key] = value
        if self._models is not None:
            extracts = self._models.predict(extracts)
        else:
            extracts[constants.PREDICTIONS_KEY] = model_util.get_feature_values_for_model_spec_field(
                self._specs, "prediction_key", "prediction_keys", extracts
            )
        if self._class_numbers:
            for key in (constants.LABELS_KEY, constants.PREDICTIONS_KEY):
                extracts[key] = classes.numbered(extracts[key], self._class_numbers)
        return extracts

    def _transformed(self, extracts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        found = extracts.get(constants.TRANSFORMED_FEATURES_KEY)
        if not found:
            return []
        if len(self._specs) == 1:
            return [found]
        return [found[spec.name] for spec in self._specs if spec.name in found]

    def _add(
        self,
        inputs: pairs.Inputs,
        extracts: Mapping[str, Any],
        rows_by_sample: Mapping[intervals.Sample, NDArray[Any] | None],
    ) -> None:
        selected: dict[pairs.Selection, pairs.Pairs | None] = {}
        row_wise: list[int] = []
        for number, selections in enumerate(self._selections):
            for selection in selections or []:
                if selection not in selected:
                    selected[selection] = pairs.select(inputs, selection, self._eval_config)
            parts = [part for selection in selections or [] if (part := selected[selection]) is not None]
            combiner = self._computations[number].combiner
            self._check_shares(combiner, parts)
            if selections is None or len(parts) < len(selections) or not combiners.accepts(combiner, parts):
                row_wise.append(number)
                continue
            for sample, rows in rows_by_sample.items():
                accumulators = self._accumulators[sample]
                count = inputs.num_rows if rows is None else len(rows)
                taken = [part.take(rows) for part in parts]
                accumulators[number] = combiners.add(combiner, accumulators[number], taken, count)
        if row_wise:
            self._row_wise |= dict.fromkeys(combiners.name_of(self._computations[one]) for one in row_wise)
            self._add_rows(row_wise, extracts, rows_by_sample, inputs.num_rows)

    def _check_shares(self, combiner: Any, parts: Sequence[pairs.Pairs]) -> None:
        if parts and combiners.reads_shares(combiner) and parts[0].predictions.shape[1] == 1:
            names = [metric.class_name for spec in self._eval_config.metrics_specs for metric in spec.metrics]
            label_key = next((spec.label_key for spec in self._eval_config.model_specs), "")
            batch_checks.check_shares(parts[0].labels, label_key, " or ".join(names[:3]))

    def _add_rows(
        self,
        numbers: Sequence[int],
        extracts: Mapping[str, Any],
        rows_by_sample: Mapping[intervals.Sample, NDArray[Any] | None],
        num_rows: int,
    ) -> None:
        """Feed rows one by one, through TFMA's own preprocessing."""
        preprocess = tfma_internals.PreprocessorDoFn([self._computations[number] for number in numbers])
        preprocess.setup()
        preprocess.start_bundle()
        elements = []
        # A copy: TFMA's metrics may change predictions in place, which others and later samples read too.
        given = {
            **extracts,
            constants.PREDICTIONS_KEY: copy.deepcopy(extracts.get(constants.PREDICTIONS_KEY)),
        }
        for row in util.split_extracts(ragged.splittable(given, num_rows)):
            row[constants.SLICE_KEY_TYPES_KEY] = ()
            (element,) = preprocess.process(row)
            elements.append(element)
        for sample, rows in rows_by_sample.items():
            accumulators = self._accumulators[sample]
            for row_number in range(num_rows) if rows is None else rows:
                element = elements[row_number]
                for place, number in enumerate(numbers):
                    item = element[tfma_internals.COMBINER_INPUTS_KEY][place]
                    if item is None:
                        item = element[tfma_internals.DEFAULT_COMBINER_INPUT_KEY]
                    combiner = self._computations[number].combiner
                    accumulators[number] = combiner.add_inputs(accumulators[number], item)


class FindClassNames(EvaluateFile):
    """Finds the names of classes in labels and predictions of a file; takes the arguments of `EvaluateFile`.

    It yields the file's place among all files, and the names in order.
    """

    def process(self, part: FilePart) -> Iterator[Any]:
        names: set[bytes] = set()
        for batch in self.read(part):
            extracts = self.extract(batch)
            for key in (constants.LABELS_KEY, constants.PREDICTIONS_KEY):
                names |= classes.names_in(extracts.get(key))
        yield part.index, sorted(names)


def _is_feature(kind: pa.DataType) -> bool:
    """Whether TFMA reads a column of this type as a feature."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    values = kind.value_type
    return bool(
        pa.types.is_integer(values)
        or pa.types.is_floating(values)
        or pa.types.is_binary(values)
        or pa.types.is_large_binary(values)
        or pa.types.is_string(values)
        or pa.types.is_large_string(values)
    )


def representations(schema: schema_pb2.Schema | None) -> dict[str, Any]:
    """Return how a schema says that features are read, by feature."""
    if schema is None:
        return {}
    return dict(tensor_representation_util.InferTensorRepresentationsFromMixedSchema(schema))


def needed_features(
    eval_config: Any, computations: Sequence[Any], is_input_serialized: bool
) -> frozenset[str] | None:
    """Return the raw features that an evaluation may read; `None` for all of them."""
    if not is_input_serialized or not all(combiners.takes_batches(item) for item in computations):
        return None
    names = slices.feature_names(list(eval_config.slicing_specs))
    for spec in eval_config.model_specs:
        names |= {spec.label_key, spec.example_weight_key}
        names |= {*spec.label_keys.values(), *spec.example_weight_keys.values()}
        names |= {spec.prediction_key, *spec.prediction_keys.values()}
    return frozenset(names - {""})
