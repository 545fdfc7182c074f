"""The names by which metrics may be asked for, read without TensorFlow: short ones, and classes of TFMA and Keras.

Importing TFMA takes seconds, and whoever writes a wrong name is to see it when the pipeline is defined: the classes are
read out of the source files of the installed TFMA and Keras 2.
"""

from __future__ import annotations

import functools
import glob
import importlib.util
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.files import matching, open_file

REGRESSION, BINARY, CLASSES, LABELS = "regression", "binary", "multi-class", "multi-label"
KINDS = (REGRESSION, BINARY, CLASSES, LABELS)
_OF_CLASSES = (BINARY, CLASSES, LABELS)


@dataclass(frozen=True)
class ShortName:
    """A metric by its short name.

    Attributes:
        name: What its values are called.
        class_name: Of TFMA, Keras or Headrace.
        score: Which of the class's measures it is; empty where the class has one.
        kinds: Of problems that have it.
        is_error: Whether less is better.
        averages: Ways to make one number of several classes, the usual one first; empty where it is one number anyway.
        needs_scores: Whether predictions must be scores, not classes.
    """

    name: str
    class_name: str
    score: str = ""
    kinds: tuple[str, ...] = _OF_CLASSES
    is_error: bool = False
    averages: tuple[str, ...] = ()
    needs_scores: bool = False


_AVERAGES = ("macro", "micro", "weighted")
_RANKING = ("macro", "micro", "weighted", "ovr", "ovo", "ovo_weighted")


def _classification(*names: str, averages: tuple[str, ...] = _AVERAGES, **more: object) -> list[ShortName]:
    return [ShortName(name, "ClassificationScore", name, averages=averages, **more) for name in names]  # type: ignore[arg-type]


SHORT_NAMES = {
    one.name: one
    for one in (
        ShortName("r2_score", "R2Score", kinds=(REGRESSION,)),
        ShortName("mean_absolute_error", "MeanAbsoluteError", kinds=(REGRESSION,), is_error=True),
        ShortName("mean_squared_error", "MeanSquaredError", kinds=(REGRESSION,), is_error=True),
        ShortName(
            "mean_absolute_percentage_error",
            "MeanAbsolutePercentageError",
            kinds=(REGRESSION,),
            is_error=True,
        ),
        *(
            ShortName(name, "RegressionScore", name, (REGRESSION,), is_error=True)
            for name in ("root_mean_squared_error", "median_absolute_error", "max_error")
        ),
        ShortName("mean_residual", "RegressionScore", "mean_residual", (REGRESSION,)),
        ShortName("auc", "RankingScore", "auc", averages=_RANKING, needs_scores=True),
        ShortName(
            "average_precision", "RankingScore", "average_precision", averages=_RANKING, needs_scores=True
        ),
        ShortName("log_loss", "ProbabilityScore", "log_loss", is_error=True, needs_scores=True),
        ShortName("brier_score", "ProbabilityScore", "brier_score", is_error=True, needs_scores=True),
        *_classification("accuracy", averages=()),
        *_classification("precision", "recall", "f1", "specificity", "npv", "jaccard"),
        *_classification("true_positives", "true_negatives", averages=("micro",)),
        *_classification("false_positives", "false_negatives", averages=("micro",), is_error=True),
        *_classification("balanced_accuracy", "mcc", "cohen_kappa", averages=(), kinds=(BINARY, CLASSES)),
        *_classification("subset_accuracy", averages=(), kinds=(LABELS,)),
        *_classification("hamming_loss", averages=(), is_error=True),
    )
}
# How else people write them, in small letters without signs.
_ALIASES = {
    "r2": "r2_score",
    "rsquared": "r2_score",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "rootmeansquarederror": "root_mean_squared_error",
    "mape": "mean_absolute_percentage_error",
    "medae": "median_absolute_error",
    "medianae": "median_absolute_error",
    "bias": "mean_residual",
    "residual": "mean_residual",
    "residuals": "mean_residual",
    "roc": "auc",
    "rocauc": "auc",
    "auroc": "auc",
    "aucroc": "auc",
    "prauc": "average_precision",
    "aucpr": "average_precision",
    "auprc": "average_precision",
    "ap": "average_precision",
    "logloss": "log_loss",
    "crossentropy": "log_loss",
    "brier": "brier_score",
    "acc": "accuracy",
    "binaryaccuracy": "accuracy",
    "f1score": "f1",
    "sensitivity": "recall",
    "tpr": "recall",
    "tnr": "specificity",
    "selectivity": "specificity",
    "ppv": "precision",
    "negativepredictivevalue": "npv",
    "matthews": "mcc",
    "matthewscorrcoef": "mcc",
    "matthewscorrelationcoefficient": "mcc",
    "kappa": "cohen_kappa",
    "cohenskappa": "cohen_kappa",
    "cohenkappascore": "cohen_kappa",
    "hamming": "hamming_loss",
    "exactmatchratio": "subset_accuracy",
    "exactmatch": "subset_accuracy",
    "iou": "jaccard",
    "tp": "true_positives",
    "fp": "false_positives",
    "tn": "true_negatives",
    "fn": "false_negatives",
}
_PLAIN = {name.replace("_", ""): name for name in SHORT_NAMES}
_WAYS = ("ovoweighted", "macro", "micro", "weighted", "ovr", "ovo")
# Of TFMA and Keras: where less is better.
_ERROR_WORDS = re.compile(
    r"Error|Loss|CrossEntropy|Crossentropy|Divergence|Hinge|Huber|LogCosh|Poisson|False|^F[NP]R?$|FallOut|MissRate|"
    r"FDR|FOR$|FlipRate|Difference"
)


