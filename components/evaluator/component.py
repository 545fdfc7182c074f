"""Declaration of the Evaluator component."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from google.protobuf import json_format
from google.protobuf.message import Message

from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedBeamExecutorSpec,
    OutputOf,
    Outputs,
    RuntimeParameter,
    standard_artifacts,
    system_executions,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, as_names, to_proto
from headrace.components.evaluator import configuration, known_metrics, short_form
from headrace.errors import DefinitionError, listed
from headrace.files import addresses

with authoring():
    from tfx.proto import evaluator_pb2
    from tfx.utils import json_utils


class EvaluatorSpec(ComponentSpec):
    """TFX's keys and encodings. `eval_config` is the JSON text into which TFX's spec turns the proto."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "eval_config": ExecutionParameter(type=str, optional=True),
        "feature_slicing_spec": ExecutionParameter(type=evaluator_pb2.FeatureSlicingSpec, optional=True),
        "fairness_indicator_thresholds": ExecutionParameter(type=str, optional=True),
        "example_splits": ExecutionParameter(type=str, optional=True),
        "add_split_name": ExecutionParameter(type=bool, optional=True),
        "module_file": ExecutionParameter(type=str, optional=True),
        "module_path": ExecutionParameter(type=str, optional=True),
        **{name: ExecutionParameter(type=str, optional=True) for name in short_form.NAMES},
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "schema": ChannelParameter(type=standard_artifacts.Schema, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    TYPE_ANNOTATION = system_executions.Evaluate


class EvaluatorOutputs(Outputs):
    """What `Evaluator` makes."""

    evaluation: OutputOf[standard_artifacts.ModelEvaluation]
    blessing: OutputOf[standard_artifacts.ModelBlessing]


class Evaluator(Component[EvaluatorOutputs]):
    """Metrics of a model, over all rows and per slice, and a verdict against thresholds.

    What is computed comes in one of two forms. The short form needs nothing but examples and a model: the label is the
    one that Trainer (or `export_model(..., label=...)`) left beside the model, whether Transform makes it is found, and
    what the first 8,192 rows show of labels and predictions says which kind of problem it is (regression, two classes,
    several classes, several labels in a row) and so which metrics there are, equal to scikit-learn's. It expands to an
    `EvalConfig`, which is written beside the results and shown on the page. The long form is TFX's `eval_config`.

    The model is called through a signature of its SavedModel (`signature_name`, by default
    `serving_default`), so any model that can be served can be evaluated, Keras 3 included. Metrics are
    those of TensorFlow Model Analysis.

    With `"options": {"compute_confidence_intervals": True}` in `eval_config` each metric has an interval, by TFMA's
    jackknife, or its Poisson bootstrap where `confidence_intervals` says `{"method": "POISSON_BOOTSTRAP"}`. Each
    metric is then computed 21 times.

    Metrics go by the name of their class: those of TFMA, those of Keras 2 and its losses, and `R2Score`. Predictions
    may be classes instead of scores, as numbers or as names, in a feature named by `prediction_key` or as the
    model's output, for `SparseCategoricalAccuracy`, `MultiClassConfusionMatrixPlot` and metrics of one class.
    A prediction that is NaN or infinite, a row without a label, and a label of no class are errors.

    Inputs:
        examples: `Examples` to evaluate on.
        model: `Model` to judge. Without it, `prediction_key` names a feature that holds predictions.
        baseline_model: `Model` to compare with, often the latest blessed one, from a Resolver.
        schema: `Schema` that fixes the features' types and shapes.

    Outputs:
        evaluation: `ModelEvaluation`. `metrics-*.tfrecord`, `plots-*.tfrecord`, `attributions-*.tfrecord`,
            `validations.tfrecord` and `eval_config.json` as `tfma.load_eval_result` reads them, and
            `verdict.json`: for each threshold the metric, slice, value, bound, baseline value, and whether
            it passed (null: not checked); where classes are names, `classes.json` with
            the names of the classes 0, 1, 2 ...
        blessing: `ModelBlessing`, an empty file `BLESSED` or `NOT_BLESSED`, and the property `blessed`.
            Without any threshold neither is written: nothing was validated. Without a baseline model,
            change thresholds are not checked, and the verdict says so.

    Args:
        examples: Channel of Examples.
        model: Channel of Model.
        baseline_model: Channel of Model.
        feature_slicing_spec: TFX's older way to name slices, for Estimators; refused when the node runs.
        fairness_indicator_thresholds: Recorded as TFX does; current TFMA does not read it.
        example_splits: The split to evaluate, such as `"test"`, or several; `["eval"]` where not given.
        eval_config: A `tfma.EvalConfig`, or a mapping or JSON text in its JSON form, which needs no import.
        schema: Channel of Schema.
        module_file: A file with `custom_eval_shared_model` or `custom_extractors`, as under TFX.
        module_path: The same as a module's dotted name.
        label: The feature that is predicted; `x` also finds `x_xf`. By default the model tells.
        prediction: The feature that holds predictions, where there is no model: scores, or classes as numbers or names;
            of a model with several outputs the one to evaluate.
        weight: The feature that holds the weight of a row.
        metrics: Names, such as `["AUC", "F1_macro", "MAE"]`, also of classes of TFMA and Keras; by default those of
            the kind of problem. Of several classes, a name stands for the metric of each class and its macro average.
        slices: Features whose values divide the rows, such as `["age", ["age", "town"], {"town": "Lugo"}]`.
        require: Least value by metric, of an error the most; `(least, most)` sets both. It is of all rows; a mapping
            names slices: `{"F1": {"overall": 0.7, "town": 0.6, "town=Lugo": 0.65}}`, `town` being each of them.
        improve: Least change for the better against the baseline by metric; `-0.01` allows 0.01 worse.
        choose_threshold: The aim of a threshold on scores, such as `{"recall": 0.9, "best": "precision"}` or `"F1"`.
            It is chosen on the rows that are evaluated, written to `decision.json` in the evaluation and beside the
            verdict, and Pusher leaves it with the model (`assets.extra/headrace_decision.json`).
        class_names: Names of the classes 0, 1, 2 ..., or of the labels of a row; by default the label's vocabulary in
            the model, or the names that labels and predictions are.

    Raises:
        DefinitionError: If `eval_config` is malformed, arguments exclude each other, or there is no such metric.

    Example:
        >>> evaluator = Evaluator(
        ...     examples=example_gen.outputs["examples"],
        ...     model=trainer.outputs["model"],
        ...     slices=["trip_start_hour"],
        ...     require={"AUC": 0.85, "log_loss": 0.4},
        ...     improve={"AUC": -0.01},
        ...     choose_threshold={"recall": 0.9, "best": "precision"},
        ... )  # doctest: +SKIP

        The same in TFX's words:

        >>> evaluator = Evaluator(
        ...     examples=example_gen.outputs["examples"],
        ...     model=trainer.outputs["model"],
        ...     eval_config={
        ...         "model_specs": [
        ...             {"label_key": "tips", "preprocessing_function_names": ["transform_features"]}
        ...         ],
        ...         "slicing_specs": [{}, {"feature_keys": ["trip_start_hour"]}],
        ...         "metrics_specs": [{"metrics": [{
        ...             "class_name": "BinaryAccuracy",
        ...             "threshold": {"value_threshold": {"lower_bound": 0.6}},
        ...         }]}],
        ...     },
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.evaluator.executor.Executor")
    TFX_TYPE = "tfx.components.evaluator.component.Evaluator"
    INPUT_FILES = ()

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel | None = None,
        baseline_model: BaseChannel | None = None,
        feature_slicing_spec: ProtoLike | None = None,
        fairness_indicator_thresholds: Sequence[float] | RuntimeParameter | None = None,
        example_splits: str | Sequence[str] | None = None,
        eval_config: configuration.EvalConfigLike | None = None,
        schema: BaseChannel | None = None,
        module_file: str | None = None,
        module_path: str | None = None,
        *,
        label: str | RuntimeParameter | None = None,
        prediction: str | RuntimeParameter | None = None,
        weight: str | RuntimeParameter | None = None,
        metrics: str | Sequence[str] | RuntimeParameter | None = None,
        slices: short_form.Slices | RuntimeParameter | None = None,
        require: short_form.Bounds | RuntimeParameter | None = None,
        improve: Mapping[str, float] | RuntimeParameter | None = None,
        choose_threshold: str | Mapping[str, float | str] | RuntimeParameter | None = None,
        class_names: Sequence[str] | RuntimeParameter | None = None,
    ) -> None:
        short = short_form.texts(
            "Evaluator",
            {
                "label": label,
                "prediction": prediction,
                "weight": weight,
                "metrics": metrics,
                "slices": slices,
                "require": require,
                "improve": improve,
                "choose_threshold": choose_threshold,
                "class_names": class_names,
            },
        )
        # What is not given is not recorded, so that definitions of before keep their cache.
        short = {name: value for name, value in short.items() if value is not None}
        _check_one_form(short, eval_config, feature_slicing_spec)
        if isinstance(module_file, str):
            addresses.local_path(module_file, "Evaluator: module_file")
        if module_file and module_path:
            raise DefinitionError(
                "Evaluator: module_file and module_path are both given.", "give one of the two."
            )
        if eval_config is not None and feature_slicing_spec is not None:
            raise DefinitionError(
                "Evaluator: eval_config and feature_slicing_spec are both given.",
                "put the slices into eval_config's slicing_specs and drop feature_slicing_spec.",
            )
        if eval_config is None and feature_slicing_spec is None:
            # As TFX declares it; the executor takes it for the short form.
            feature_slicing_spec = evaluator_pb2.FeatureSlicingSpec()
        if eval_config is not None and not isinstance(eval_config, RuntimeParameter):
            parsed = configuration.parse(eval_config, "Evaluator: eval_config")
            if not module_file and not module_path:
                # The user's own module may register metrics of its own.
                known_metrics.check_classes(parsed, "Evaluator: eval_config")
            eval_config = configuration.to_json(parsed, "Evaluator: eval_config")
        if not isinstance(fairness_indicator_thresholds, RuntimeParameter):
            # TFX's JSON: a value of the list, too, may be known only when the pipeline runs.
            fairness_indicator_thresholds = json_utils.dumps(
                None if fairness_indicator_thresholds is None else list(fairness_indicator_thresholds)
            )
        feature_slicing_spec = to_proto(
            feature_slicing_spec, evaluator_pb2.FeatureSlicingSpec, "Evaluator: feature_slicing_spec"
        )
        if isinstance(feature_slicing_spec, Mapping):
            # A value in it is known only when the pipeline runs.
            feature_slicing_spec = json_utils.dumps(feature_slicing_spec)
        if isinstance(feature_slicing_spec, Message):
            # Text, because an empty proto would be kept as an object, which no store can record.
            feature_slicing_spec = json_format.MessageToJson(
                feature_slicing_spec, sort_keys=True, preserving_proto_field_name=True
            )
        super().__init__(
            spec=EvaluatorSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                feature_slicing_spec=feature_slicing_spec,
                fairness_indicator_thresholds=fairness_indicator_thresholds,
                example_splits=json.dumps(
                    None if example_splits is None else as_names(example_splits, "Evaluator: example_splits")
                ),
                eval_config=eval_config,
                schema=schema,
                module_file=module_file,
                module_path=module_path,
                **short,
                evaluation=Channel(type=standard_artifacts.ModelEvaluation),
                blessing=Channel(type=standard_artifacts.ModelBlessing),
            )
        )


def _check_one_form(short: Mapping[str, object], eval_config: object, feature_slicing_spec: object) -> None:
    for name, given in (("eval_config", eval_config), ("feature_slicing_spec", feature_slicing_spec)):
        if short and given is not None:
            raise DefinitionError(
                f"Evaluator: {name} and {listed(short)} are given, which say the same in two ways.",
                "keep one of the two forms.",
            )
