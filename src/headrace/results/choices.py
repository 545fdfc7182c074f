"""ModelSelection and FeatureImportances in Python: candidates, and what a score loses without each feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from headrace.formats import importances, selections
from headrace.results.result import Bounds, Result, plain

if TYPE_CHECKING:
    import pandas as pd


class ModelSelection(Result):
    """What a ModelSelector chose: what `headrace.load` returns of a `ModelSelection` artifact.

    Example:
        >>> import headrace
        >>> selection = headrace.load("latest/ModelSelector.selection")  # doctest: +SKIP
        >>> selection.chosen, selection.candidates  # doctest: +SKIP
    """

    @property
    def chosen(self) -> str:
        """The name of the candidate that was chosen."""
        return selections.read(self.artifact).chosen

    @property
    def reason(self) -> str:
        """Why it was chosen."""
        return selections.read(self.artifact).reason

    @property
    def candidates(self) -> pd.DataFrame:
        """The candidates by name, the best first: `value`, `num_bytes`, `is_blessed`, `model_id`, then their metrics."""
        import pandas as pd

        rows = [asdict(one) for one in selections.read(self.artifact).candidates]
        plain_columns = [{name: value for name, value in row.items() if name != "metrics"} for row in rows]
        found = [{**row, **whole["metrics"]} for row, whole in zip(plain_columns, rows)]
        return pd.DataFrame(found).set_index("name")

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `ModelSelectionData`."""
        selection = selections.read(self.artifact)
        return {
            "chosen": selection.chosen,
            "reason": selection.reason,
            "metric": selection.metric,
            "slice": selection.slice_name,
            "is_lower_better": selection.is_lower_better,
            "candidates": [
                plain(one, bounds, "candidates") for one in bounds.first("candidates", selection.candidates)
            ],
            "remarks": bounds.first("remarks", selection.remarks),
        }


class FeatureImportances(Result):
    """What a FeatureImportance measured: what `headrace.load` returns of a `FeatureImportances` artifact.

    Example:
        >>> import headrace
        >>> headrace.load("latest/FeatureImportance.importances").to_pandas()  # doctest: +SKIP
    """

    @property
    def metric(self) -> str:
        """The score's name."""
        return importances.read(self.artifact).metric

    @property
    def score(self) -> float:
        """The score of the rows as they are."""
        return importances.read(self.artifact).score

    def to_pandas(self) -> pd.DataFrame:
        """Return what the score loses without each feature: `mean` and `deviation`, the most important first."""
        import pandas as pd

        rows = [asdict(one) for one in importances.read(self.artifact).features]
        return pd.DataFrame(rows, columns=["name", "mean", "deviation"]).set_index("name")

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `FeatureImportancesData`."""
        content = importances.read(self.artifact)
        return {
            "metric": content.metric,
            "score": plain(content.score, bounds, "score"),
            "is_lower_better": content.is_lower_better,
            "num_rows": content.num_rows,
            "num_repeats": content.num_repeats,
            "split": content.split,
            "features": [
                plain(one, bounds, "features") for one in bounds.first("features", content.features)
            ],
        }
