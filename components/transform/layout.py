"""How input rows lie in Arrow columns and become tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.errors import SchemaMismatchError
from headrace.formats.examples import examples
from headrace.formats.tfx_bsl_internals import example_coder, tensor_adapter, tensor_representation_util

_WRONG_TYPE = re.compile(r'expected (\w+), found (\w+) for feature "(.*)"')
_TYPE_FIX = "run SchemaGen on this data, or correct the type in the schema."


@dataclass(frozen=True)
class InputLayout:
    """The features that are read, as Arrow columns and as tensors.

    Attributes:
        schema: TFMD schema of these features.
        arrow_schema: Columns of each batch.
        representations: For each tensor, the columns it is made of.
    """

    schema: schema_pb2.Schema
    arrow_schema: pa.Schema
    representations: Mapping[str, schema_pb2.TensorRepresentation]

    @classmethod
    def from_schema(cls, schema: schema_pb2.Schema) -> InputLayout:
        """The layout that TFX's readers give to tf.Examples under `schema`.

        Raises:
            SchemaMismatchError: If the schema contradicts itself.
        """
        complete, representations = _completed(schema)
        decoder = example_coder.ExamplesToRecordBatchDecoder(complete.SerializeToString())
        return cls(complete, decoder.ArrowSchema(), representations)

    def project(self, names: Iterable[str]) -> InputLayout:
        """The layout of the tensors `names` alone; columns that they don't need are not read."""
        return InputLayout.from_schema(
            tensor_representation_util.ProjectTensorRepresentationsInSchema(self.schema, sorted(names))
        )

    @property
    def identity(self) -> str:
        """Tells layouts apart: equal where the same rows become the same tensors."""
        tensors = {
            name: tensor.SerializeToString(deterministic=True).hex()
            for name, tensor in self.representations.items()
        }
        return f"{dict(zip(self.arrow_schema.names, map(str, self.arrow_schema.types)))} {sorted(tensors.items())}"

    def adapter(self) -> tensor_adapter.TensorAdapter:
        """What turns batches of this layout into tensors."""
        return tensor_adapter.TensorAdapter(
            tensor_adapter.TensorAdapterConfig(self.arrow_schema, self.representations)
        )

    def type_specs(self) -> dict[str, Any]:
        """The `tf.TypeSpec` of each tensor."""
        return self.adapter().OriginalTypeSpecs()

    def read_file(self, path: str, payload: str) -> Iterator[pa.RecordBatch]:
        """Yield a file's rows as batches of exactly `arrow_schema`.

        Raises:
            SchemaMismatchError: If a feature has another type in the data than in the schema.
        """
        try:
            for batch in examples.read_file(path, payload, self.schema):
                yield self._conformed(batch) if batch.schema != self.arrow_schema else batch
        except RuntimeError as error:
            # tfx_bsl: Feature had wrong type, expected float_list, found int64_list for feature "x"
            found = _WRONG_TYPE.search(str(error))
            if found is None:
                raise
            raise SchemaMismatchError(
                f"feature '{found[3]}' is {found[2]} in {path} and {found[1]} in the schema.", _TYPE_FIX
            ) from error

    def _conformed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Columns in order, cast to the types of the schema; a missing one is all null."""
        columns = []
        for field in self.arrow_schema:
            index = batch.schema.get_field_index(field.name)
            column = pa.nulls(batch.num_rows, field.type) if index < 0 else batch.column(index)
            columns.append(_cast(column, field))
        return pa.RecordBatch.from_arrays(columns, schema=self.arrow_schema)

    def __reduce__(self) -> tuple[Any, ...]:
        # Beam ships layouts to its workers; a TensorRepresentation map of protos does not pickle by itself.
        return _from_bytes, (self.schema.SerializeToString(),)


def with_all_representations(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """A copy that says of each feature how it becomes a tensor.

    TFX's projections infer that only where a schema says it of no feature.

    Raises:
        SchemaMismatchError: If the schema contradicts itself.
    """
    return _completed(schema)[0]


def _completed(schema: schema_pb2.Schema) -> tuple[schema_pb2.Schema, dict[str, Any]]:
    """The copy, and the representations in the order of the schema's features."""
    try:
        representations = tensor_representation_util.InferTensorRepresentationsFromMixedSchema(schema)
    except ValueError as error:
        raise SchemaMismatchError(
            f"the schema does not say how features become tensors: {error}", "correct the schema."
        ) from error
    complete = schema_pb2.Schema()
    complete.CopyFrom(schema)
    tensor_representation_util.SetTensorRepresentationsInSchema(complete, representations)
    # A proto's map has another order in each process, and the graph would have it too.
    places = {feature.name: place for place, feature in enumerate(schema.feature)}
    in_order = sorted(representations, key=lambda name: (places.get(name, len(places)), name))
    return complete, {name: representations[name] for name in in_order}


def _from_bytes(schema: bytes) -> InputLayout:
    return InputLayout.from_schema(schema_pb2.Schema.FromString(schema))


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaMismatchError(
            f"feature '{field.name}' is {column.type} in the data and {field.type} in the schema.", _TYPE_FIX
        ) from error


def to_tensors(adapter: tensor_adapter.TensorAdapter, layout: InputLayout, batch: pa.RecordBatch) -> Any:
    """Turn one batch into tensors by name.

    Raises:
        SchemaMismatchError: If a feature that the schema says every row has is missing, or has another
            number of values, naming it.
    """
    try:
        return adapter.ToBatchTensors(batch, produce_eager_tensors=True)
    except Exception as error:
        wrong = _misfits(layout, batch)
        if not wrong:
            raise
        raise SchemaMismatchError(
            f"the data contradicts the schema: {'; '.join(wrong)}.",
            "correct the data, or drop 'shape' of the feature in the schema so that it may be missing.",
        ) from error


def _misfits(layout: InputLayout, batch: pa.RecordBatch) -> list[str]:
    """What is wrong with features of fixed size."""
    found = []
    for name, representation in sorted(layout.representations.items()):
        if representation.WhichOneof("kind") != "dense_tensor":
            continue
        column = batch.column(batch.schema.get_field_index(representation.dense_tensor.column_name))
        wanted = 1
        for dimension in representation.dense_tensor.shape.dim:
            wanted *= dimension.size
        lengths = column.value_lengths().fill_null(0)
        num_missing = sum(1 for length in lengths.to_pylist() if length == 0)
        num_other = sum(1 for length in lengths.to_pylist() if length not in (0, wanted))
        if num_missing and wanted and not _has_default(representation):
            found.append(f"feature '{name}' is missing from {num_missing:,} of {batch.num_rows:,} rows")
        if num_other:
            found.append(
                f"feature '{name}' has not {wanted} values in {num_other:,} of {batch.num_rows:,} rows"
            )
    return found


def _has_default(representation: schema_pb2.TensorRepresentation) -> bool:
    return representation.dense_tensor.HasField("default_value")
