"""Areas under ROC and precision-recall curves, and thresholds for an aim, from the order of all scores.

TFMA's AUC sorts scores into 10,000 buckets; this one is scikit-learn's `roc_auc_score` and `average_precision_score`, also
one class against the rest and one against another (Hand and Till, 2001).
"""

from __future__ import annotations

import functools
import itertools
import json
from typing import Any

import numpy as np

from headrace.components.evaluator.own_metrics import aims, choosing
from headrace.components.evaluator.own_metrics.combiner import Asked, OwnCombiner, computations
from headrace.components.evaluator.own_metrics.counts import BINARY, CLASSES, KINDS, LABELS
from headrace.components.evaluator.own_metrics.ranked import Ranked, TwoClasses, limit, together
from headrace.components.evaluator.pairs import Pairs
from headrace.components.evaluator.tfma_internals import metric_types, metric_util

AUC, AVERAGE_PRECISION = "auc", "average_precision"
SCORES = (AUC, AVERAGE_PRECISION)
AVERAGES = ("", "macro", "micro", "weighted", "ovo", "ovo_weighted")
# Beyond that, scores of one class among those of each other one are not kept.
MAX_PAIRED_CLASSES = 20


class Scores(OwnCombiner):
    """Keeps the scores of each class, or label, by the class of the row.

    The accumulator is a list with a `Ranked` for each output of the model. Its groups are the classes of the rows; 0 and 1,
    whether the row has the class, where there are many classes, two, or labels.
    """

    def __init__(self, asked: Asked, kind: str) -> None:
        super().__init__(asked, f"scores_{kind}")
        self.kind = kind

    def create_accumulator(self) -> list[Ranked]:
        """Of no rows."""
        return []

    def accepts(self, pairs: Pairs) -> bool:
        """Whether there is a score for each class or label, and labels are 0 and 1 or numbers of classes."""
        labels, outputs = pairs.labels.shape[1], pairs.predictions.shape[1]
        if self.kind == BINARY and outputs != 1:
            return False
        if labels == outputs:
            return bool(np.isin(pairs.labels, (0, 1)).all())
        return labels == 1 and bool(((pairs.labels >= 0) & (pairs.labels < outputs)).all())

    def add_pairs(self, accumulator: list[Ranked], pairs: Pairs) -> list[Ranked]:
        """Add rows."""
        labels, scores = pairs.labels, pairs.predictions
        outputs = scores.shape[1]
        is_paired = self.kind == CLASSES and outputs <= MAX_PAIRED_CLASSES
        groups = outputs if is_paired else 2
        if not accumulator:
            accumulator = [Ranked(groups, limit(outputs, groups)) for _ in range(outputs)]
        weights = pairs.weights[:, 0]
        actual = labels.argmax(axis=1) if labels.shape[1] == outputs and outputs > 1 else labels[:, 0]
        for number, ranked in enumerate(accumulator):
            group = actual
            if self.kind == LABELS:
                group = labels[:, number]
            elif self.kind == CLASSES and not is_paired:
                group = actual == number
            ranked.add(scores[:, number], group, weights)
        return accumulator

    def merged(self, one: list[Ranked], other: list[Ranked]) -> list[Ranked]:
        """Return the scores of both."""
        return [a.merged(b) for a, b in zip(one, other)] if one and other else one or other

    def compact(self, accumulator: list[Ranked]) -> list[Ranked]:
        """Sort in what waits for it."""
        return [ranked.settle() for ranked in accumulator]


def one_against_rest(kind: str, kept: list[Ranked]) -> list[TwoClasses]:
    """Return for each class or label its scores, positive where the row has it; one alone of two classes."""
    found = []
    for number, ranked in enumerate(kept):
        is_paired = kind == CLASSES and ranked.num_groups == len(kept)
        positive = [number] if is_paired else [1]
        found.append(
            ranked.of_two(positive, [one for one in range(ranked.num_groups) if one not in positive])
        )
    return found


