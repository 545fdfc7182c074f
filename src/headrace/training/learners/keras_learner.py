"""Trains models of Keras 3; see `learner.Learner`."""

from __future__ import annotations

from typing import Any

from headrace.models import exporters, keras_inputs
from headrace.runtime.progress import Progress
from headrace.training import fitting, short_form
from headrace.training.datasets import Rows
from headrace.training.outcome import IsHopeless, Outcome


class KerasLearner:
    """One `keras.Model`; see `learner.Learner`."""

    def __init__(self, model: Any, source: short_form.Source, settings: short_form.Settings) -> None:
        self.model = model
        self.source = source
        self._settings = settings
        self._inputs = keras_inputs.resolve(model, source.features, settings.node_id)
        self.names = self._inputs.names
        self._is_row_wise = False

    def prepare(
        self, rows: tuple[Rows, Rows], hyperparameters: dict[str, Any], base_model_path: str | None = None
    ) -> None:
        """Compile it where `build_model` did not; take over weights."""
        node_id = self._settings.node_id
        label = rows[0].label_range
        self._is_row_wise = short_form.compile_if_needed(self.model, label, hyperparameters, node_id)
        if base_model_path is not None:
            exporters.start_from(self.model, base_model_path, node_id)

    def fit(
        self,
        rows: tuple[Rows, Rows],
        hyperparameters: dict[str, Any],
        *,
        progress: Progress,
        run_path: str = "",
        checkpoint_path: str = "",
        prefix: str = "",
        is_hopeless: IsHopeless | None = None,
    ) -> Outcome:
        """Train it by batches; see `fitting.fit`."""
        return fitting.fit(
            self.model,
            rows,
            self._settings,
            hyperparameters,
            self._inputs,
            features=self.source.features,
            progress=progress,
            is_row_wise=self._is_row_wise,
            prefix=prefix,
            run_path=run_path,
            checkpoint_path=checkpoint_path,
            is_hopeless=is_hopeless,
        )


def make(model: Any, source: short_form.Source, settings: short_form.Settings) -> KerasLearner:
    """Return what trains it; see `learners.make`."""
    return KerasLearner(model, source, settings)
