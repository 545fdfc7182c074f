"""What can be wrong with an evaluation, found before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.authoring import Artifact
from headrace.components.evaluator import classes, slices
from headrace.errors import SchemaMismatchError, did_you_mean, listed
from headrace.formats.examples import examples as examples_io
from headrace.models import signatures
from headrace.models.saved_model import SavedModel


def check_signatures(saved_model: SavedModel, spec: Any, where: str) -> None:
    """Check that the signatures which a `ModelSpec` names exist.

    Raises:
        ModelError: If one does not, naming those that do.
    """
    known, callables = saved_model.signatures, saved_model.attributes
    fields = {signatures.evaluated(known, spec.signature_name): "signature_name"}
    fields |= dict.fromkeys(_functions(spec), "preprocessing_function_names")
    for name, field in fields.items():
        if name not in callables:
            signatures.check_exists(name, known, where, f"{field} in eval_config")


def _functions(spec: Any) -> list[str]:
    """Signatures for preprocessing; a name with '@' is one of TFMA's own functions."""
    return [function for function in spec.preprocessing_function_names if "@" not in function]


def is_input_serialized(saved_model: SavedModel, spec: Any) -> bool:
    """Whether every signature that the evaluation calls takes serialized Examples alone."""
    known = saved_model.signatures
    named = signatures.transforms(known, spec.preprocessing_function_names)
    return all(
        name in known and known[name].takes_examples
        for name in [signatures.evaluated(known, spec.signature_name), *named]
    )


def transformed_names(saved_model: SavedModel, spec: Any) -> set[str] | None:
    """Return names of features that a model's preprocessing makes; `None` where only running it tells."""
    known = saved_model.signatures
    names: set[str] = set()
    for function in signatures.transforms(known, spec.preprocessing_function_names):
        if function not in known:
            return None
        names.update(known[function].outputs)
    return names


def check_features(
    eval_config: Any,
    examples: Sequence[tuple[Artifact, str]],
    transformed: Iterable[set[str] | None],
    schema: schema_pb2.Schema | None,
    where: str,
) -> None:
    """Check that labels, weights and slices name features that exist, in the data or after preprocessing.

    Reads the data until each has been seen: one batch, where rows have all features.

    Raises:
        SchemaMismatchError: If one exists nowhere, naming what does.
    """
    made = list(transformed)
    if None in made:
        return
    known = {name for names in made if names for name in names}
    # With a model, prediction_key names one of its outputs.
    wanted = dict(_wanted(eval_config, bool(made)))
    missing = set(wanted) - known
    in_data: set[str] = {feature.name for feature in schema.feature} if schema is not None else set()
    missing -= in_data
    for artifact, split in examples if missing else ():
        for batch in examples_io.read_record_batches(artifact, split, batch_rows=1_000):
            in_data.update(batch.schema.names)
            missing -= in_data
            if not missing:
                return
    for name in sorted(missing):
        made_text = f" Preprocessing makes {listed(known)}." if known else ""
        raise SchemaMismatchError(
            f"{where}: {wanted[name]} '{name}' is no feature of the data. It has {listed(in_data)}.{made_text}",
            f"{did_you_mean(name, in_data | known)}Correct eval_config, or name the signature that makes it in "
            "preprocessing_function_names.",
        )


def has_class_names(
    eval_config: Any, saved_models: Sequence[SavedModel], examples: Sequence[tuple[Artifact, str]]
) -> bool:
    """Whether predictions are names of classes, and all metrics can be computed of classes."""
    if not classes.are_enough(eval_config.metrics_specs):
        return False
    if saved_models:
        return any(_gives_text(model, spec) for model, spec in zip(saved_models, eval_config.model_specs))
    keys = {spec.prediction_key for spec in eval_config.model_specs}
    for artifact, split in examples:
        for batch in examples_io.read_record_batches(artifact, split, batch_rows=1_000):
            return any(_is_text(field.type) for field in batch.schema if field.name in keys)
    return False


def _is_text(kind: pa.DataType) -> bool:
    # Where a whole batch lacks the feature, the type is null.
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    return bool(pa.types.is_binary(kind.value_type) or pa.types.is_large_binary(kind.value_type))


def _gives_text(saved_model: SavedModel, spec: Any) -> bool:
    known = saved_model.signatures
    signature = known.get(signatures.evaluated(known, spec.signature_name))
    return signature is not None and signature.gives_one_text


def _wanted(eval_config: Any, has_model: bool) -> Iterator[tuple[str, str]]:
    for name in slices.feature_names(list(eval_config.slicing_specs)):
        yield name, "the slice feature"
    for spec in eval_config.model_specs:
        fields: Mapping[str, list[str]] = {
            "example_weight_key": [spec.example_weight_key, *spec.example_weight_keys.values()],
            "label_key": [spec.label_key, *spec.label_keys.values()],
            "prediction_key": [spec.prediction_key, *spec.prediction_keys.values()] if not has_model else [],
        }
        for field, names in fields.items():
            for name in filter(None, names):
                yield name, field