# What the same thing is called elsewhere.
_OTHER_NAMES = {
    "TruePositiveRate": "TPR",
    "TrueNegativeRate": "TNR",
    "FalsePositiveRate": "FPR",
    "FalseNegativeRate": "FNR",
    "PositivePredictiveValue": "PPV",
    "Sensitivity": "Recall",
    "HitRate": "Recall",
    "Selectivity": "Specificity",
    "CriticalSuccessIndex": "ThreatScore",
    "JaccardIndex": "ThreatScore",
    "MCC": "MatthewsCorrelationCoefficient",
    "R2": "R2Score",
    "RSquared": "R2Score",
    "MAE": "MeanAbsoluteError",
    "MSE": "MeanSquaredError",
    "RMSE": "RootMeanSquaredError",
    "MAPE": "MeanAbsolutePercentageError",
    "MSLE": "MeanSquaredLogarithmicError",
    "F1": "F1Score",
    "LogLoss": "BinaryCrossEntropy",
    "ROCAUC": "AUC",
    "AUROC": "AUC",
    "AUCROC": "AUC",
    "AUCPR": "AUCPrecisionRecall",
    "PRAUC": "AUCPrecisionRecall",
    "AveragePrecision": "AUCPrecisionRecall",
    "ResidualPlot": "CalibrationPlot",
    "ROCCurve": "ConfusionMatrixPlot",
    "ConfusionMatrix": "MultiClassConfusionMatrixPlot",
    "Support": "ExampleCount",
}
KERAS_MODULES = ("keras", "tf_keras", "tf.keras", "tensorflow.keras")


@dataclass(frozen=True)
class Named:
    """A metric that was asked for by a name.

    Attributes:
        short: The short name that it is; `None` where it is a class of TFMA or Keras.
        average: The way to make one number of several classes; empty where none was named.
        class_name: The class where it is no short name.
    """

    short: ShortName | None
    average: str = ""
    class_name: str = ""

    @property
    def is_error(self) -> bool:
        """Whether less is better."""
        return self.short.is_error if self.short else bool(_ERROR_WORDS.search(self.class_name))

    @property
    def name(self) -> str:
        """What its values are called; of a class its name."""
        if self.short is None:
            return self.class_name
        return "_".join(filter(None, (self.short.name, self.average)))


