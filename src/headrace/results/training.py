"""ModelRun, HyperParameters and TunerResults in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headrace.formats import hyperparameters, training_histories
from headrace.formats.hyperparameters import Trial
from headrace.results.result import Bounds, Result, number, plain

if TYPE_CHECKING:
    import pandas as pd


class ModelRun(Result):
    """How a training went: what `headrace.load` returns of a `ModelRun` artifact.

    Example:
        >>> import headrace
        >>> run = headrace.load("latest/Trainer.model_run")  # doctest: +SKIP
        >>> run.history["val_loss"].min()  # doctest: +SKIP
        0.2411
    """

    @property
    def history(self) -> pd.DataFrame:
        """Loss and metrics: a row for each epoch, from 1, and a column for each; without rows where none was recorded."""
        import pandas as pd

        found = {name: pd.Series(values, dtype=float) for name, values in self._history.items()}
        frame = pd.DataFrame(found)
        frame.index = pd.RangeIndex(1, len(frame) + 1, name="epoch")
        return frame

    @property
    def best_epoch(self) -> int | None:
        """The epoch, from 1, with the smallest loss, on validation data where there is one; `None` without a history."""
        best = training_histories.best_epoch(self._history)
        return None if best is None else best + 1

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `ModelRunData`."""
        history = bounds.pairs("history", self._history)
        best = training_histories.best_epoch(self._history)
        return {
            "num_epochs": max((len(values) for values in self._history.values()), default=0),
            "best_epoch": None if best is None else best + 1,
            "best": {
                name: number(values[best])
                for name, values in history.items()
                if best is not None and best < len(values)
            },
            "history": {
                name: [number(value) for value in bounds.first(f"history.{name}", values)]
                for name, values in history.items()
            },
        }

    @property
    def _history(self) -> Mapping[str, Sequence[float]]:
        return training_histories.read(self.path)


class HyperParameters(Result):
    """Values that a Tuner chose: what `headrace.load` returns of a `HyperParameters` artifact.

    Example:
        >>> import headrace
        >>> headrace.load("latest/Tuner.best_hyperparameters").values  # doctest: +SKIP
        {'units': 64, 'learning_rate': 0.003}
    """

    @property
    def values(self) -> Mapping[str, object]:
        """The values by name."""
        return dict(hyperparameters.read_best(self.path).values)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `HyperParametersData`."""
        return {"values": plain(self.values, bounds, "values")}


class TunerResults(Result):
    """The trials of a Tuner: what `headrace.load` returns of a `TunerResults` artifact.

    Example:
        >>> import headrace
        >>> headrace.load("latest/Tuner.tuner_results").trials.head(3)  # doctest: +SKIP
    """

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each trial, the best first: `trial_id`, `score`, and a column for each hyperparameter."""
        import pandas as pd

        rows = [{"trial_id": one.trial_id, "score": one.score, **one.values} for one in self._trials]
        return pd.DataFrame(rows, columns=None if rows else ["trial_id", "score"])

    @property
    def best(self) -> Mapping[str, object]:
        """The hyperparameters of the best trial; empty where none was finished."""
        return dict(self._trials[0].values) if self._trials else {}

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `TunerResultsData`."""
        return {
            "trials": [
                {
                    "trial_id": one.trial_id,
                    "score": number(one.score),
                    "values": plain(one.values, bounds, "trials.values"),
                }
                for one in bounds.first("trials", self._trials)
            ]
        }

    @property
    def _trials(self) -> Sequence[Trial]:
        return hyperparameters.read_trials(self.path)
