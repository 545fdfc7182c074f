"""The form of what trains the models of a framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from headrace.runtime.progress import Progress
from headrace.training.datasets import Rows
from headrace.training.outcome import IsHopeless, Outcome
from headrace.training.short_form import Source


class Learner(Protocol):
    """One model and what trains it.

    Attributes:
        model: What `build_model` returned; `fit` trains this object.
        source: Where its rows are to be read from.
        names: The features that it takes.
    """

    model: Any
    source: Source
    names: Sequence[str]

    def prepare(
        self, rows: tuple[Rows, Rows], hyperparameters: dict[str, Any], base_model_path: str | None = None
    ) -> None:
        """Make the model ready for these rows: compile it where that is needed, give it the weights to start from.

        Args:
            rows: For training and for evaluation.
            hyperparameters: Those that `build_model` got.
            base_model_path: The SavedModel to start from.

        Raises:
            TrainingError: If the model does not fit the rows: what `build_model` has to correct.
        """

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
        """Train the prepared model.

        Args:
            rows: For training and for evaluation.
            hyperparameters: Those that `build_model` got.
            progress: Gets what is done.
            run_path: Folder of a ModelRun for what is kept while training; empty for none.
            checkpoint_path: From where training goes on if it was killed; empty for nowhere.
            prefix: Said before what is done, such as `"trial 2/10 "`.
            is_hopeless: Whether to stop, asked after each epoch with its metrics; of what is fitted in one go never.

        Raises:
            TrainingError: If nothing usable was learned, such as weights of NaN.
        """
