"""What an Evaluator is asked to do: its `EvalConfig`, or that into which the short form expands."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tensorflow_model_analysis.proto import config_pb2
from tfx.utils import path_utils

from headrace.components.evaluator import (
    batches,
    configuration,
    expansion,
    intervals,
    known_metrics,
    looking,
    predictions,
    preparation,
    short_form,
)
from headrace.components.evaluator.preparation import Evaluation
from headrace.components.evaluator.short_form import ShortForm
from headrace.components.evaluator.tfma_internals import constants
from headrace.errors import DefinitionError, UnsupportedFeatureError, did_you_mean, listed
from headrace.formats import artifacts, model_labels, protos
from headrace.models import signatures
from headrace.models.features import USUAL_LABELS
from headrace.models.saved_model import SavedModel
from headrace.runtime.context import ExecutionContext

# Which kind of problem it is shows in these first rows.
_LOOKED_ROWS = 8_192
_SCORES = ("probabilities", "predictions", "logits", "scores")


def prepare(context: ExecutionContext) -> Evaluation:
    """Read configuration, models and inputs, and check that they fit together.

    Raises:
        HeadraceError: What is wrong, before anything is evaluated.
    """
    text = context.parameter("eval_config")
    if text:
        given = configuration.parse(text, f"{context.node_id}: eval_config")
        return preparation.prepare(context, _of_tfma(given))
    if json.loads(context.parameter("feature_slicing_spec") or "{}"):
        raise UnsupportedFeatureError(
            f"{context.node_id}: no eval_config is given. feature_slicing_spec alone works for Estimators' "
            "EvalSavedModels, which TensorFlow no longer reads.",
            "give eval_config with model_specs, metrics_specs and slicing_specs, or slices=[...].",
        )
    form = short_form.parse(context.node_id, {name: context.parameter(name) for name in short_form.NAMES})
    return _expanded(context, form)


def _of_tfma(given: Any) -> Any:
    # The module that parses may have made its own classes of the protos.
    return config_pb2.EvalConfig.FromString(given.SerializeToString())


def _expanded(context: ExecutionContext, form: ShortForm) -> Evaluation:
    where = context.node_id
    spec = _model_spec(context, form)
    # Rows are looked at before it is known which metrics are computed: of a count alone nothing is checked.
    first: dict[str, Any] = {
        "model_specs": [spec],
        "slicing_specs": list(expansion.slices(form)),
        "metrics_specs": [{"metrics": [{"class_name": "ExampleCount"}]}],
    }
    evaluation = preparation.prepare(context, _of_tfma(configuration.parse(first, where)))
    if len(evaluation.saved_models) != len(evaluation.models) or evaluation.extractors is not None:
        raise DefinitionError(
            f"{where}: the module's functions make what is evaluated, of which the short form knows nothing.",
            "give eval_config.",
        )
    asked = predictions.of(evaluation, where)
    named = [known_metrics.find(name, where).short for name in form.wanted]
    are_regression = bool(named) and all(
        one is not None and one.kinds == (known_metrics.REGRESSION,) for one in named
    )
    output = _output(evaluation)
    looked = looking.look(_first_rows(evaluation, asked), output, are_regression, where)
    names = _class_names(evaluation, form, looked, where)
    content = expansion.expand(form, looked, spec, where)
    given = _of_tfma(configuration.parse(content, where))
    config = preparation.with_defaults(given, bool(context.inputs.get("baseline_model")), where)
    context.progress.report(f"{looked.kind} of '{spec['label_key']}'")
    # What TFMA loads cannot be handed on.
    kept = asked if isinstance(asked, predictions.OfExamples) else None
    return dataclasses.replace(evaluation, given=given, config=config, class_names=names, asked=kept)


def _model_spec(context: ExecutionContext, form: ShortForm) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    if form.weight:
        spec["example_weight_key"] = form.weight
    if not context.inputs.get("model"):
        if not form.prediction or not form.label:
            raise DefinitionError(
                f"{context.node_id}: there is no model, and label and prediction are not both given.",
                "connect 'model', or name the features that hold what was predicted and what is right: "
                "label='...', prediction='...'.",
            )
        return {**spec, "label_key": form.label, "prediction_key": form.prediction}
    artifact = context.input("model")
    path = path_utils.serving_model_path(artifact.uri, path_utils.is_old_model_artifact(artifact))
    known = SavedModel(path, f"{context.node_id}: model").signatures
    made = set(known[signatures.TRANSFORM].outputs) if signatures.TRANSFORM in known else set()
    outputs = known[signatures.evaluated(known, "")].outputs if known else {}
    if len(outputs) > 1:
        chosen = form.prediction or next((name for name in _SCORES if name in outputs), "")
        if chosen not in outputs:
            raise DefinitionError(
                f"{context.node_id}: the model gives {listed(outputs)}"
                f"{f', and no {form.prediction!r}' if form.prediction else ''}.",
                f"{did_you_mean(chosen, outputs)}Name the output that holds predictions: prediction='...'.",
            )
        spec["prediction_key"] = chosen
    label, is_made = _label(context, form, path, made)
    if is_made:
        spec["preprocessing_function_names"] = [signatures.TRANSFORM]
    return {**spec, "label_key": label}


def _label(context: ExecutionContext, form: ShortForm, path: str, made: set[str]) -> tuple[str, bool]:
    """The label, and whether the model's `transform_features` makes it."""
    kept = model_labels.read(path)
    if kept is not None and form.label in ("", kept.name, kept.name.removesuffix("_xf")):
        return kept.name, kept.is_transformed and kept.name in made
    for name in (form.label, f"{form.label}_xf") if form.label else USUAL_LABELS:
        # Without a transform graph what the model makes is what the data hold, with a default for what is missing.
        if name in made and (kept is None or kept.is_transformed):
            return name, True
    if form.label:
        return form.label, False
    known = _schema_names(context)
    for name in USUAL_LABELS:
        if name in known:
            return name, False
    there_are = f" There are {listed(made | known)}." if made | known else ""
    raise DefinitionError(
        f"{context.node_id}: the model does not tell its label, and no feature is called {listed(USUAL_LABELS)}."
        f"{there_are}",
        "name it: label='...', or export the model with export_model(..., label='...').",
    )


