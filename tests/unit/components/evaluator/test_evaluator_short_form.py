"""Evaluator's short form as it is declared: what is recorded, and what is told before anything runs."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.components.evaluator import Evaluator, known_metrics, short_form
from headrace.components.evaluator.own_metrics import aims, choosing
from headrace.components.evaluator.own_metrics.ranked import Ranked
from headrace.errors import DefinitionError


def evaluator(**arguments: Any) -> Evaluator:
    """With examples and a model."""
    return Evaluator(
        Channel(type=standard_artifacts.Examples), Channel(type=standard_artifacts.Model), **arguments
    )


def test_what_is_asked_for_is_recorded_as_plain_values_and_nothing_else() -> None:
    """An error has an upper bound; names stay as they were written."""
    declared = evaluator(
        label="good",
        metrics=["AUC", "f1_macro"],
        slices=["town", ["town", "age"], {"town": "Lugo"}],
        require={"AUC": 0.85, "MAE": {"overall": 2, "town": (1, 3)}},
        improve={"AUC": -0.01},
        choose_threshold={"sensitivity": 0.9, "best": "Precision"},
    )

    recorded = {
        name: declared.exec_properties[name] for name in short_form.NAMES if name in declared.exec_properties
    }
    assert recorded.pop("label") == "good"
    assert {name: json.loads(text) for name, text in recorded.items()} == {
        "metrics": ["AUC", "f1_macro"],
        "slices": [{"town": None}, {"town": None, "age": None}, {"town": "Lugo"}],
        "require": {"AUC": {"overall": [0.85, None]}, "MAE": {"overall": [None, 2.0], "town": [1.0, 3.0]}},
        "improve": {"AUC": -0.01},
        "choose_threshold": {"best": "precision", "recall": 0.9},
    }
    form = short_form.parse("Evaluator", recorded)
    assert short_form.parse(
        "Evaluator", short_form.texts("Evaluator", {"metrics": list(form.metrics)})
    ).metrics == (
        "AUC",
        "f1_macro",
    )
    assert form.wanted == ["AUC", "f1_macro", "MAE"]


def test_a_definition_of_before_records_what_it_recorded() -> None:
    """Its cache stays valid."""
    assert not set(short_form.NAMES) & set(evaluator(eval_config={}).exec_properties)
    assert not set(short_form.NAMES) & set(evaluator().exec_properties)


@pytest.mark.parametrize(
    ("arguments", "told", "near"),
    [
        ({"metrics": ["AUK"]}, "metrics: there is no metric 'AUK'", "'auc'"),
        ({"require": {"acuracy": 0.9}}, "require: there is no metric 'acuracy'", "'accuracy'"),
        ({"metrics": ["auc_macroo"]}, "no metric 'auc_macroo'", ""),
        ({"metrics": ["mae_macro"]}, "'mean_absolute_error' has no average 'macro'", ""),
        ({"metrics": 5}, "metrics is 5", ""),
        ({"require": {"AUC": "high"}}, "AUC is 'high', which is no number", ""),
        ({"require": {"AUC": True}}, "AUC is True", ""),
        ({"require": {"AUC": math.nan}}, "AUC is nan", ""),
        ({"require": {"AUC": (0.9, 0.1)}}, "0.9 is more than 0.1", ""),
        ({"require": 0.9}, "require is 0.9", ""),
        ({"improve": {"AUC": None}}, "AUC is None", ""),
        ({"slices": [[]]}, "slices holds []", ""),
        ({"slices": 5}, "slices is 5", ""),
        ({"choose_threshold": {"recal": 0.9}}, "no measure 'recal'", "'recall'"),
        ({"choose_threshold": {"recall": 90}}, "recall is to be at least 90", ""),
        ({"class_names": ["a", "a"]}, "holds 'a' twice", ""),
        ({"class_names": "abc"}, "class_names is 'abc'", ""),
        ({"label": ""}, "label is ''", ""),
        ({"label": "x", "eval_config": {}}, "eval_config and 'label' are given", ""),
        (
            {"eval_config": {"metrics_specs": [{"metrics": [{"class_name": "MeanLable"}]}]}},
            "there is no metric 'MeanLable'",
            "'MeanLabel'",
        ),
    ],
)
def test_what_is_wrong_is_told_when_the_pipeline_is_defined(
    arguments: dict[str, Any], told: str, near: str
) -> None:
    """Not after the training."""
    with pytest.raises(DefinitionError) as caught:
        evaluator(**arguments)

    assert told in caught.value.problem
    assert near in caught.value.fix


def test_names_of_metrics_are_found_however_they_are_written() -> None:
    """Short ones and those of scikit-learn and TFMA."""
    names = {"AUC": "auc", "roc_auc_ovr": "auc_macro", "MAE": "mean_absolute_error", "F1-macro": "f1_macro"}
    names |= {"ROC AUC": "auc", "MatthewsCorrelationCoefficient": "mcc", "MeanLabel": "MeanLabel"}
    assert {name: known_metrics.find(name, "").name for name in names} == names
    assert {"AUC", "MeanAbsoluteError", "SparseCategoricalAccuracy", "Huber"} <= known_metrics.installed()


def test_a_threshold_is_the_best_of_those_that_reach_the_aim() -> None:
    """Scores 0.1 to 0.4, of which the second and the fourth are right."""
    thresholds = np.array([0.0, 0.15, 0.25, 0.35, 0.4])
    true, false = np.array([2.0, 2, 1, 1, 0]), np.array([2.0, 1, 1, 0, 0])

    chosen = {
        name: choosing.choose(aims.check(aim, ""), thresholds, true, false)["threshold"]
        for name, aim in {
            "all found": {"recall": 1.0, "best": "precision"},
            "sure": {"precision": 1.0, "best": "recall"},
            "F1": "F1",
        }.items()
    }
    assert chosen == {"all found": 0.15, "sure": 0.35, "F1": 0.15}
    missed = choosing.choose({"precision": 1.0, "recall": 1.0, "best": "f1"}, thresholds, true, false)
    assert math.isnan(missed["threshold"])


def test_equal_scores_count_half_and_many_scores_stay_within_their_bound() -> None:
    """An area under the curve by hand, and of more scores than are kept."""
    ranked = Ranked(2, 1_000)
    ranked.add(np.array([0.5, 0.5, 0.7, 0.2]), np.array([1, 0, 1, 0]), np.ones(4))
    assert ranked.of_two([1], [0]).auc == (0.5 + 1 + 1 + 1) / 4

    rng = np.random.default_rng(1)
    scores = rng.random(20_000)
    labels = (rng.random(20_000) < scores).astype(np.int64)
    parts = [Ranked(2, limit) for limit in (1_000, 1_000, 100_000)]
    for part, rows in zip(parts, (slice(0, 9_000), slice(9_000, None), slice(None))):
        part.add(scores[rows], labels[rows], np.ones(len(scores[rows])))
    merged = parts[0].merged(parts[1])
    assert len(merged.values) <= 1_000
    assert merged.of_two([1], [0]).auc == pytest.approx(parts[2].of_two([1], [0]).auc, abs=1e-3)
    assert merged.weights.sum() == 20_000
