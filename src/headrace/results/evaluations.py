"""ModelEvaluation in Python: metrics by slice, the confusion matrix, curves, and what the thresholds said."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from headrace.errors import DataError, did_you_mean, listed
from headrace.formats import verdicts
from headrace.formats.evaluations import files
from headrace.formats.evaluations.metrics import OVERALL, Metric, read_metrics
from headrace.formats.evaluations.plots import Plot, ThresholdPoint, read_plots
from headrace.formats.verdicts import Threshold, Verdict
from headrace.results.result import Bounds, Result, number, plain

if TYPE_CHECKING:
    import pandas as pd

_CURVE = ("threshold", "tp", "fp", "tn", "fn", "precision", "recall", "false_positive_rate", "f1")


class Evaluation(Result):
    """How good a model is: what `headrace.load` returns of a `ModelEvaluation` artifact.

    A slice is named `"Overall"`, or `"feature:value"`.

    Example:
        >>> import headrace
        >>> evaluation = headrace.load("latest/Evaluator.evaluation")  # doctest: +SKIP
        >>> evaluation.metric("auc")  # doctest: +SKIP
        0.9119
        >>> evaluation.metrics.loc["Overall"]  # doctest: +SKIP
        >>> evaluation.confusion(threshold=0.3)  # doctest: +SKIP
    """

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics of the candidate: a row for each slice, the whole data first, and a column for each metric."""
        return _by_slice(self.candidate_metrics())

    @property
    def baseline_metrics(self) -> pd.DataFrame:
        """Those of the model that it was compared with; without rows where there was none."""
        return _by_slice([one for one in self._metrics if one.is_baseline and not one.is_difference])

    @property
    def differences(self) -> pd.DataFrame:
        """Candidate minus baseline; without rows where there was none."""
        return _by_slice([one for one in self._metrics if one.is_difference])

    def candidate_metrics(self) -> list[Metric]:
        """Return the metrics of the candidate one by one, with confidence intervals where they were computed."""
        return [one for one in self._metrics if not one.is_baseline and not one.is_difference]

    def metric(self, name: str, slice_name: str = OVERALL) -> float:
        """Return one metric of the candidate.

        Raises:
            DataError: If there is no such metric or slice, naming those there are.
        """
        found = {(one.slice_name, one.name): one.value for one in self.candidate_metrics()}
        slices = dict.fromkeys(place for place, _ in found)
        if slice_name not in slices:
            raise DataError(
                f"{self._where} has no slice '{slice_name}'. It has {listed(slices)}.",
                f"{did_you_mean(slice_name, slices)}Correct slice_name.",
            )
        if (slice_name, name) not in found:
            names = [one for place, one in found if place == slice_name]
            raise DataError(
                f"{self._where} has no metric '{name}' of slice '{slice_name}'. It has {listed(names)}.",
                f"{did_you_mean(name, names)}Correct the name, or let Evaluator compute it.",
            )
        return found[slice_name, name]

    @property
    def slices(self) -> Sequence[str]:
        """The names of its slices, the whole data first."""
        return tuple(dict.fromkeys(one.slice_name for one in self._metrics))

    def confusion(
        self, *, slice_name: str = OVERALL, threshold: float = 0.5, title: str = ""
    ) -> pd.DataFrame:
        """Return the confusion matrix: rows are actual classes, columns predicted ones, cells numbers of examples.

        Of several classes that is what the model is most sure of; of two, what lies above the threshold.

        Args:
            slice_name: The slice.
            threshold: For two classes: the nearest one that was computed; `attrs["threshold"]` tells which.
            title: Output and class, of a model with several.

        Raises:
            DataError: If there is none, saying how to have it computed.
        """
        import pandas as pd

        plots = [one for one in self.plots if one.slice_name == slice_name and title in ("", one.title)]
        for plot in plots:
            if plot.classes is not None:
                numbers = sorted({number for pair in plot.classes for number in pair})
                names = [plot.class_name(number) for number in numbers]
                cells = [[plot.classes.get((actual, other), 0.0) for other in numbers] for actual in numbers]
                return pd.DataFrame(cells, _axis("actual", names), _axis("predicted", names))
        for plot in plots:
            if plot.thresholds:
                at = min(plot.thresholds, key=lambda one: abs(one.threshold - threshold))
                names = [plot.class_name(0), plot.class_name(1)]
                frame = pd.DataFrame(
                    [[at.tn, at.fp], [at.fn, at.tp]], _axis("actual", names), _axis("predicted", names)
                )
                frame.attrs["threshold"] = at.threshold
                return frame
        raise self._no_plot("confusion matrix", slice_name, title)

    def curve(self, *, slice_name: str = OVERALL, title: str = "") -> pd.DataFrame:
        """Return counts, precision, recall, false positive rate and F1 by rising threshold.

        Raises:
            DataError: If there is none, saying how to have it computed.
        """
        import pandas as pd

        for plot in self.plots:
            if plot.slice_name == slice_name and plot.thresholds and title in ("", plot.title):
                return pd.DataFrame([_point(one) for one in plot.thresholds], columns=list(_CURVE))
        raise self._no_plot("curve", slice_name, title)

    @functools.cached_property
    def plots(self) -> Sequence[Plot]:
        """All curves and matrices, as they were computed."""
        return tuple(read_plots(self.path))

    @property
    def class_names(self) -> Sequence[str]:
        """The names of the classes 0, 1, 2 ...; none where labels and predictions were numbers."""
        return files.read_class_names(self.path)

    @property
    def is_blessed(self) -> bool | None:
        """Whether the model met all thresholds; `None` where there was none, or stock TFX evaluated."""
        return self._verdict.is_blessed

    @property
    def thresholds(self) -> pd.DataFrame:
        """What each threshold said: metric, slice, bounds, the value held against them, and whether it passed."""
        import pandas as pd

        names = list(Threshold.__dataclass_fields__)
        return pd.DataFrame([asdict(one) for one in self._verdict.thresholds], columns=names)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `EvaluationData`."""
        slices = bounds.first("metrics", self.slices)
        parts = {"metrics": (False, False), "baseline_metrics": (True, False), "differences": (False, True)}
        told: dict[str, dict[str, dict[str, object]]] = {part: {} for part in parts}
        intervals: dict[str, dict[str, list[object]]] = {}
        for one in self._metrics:
            if one.slice_name not in slices:
                continue
            part = next(
                name
                for name, (is_baseline, is_difference) in parts.items()
                if one.is_difference is is_difference and (is_difference or one.is_baseline is is_baseline)
            )
            told[part].setdefault(one.slice_name, {})[one.name] = number(one.value)
            if part == "metrics" and one.low is not None:
                intervals.setdefault(one.slice_name, {})[one.name] = [number(one.low), number(one.high)]
        thresholds = bounds.first("thresholds", self._verdict.thresholds)
        return {
            "is_blessed": self.is_blessed,
            **told,
            "intervals": intervals,
            "thresholds": [plain(one, bounds, "thresholds") for one in thresholds],
            "class_names": bounds.first("class_names", self.class_names),
        }

    @functools.cached_property
    def _metrics(self) -> list[Metric]:
        return read_metrics(self.path)

    @functools.cached_property
    def _verdict(self) -> Verdict:
        return verdicts.read(self.path) or Verdict(None)

    @property
    def _where(self) -> str:
        return f"{self.type_name} {self.artifact_id}"

    def _no_plot(self, what: str, slice_name: str, title: str) -> DataError:
        known = [f"{one.slice_name} {one.title}".strip() for one in self.plots]
        return DataError(
            f"{self._where} has no {what} of '{' '.join([slice_name, title]).strip()}'. There are curves or matrices of "
            f"{listed(known)}.",
            "name one of these; or add the metric ConfusionMatrixPlot, or MultiClassConfusionMatrixPlot, to eval_config.",
        )


def _by_slice(metrics: Sequence[Metric]) -> pd.DataFrame:
    import pandas as pd

    rows: dict[str, dict[str, float]] = {}
    for one in metrics:
        rows.setdefault(one.slice_name, {})[one.name] = one.value
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "slice"
    return frame


def _axis(name: str, labels: Sequence[str]) -> pd.Index:
    import pandas as pd

    return pd.Index(labels, name=name)


def _point(point: ThresholdPoint) -> list[float | None]:
    return [getattr(point, name) for name in _CURVE]