def find(name: str, where: str) -> Named:
    """Return the metric that a name stands for: `"AUC"`, `"F1_macro"`, `"mae"`, `"MeanLabel"`.

    Raises:
        DefinitionError: If there is none, naming what is like it.
    """
    plain = re.sub(r"[^0-9a-z]", "", str(name).lower())
    for way in ("", *_WAYS):
        if way and not plain.endswith(way):
            continue
        base = plain.removesuffix(way) if way else plain
        known = _ALIASES.get(base) or _PLAIN.get(base)
        if known is None:
            continue
        short = SHORT_NAMES[known]
        average = way.replace("ovoweighted", "ovo_weighted")
        if average and average not in short.averages:
            raise DefinitionError(
                f"{where}: '{short.name}' has no average '{average}'. It has {listed(short.averages) or 'none'}.",
                "correct the end of the name.",
            )
        # One against the rest is how the average over classes is made anyway.
        return Named(short, "macro" if average == "ovr" else average)
    if name in installed():
        return Named(None, class_name=name)
    raise unknown(name, where, "correct the name.")


def unknown(name: str, where: str, fix: str) -> DefinitionError:
    """Return what is said of a metric that does not exist."""
    plain = re.sub(r"[^0-9a-z]", "", str(name).lower())
    near = did_you_mean(plain, [*_PLAIN, *_ALIASES]) or did_you_mean(str(name), installed())
    return DefinitionError(
        f"{where}: there is no metric '{name}'. There are {listed(SHORT_NAMES)}, and the classes of TensorFlow Model "
        "Analysis and Keras.",
        f"{near}{fix[0].upper()}{fix[1:]}" if near else fix,
    )


def no_class(name: str, known: Collection[str], where: str) -> DefinitionError:
    """Return what is said of a class in an `EvalConfig` that is none of those known."""
    other = _OTHER_NAMES.get(name.replace("_", ""), "")
    near = f"did you mean '{other}'? " if other else did_you_mean(name, known)
    return DefinitionError(
        f"{where}: there is no metric '{name}' in TensorFlow Model Analysis or Keras.",
        f"{near}Correct class_name in eval_config's metrics_specs, or name the module of your own metric in 'module'.",
    )


def check_classes(eval_config: Any, where: str) -> None:
    """Check the names of the metrics of an `EvalConfig` whose classes are TFMA's, Keras' or Headrace's.

    Raises:
        DefinitionError: If there is no such class, naming one that is like it.
    """
    known = installed()
    for spec in eval_config.metrics_specs if known else ():
        for metric in spec.metrics:
            is_own = metric.module and metric.module.rpartition(".")[0] not in KERAS_MODULES
            if metric.class_name not in known and not is_own:
                raise no_class(metric.class_name, known, where)


@functools.cache
def installed() -> frozenset[str]:
    """Return the metrics of the installed TFMA and Keras 2, those of Headrace among them; empty where none are found."""
    found: set[str] = set()
    for path in _files("tensorflow_model_analysis", "metrics", "*.py"):
        found.update(re.findall(r"register_metric\(\s*(\w+)\s*\)", _text(path)))
    for part in ("metrics", "losses"):
        for path in _files("tf_keras", part, "__init__.py"):
            found.update(re.findall(r"^from \S+ import ([A-Z]\w+)$", _text(path), re.MULTILINE))
    return (
        frozenset(found | {one.class_name for one in SHORT_NAMES.values()} | {"ChosenThreshold"})
        if found
        else frozenset()
    )


def _files(package: str, *parts: str) -> Iterable[str]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        yield from matching(os.path.join(glob.escape(folder), *parts))


def _text(path: str) -> str:
    with open_file(path) as file:
        return file.read().decode("utf-8", "replace")
