"""Names of metrics: which class a name in `eval_config` stands for, and what to write where there is none.

TFMA looks a name up among its own metrics, then among Keras 2's; losses of Keras need a module that only TFMA's source
names. What Keras 3 has beyond that, TFMA does not read.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from headrace.components.evaluator import known_metrics, r2_score
from headrace.components.evaluator.own_metrics import counts, errors, ranking
from headrace.components.evaluator.tfma_internals import metric_specs, metric_types, tf_keras
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.runtime import messages

# Imported for what they do: TFMA knows Headrace's own metrics from here on.
_ = r2_score, counts, errors, ranking

_LOSSES_MODULE = tf_keras.losses.Loss.__module__
# Of Keras, but not of labels and predictions, or of a batch of a fixed size.
_NO_EVALUATION_METRICS = {
    "Mean": "the mean of values",
    "Sum": "the sum of values",
    "MeanTensor": "the mean of tensors",
    "Metric": "a base class",
    "MeanMetricWrapper": "a base class",
    "Loss": "a base class",
    "MeanRelativeError": "divided by a normalizer that must be as long as each batch",
}
_PLOT_PARTS = ("Plot", "AtThresholds", "FeatureSampler", "SemanticSegmentation")


def resolve(eval_config: Any) -> None:
    """Write the module beside each loss of Keras, and leave it out where TFMA finds a metric by its name."""
    for metric in _metrics(eval_config):
        package, _, part = metric.module.rpartition(".")
        if metric.module and (
            package not in known_metrics.KERAS_MODULES or part not in ("metrics", "losses")
        ):
            continue
        if part != "losses" and hasattr(tf_keras.metrics, metric.class_name):
            metric.module = ""
        elif _is_class(tf_keras.losses, metric.class_name):
            metric.module = _LOSSES_MODULE


def check(eval_config: Any, where: str) -> None:
    """Check that each metric exists, that its config is one that it takes, and that averages are of numbers.

    Raises:
        DefinitionError: If not, naming what does.
    """
    for metric in _metrics(eval_config):
        _check_class(metric, where)
        try:
            metric_specs.metric_instance(metric)
        except Exception as error:
            raise DefinitionError(
                f"{where}: metric '{metric.class_name}' cannot be made"
                f"{f' with config {metric.config}' if metric.config else ''}: {messages.first_line(error)}.",
                f"correct its config. It takes {listed(_parameters(metric)) or 'none'}.",
            ) from error
    for spec in eval_config.metrics_specs:
        if spec.aggregate.macro_average or spec.aggregate.weighted_macro_average:
            plots = [
                one.class_name for one in spec.metrics if any(part in one.class_name for part in _PLOT_PARTS)
            ]
            if plots:
                raise DefinitionError(
                    f"{where}: '{plots[0]}' is no number, so it has no average over classes.",
                    "put it into a metrics_spec of its own, without aggregate.",
                )


def check_attributions(eval_config: Any, where: str) -> None:
    """Check that no metric reads attributions, which an extractor of the user's own would have to make.

    Raises:
        DefinitionError: If one does.
    """
    for metric in _metrics(eval_config):
        if metric.class_name.endswith("Attributions"):
            raise DefinitionError(
                f"{where}: {metric.class_name} reads attributions, and nothing makes them.",
                "give module_file with a function custom_extractors that adds an extractor of attributions.",
            )


def _metrics(eval_config: Any) -> Iterator[Any]:
    for spec in eval_config.metrics_specs:
        yield from spec.metrics


def known() -> set[str]:
    """Names of all metrics that can be evaluated, those of Keras among them."""
    keras = {
        name
        for namespace in (tf_keras.metrics, tf_keras.losses)
        for name in dir(namespace)
        if _is_class(namespace, name)
    }
    return set(metric_types.registered_metrics()) | (keras - set(_NO_EVALUATION_METRICS) - {"Reduction"})


def _is_class(namespace: Any, name: str) -> bool:
    return isinstance(getattr(namespace, name, None), type)


def _check_class(metric: Any, where: str) -> None:
    name = metric.class_name
    if name in metric_types.registered_metrics():
        return
    if name in _NO_EVALUATION_METRICS and metric.module in ("", _LOSSES_MODULE):
        raise DefinitionError(
            f"{where}: Keras' '{name}' is {_NO_EVALUATION_METRICS[name]}, and no metric of labels and predictions.",
            "choose a metric such as 'MeanPrediction', 'MeanAbsoluteError' or 'AUC', or name a class of your own in "
            "'module' and 'class_name'.",
        )
    if not metric.module and name in known():
        return
    if not metric.module or metric.module.rpartition(".")[0] in known_metrics.KERAS_MODULES:
        raise known_metrics.no_class(name, known(), where)
    _check_own(metric, where)


def _check_own(metric: Any, where: str) -> None:
    fix = "correct 'module' and 'class_name' in eval_config's metrics_specs."
    try:
        module = importlib.import_module(metric.module)
    except ImportError as error:
        raise DefinitionError(
            f"{where}: module '{metric.module}' of metric '{metric.class_name}' cannot be imported: {error}.",
            fix,
        ) from error
    found = getattr(module, metric.class_name, None)
    kinds = (metric_types.Metric, tf_keras.metrics.Metric, tf_keras.losses.Loss)
    if found is None:
        classes = [
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, kinds)
        ]
        raise DefinitionError(
            f"{where}: module '{metric.module}' has no metric '{metric.class_name}'. It has {listed(classes)}.",
            f"{did_you_mean(metric.class_name, classes)}{fix[0].upper()}{fix[1:]}",
        )
    if not (isinstance(found, type) and issubclass(found, kinds)):
        raise DefinitionError(
            f"{where}: '{metric.class_name}' of module '{metric.module}' is no metric that TFMA reads: those are "
            "subclasses of tfma.metrics.Metric, and of Metric and Loss of Keras 2 (tf_keras).",
            "derive it from one of these.",
        )


def _parameters(metric: Any) -> list[str]:
    registered = metric_types.registered_metrics().get(metric.class_name)
    namespaces = (tf_keras.metrics, tf_keras.losses)
    found = registered or next(
        (getattr(one, metric.class_name) for one in namespaces if _is_class(one, metric.class_name)), None
    )
    if found is None:
        return []
    parameters = inspect.signature(found.__init__).parameters.values()
    return [one.name for one in parameters if one.name != "self" and one.kind is not one.VAR_KEYWORD]