def _one_against_one(measure: str, average: str, kept: list[Ranked]) -> float:
    if len(kept) < 2 or kept[0].num_groups != len(kept):
        return float("nan")
    values, weights = [], []
    for one, other in itertools.combinations(range(len(kept)), 2):
        both = (kept[one].of_two([one], [other]), kept[other].of_two([other], [one]))
        values.append(np.mean([getattr(part, measure) for part in both]))
        weights.append(both[0].positive.sum() + both[0].negative.sum())
    return float(np.average(values, weights=weights if average == "ovo_weighted" else None))


def _measured(
    name: str, measure: str, average: str, kind: str, kept: list[Ranked]
) -> dict[tuple[str, int | None], float]:
    if average.startswith("ovo"):
        return {(name, None): _one_against_one(measure, average, kept)}
    parts = one_against_rest(kind, kept)
    if not parts:
        return {(name, None): float("nan")}
    if average == "micro":
        return {(name, None): getattr(together(parts), measure)}
    values = [getattr(part, measure) for part in parts]
    if average:
        weights = [part.positive.sum() for part in parts] if average == "weighted" else None
        is_known = weights is None or sum(weights) > 0
        return {(name, None): float(np.average(values, weights=weights)) if is_known else float("nan")}
    if kind == BINARY:
        return {(name, None): values[0]}
    return {(name, number): value for number, value in enumerate(values)}


class RankingScore(metric_types.Metric):
    """A measure of the order of scores, equal to scikit-learn's.

    Args:
        name: Of the metric.
        score: `"auc"`, of the ROC curve, or `"average_precision"`.
        kind: `"binary"`, `"multi-class"` or `"multi-label"`.
        average: Of one class against the rest: `"macro"`, `"micro"`, `"weighted"`; of each class against each other one:
            `"ovo"`, `"ovo_weighted"`; empty for a value of each class.
    """

    def __init__(self, name: str = "", score: str = AUC, kind: str = BINARY, average: str = "") -> None:
        for given, known, what in (
            (score, SCORES, "score"),
            (kind, KINDS, "kind"),
            (average, AVERAGES, "average"),
        ):
            if given not in known:
                raise ValueError(f"{what} is {given!r}, and may be one of {known}")
        super().__init__(
            metric_util.merge_per_key_computations(_ranking),
            name=name or "_".join(filter(None, (score, average))),
            score=score,
            kind=kind,
            average=average,
        )


def _ranking(
    name: str,
    score: str,
    kind: str,
    average: str,
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    combiner = Scores(Asked(eval_config, model_name, output_name, example_weighted), kind)
    return computations(combiner, name, functools.partial(_measured, name, score, average, kind))


class ChosenThreshold(metric_types.Metric):
    """The threshold that meets an aim, and what comes of it, for each class or label; see `aims`.

    Args:
        name: Of the threshold; the measures that come of it are named after it.
        aim: Such as `{"recall": 0.9, "best": "precision"}`, or its JSON text.
        kind: `"binary"`, `"multi-class"` or `"multi-label"`.
    """

    def __init__(self, name: str = aims.NAME, aim: Any = None, kind: str = BINARY) -> None:
        given = aim if isinstance(aim, str) else json.dumps(aim or aims.USUAL)
        aims.check(json.loads(given), "choose_threshold")
        super().__init__(metric_util.merge_per_key_computations(_choosing), name=name, aim=given, kind=kind)


def _choosing(
    name: str,
    aim: str,
    kind: str,
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    combiner = Scores(Asked(eval_config, model_name, output_name, example_weighted), kind)
    return computations(combiner, name, functools.partial(_chosen, name, json.loads(aim), kind))


def _chosen(
    name: str, aim: dict[str, Any], kind: str, kept: list[Ranked]
) -> dict[tuple[str, int | None], float]:
    found: dict[tuple[str, int | None], float] = {}
    for number, part in enumerate(one_against_rest(kind, kept)):
        of_class = None if kind == BINARY else number
        thresholds, true, false = part.counts()
        chosen = choosing.choose(aim, thresholds, true, false)
        for measure, value in chosen.items():
            found[name if measure == aims.THRESHOLD else f"{name}_{measure}", of_class] = value
    return found


metric_types.register_metric(RankingScore)
metric_types.register_metric(ChosenThreshold)