def _schema_names(context: ExecutionContext) -> set[str]:
    schema = context.optional_input("schema")
    return {feature.name for feature in protos.read_schema(schema).feature} if schema is not None else set()


def _output(evaluation: Evaluation) -> str:
    """The name of the model's output that is evaluated; empty where predictions come with the data."""
    if not evaluation.saved_models:
        return ""
    spec = evaluation.config.model_specs[0]
    known = evaluation.saved_models[0].signatures
    outputs = known[signatures.evaluated(known, spec.signature_name)].outputs
    return str(spec.prediction_key or next(iter(outputs), ""))


def _first_rows(evaluation: Evaluation, asked: predictions.Predictions | None) -> list[tuple[Any, Any]]:
    """Labels and predictions of the first rows, by batch."""
    config = evaluation.config
    step = batches.EvaluateFile(
        config,
        asked,
        (),
        evaluation.schema,
        batches.representations(evaluation.schema),
        batches.needed_features(config, (), predictions.are_of_examples(evaluation)),
        intervals.Sampling(),
    )
    step.setup()
    found: list[tuple[Any, Any]] = []
    num_rows = 0
    candidate = next(spec for spec in config.model_specs if not spec.is_baseline)
    name = candidate.name if len(config.model_specs) > 1 else ""
    for artifact, split in evaluation.examples:
        for path in artifacts.split_files(artifact, split):
            for batch in step.read(batches.FilePart(0, path, artifacts.payload_format(artifact))):
                extracts = step.extract(batch)
                found.append(
                    (
                        _of(extracts.get(constants.LABELS_KEY), name),
                        _of(_of(extracts.get(constants.PREDICTIONS_KEY), name), candidate.prediction_key),
                    )
                )
                num_rows += batch.num_rows
                if num_rows >= _LOOKED_ROWS:
                    return found
    return found


def _of(values: Any, name: str) -> Any:
    return values[name] if name and isinstance(values, dict) and name in values else values


def _class_names(
    evaluation: Evaluation, form: ShortForm, looked: looking.Looked, where: str
) -> tuple[str, ...]:
    """The names of classes: those given, or those of the label's vocabulary in the model."""
    if looked.kind == known_metrics.REGRESSION:
        return ()
    names = form.class_names
    if not names and evaluation.saved_models:
        label = evaluation.config.model_specs[0].label_key
        names = model_labels.class_names(evaluation.saved_models[0].path, label, looked.num_classes)
    if names and looked.has_scores and len(names) != looked.num_classes:
        raise DefinitionError(
            f"{where}: class_names has {len(names)} names, and there are {looked.num_classes} classes.",
            "give a name for each output of the model, in their order.",
        )
    if looked.text_labels and looked.has_scores and not names:
        raise DefinitionError(
            f"{where}: the label is text such as '{looked.text_labels[0]}', and the predictions are scores of classes "
            "without names.",
            "name the classes in the order of the scores: class_names=[...].",
        )
    unknown = sorted(set(looked.text_labels) - set(names)) if names else []
    if unknown:
        raise DefinitionError(
            f"{where}: there is a class '{unknown[0]}', and class_names has {listed(names)}.",
            f"{did_you_mean(unknown[0], names)}Correct class_names.",
        )
    return names
