"""Every metric that TFMA and Keras have, by its name: by batches as row by row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from evaluated_rows import config, measured, written
from evaluation import assert_close, evaluate, tables

from headrace.components.evaluator import execution, metric_names

_ = (written,)  # fixtures


CONFIGS: dict[str, dict[str, Any]] = {
    "CalibrationPlot": {"num_buckets": 20, "left": 0.0, "right": 10.0},
    "ConfusionMatrixAtThresholds": {"thresholds": [0.3, 0.5]},
    "ConfusionMatrixPlot": {"num_thresholds": 20},
    "MultiClassConfusionMatrixAtThresholds": {"thresholds": [0.3, 0.5]},
    "Mean": {"feature_key_path": ["features", "value"]},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "RecallAtFalsePositiveRate": {"false_positive_rate": 0.3},
    "ThresholdAtRecall": {"recall": 0.5},
    "FBetaScore": {"threshold": 0.5},
    "IoU": {"num_classes": 2, "target_class_ids": [0, 1]},
    "MeanIoU": {"num_classes": 2},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 1]},
    "OneHotMeanIoU": {"num_classes": 3},
    "SparseTopKCategoricalAccuracy": {"k": 2},
    "TopKCategoricalAccuracy": {"k": 2},
    "NDCG": {"gain_key": "weight", "top_k_list": [2]},
}


# Label, prediction and metrics of each kind of problem; all that is left is a metric of two classes.
KINDS: dict[str, tuple[str, str, set[str]]] = {
    "regression": (
        "target",
        "value",
        {
            "MeanAbsoluteError",
            "MeanSquaredError",
            "MeanAbsolutePercentageError",
            "MeanSquaredLogarithmicError",
            "RootMeanSquaredError",
            "SquaredPearsonCorrelation",
            "R2Score",
            "CalibrationPlot",
            "LogCosh",
            "LogCoshError",
            "Huber",
            "Poisson",
            "CosineSimilarity",
            "Accuracy",
            "Mean",
        },
    ),
    "classes": (
        "class",
        "scores",
        {
            "SparseCategoricalAccuracy",
            "SparseCategoricalCrossentropy",
            "SparseTopKCategoricalAccuracy",
            "MultiClassConfusionMatrixPlot",
            "MultiClassConfusionMatrixAtThresholds",
        },
    ),
    "one hot": (
        "one_hot",
        "scores",
        {
            "CategoricalAccuracy",
            "CategoricalCrossentropy",
            "CategoricalFocalCrossentropy",
            "CategoricalHinge",
            "TopKCategoricalAccuracy",
            "OneHotIoU",
            "OneHotMeanIoU",
            "KLDivergence",
        },
    ),
    "several labels": ("labels", "many", {"MultiLabelConfusionMatrixPlot", "FBetaScore"}),
    "candidate and baseline": (
        "is_it",
        "share",
        {
            "BooleanFlipRates",
            "NegToNegFlipRate",
            "NegToPosFlipRate",
            "PosToNegFlipRate",
            "PosToPosFlipRate",
            "SymmetricFlipRate",
            "SymmetricPredictionDifference",
            "ModelCosineSimilarity",
        },
    ),
    "two classes": ("is_it", "share", set()),
}


# Of labels and predictions of other forms, of random rows, of attributions, of the rows of a query; and the one that
# changes its predictions in place.
ELSEWHERE = (
    "CategoricalCrossEntropy|Attributions|FeatureSampler|COCO|ObjectDetection|SemanticSegmentation|SetMatch|Bleu|Rouge|ExactMatch|NDCG|"
    "MinLabelPosition|QueryStatistics"
)


def names_of(kind: str) -> list[str]:
    """Metrics of a kind, each in one kind."""
    placed = set().union(*(names for _, _, names in KINDS.values()))
    if kind == "two classes":
        return sorted(name for name in metric_names.known() - placed if not re.search(ELSEWHERE, name))
    return sorted(KINDS[kind][2])


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_by_its_name_equals_tfmas_own_answer(
    tmp_path: Path, written: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """All that TFMA and Keras have for rows of numbers: in several files by batches as in one row by row."""
    label, prediction, _ = KINDS[kind]
    metrics = [{"class_name": one, "config": json.dumps(CONFIGS.get(one, {}))} for one in names_of(kind)]
    asked = config(label, prediction, *metrics, slicing_specs=[{}])
    if kind == "candidate and baseline":
        other = {"label_key": label, "prediction_key": "weight", "name": "old", "is_baseline": True}
        asked["model_specs"] = [{**asked["model_specs"][0], "name": "new"}, other]

    ours, _ = evaluate(tmp_path / "ours", asked, {"examples": written["several files"]})
    monkeypatch.setattr(execution, "_needs_tfma", lambda evaluation: "it was asked for")
    recorded: dict[str, str] = {}
    tfmas, _ = evaluate(tmp_path / "tfmas", asked, {"examples": written["one file"]}, recorded=recorded)

    assert_close(tables(ours), tables(tfmas))
    assert recorded["headrace_implementation"] == "stock"
    assert recorded["headrace_implementation_reason"] == "it was asked for"


def test_metrics_of_queries_are_the_same_in_any_files(tmp_path: Path, written: dict[str, list[Any]]) -> None:
    """The rows of a query are gathered from all files."""
    names = ("NDCG", "MinLabelPosition", "QueryStatistics")
    metrics = [{"class_name": one, "config": json.dumps(CONFIGS.get(one, {}))} for one in names]
    asked = config("is_it", "share", *metrics, slicing_specs=[{}])
    asked["metrics_specs"][0]["query_key"] = "slice"

    found = [measured(tmp_path / name, asked, written[name]) for name in ("one file", "several files")]

    assert found[0] == found[1]
    assert len(found[0][""]) >= len(names)
