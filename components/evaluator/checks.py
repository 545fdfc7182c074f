"""What can be wrong with an evaluation, found before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from tensorflow.core.framework import types_pb2
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.authoring import Artifact
from headrace.components.evaluator import classes, slices
from headrace.errors import SchemaMismatchError, did_you_mean, listed
from headrace.formats import saved_models
from headrace.formats.examples import examples as examples_io

_DEFAULT_TRANSFORMS = ("transformed_features", "transformed_labels")


def check_signatures(saved_model: Any, spec: Any, where: str) -> None:
    """Check that the signatures which a `ModelSpec` names exist.

    Raises:
        ModelError: If one does not, naming those that do.
    """
    known = saved_models.signatures(saved_model)
    callables = saved_models.attributes(saved_model)
    fields = {_signature_name(known, spec): "signature_name"}
    fields |= dict.fromkeys(_functions(spec), "preprocessing_function_names")
    for name, field in fields.items():
        if name not in callables:
            saved_models.check_signature(name, known, where, f"{field} in eval_config")


def _signature_name(known: Mapping[str, Any], spec: Any) -> str:
    # TFMA prefers 'predict', which Estimators wrote, where nothing is named.
    return spec.signature_name or ("predict" if "predict" in known else saved_models.SERVING_SIGNATURE)


def _functions(spec: Any) -> list[str]:
    """Signatures for preprocessing; a name with '@' is one of TFMA's own functions."""
    return [function for function in spec.preprocessing_function_names if "@" not in function]


def is_input_serialized(saved_model: Any, spec: Any) -> bool:
    """Whether every signature that the evaluation calls takes serialized Examples alone."""
    known = saved_models.signatures(saved_model)
    named = list(spec.preprocessing_function_names) or [name for name in _DEFAULT_TRANSFORMS if name in known]
    return all(
        name in known and saved_models.takes_serialized_examples(known[name])
        for name in [_signature_name(known, spec), *named]
    )


def transformed_names(saved_model: Any, spec: Any) -> set[str] | None:
    """Return names of features that a model's preprocessing makes; `None` where only running it tells."""
    known = saved_models.signatures(saved_model)
    names: set[str] = set()
    for function in spec.preprocessing_function_names or _DEFAULT_TRANSFORMS:
        if function in known:
            names.update(known[function].outputs)
        elif spec.preprocessing_function_names:
            return None
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
    eval_config: Any, saved_models_: Sequence[Any], examples: Sequence[tuple[Artifact, str]]
) -> bool:
    """Whether predictions are names of classes, and all metrics can be computed of classes."""
    if not classes.are_enough(eval_config.metrics_specs):
        return False
    if saved_models_:
        return any(_gives_text(model, spec) for model, spec in zip(saved_models_, eval_config.model_specs))
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


def _gives_text(saved_model: Any, spec: Any) -> bool:
    known = saved_models.signatures(saved_model)
    signature = known.get(_signature_name(known, spec))
    outputs = list(signature.outputs.values()) if signature is not None else []
    return len(outputs) == 1 and outputs[0].dtype == types_pb2.DT_STRING


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
