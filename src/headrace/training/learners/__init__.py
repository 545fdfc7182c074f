"""What trains the model that `build_model` returned, whatever its framework; see `learner.Learner`.

A framework adds one module and a line here, beside its exporter in `headrace.models.exporters.frameworks`; it is imported
only for models of this framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from headrace.models.exporters import frameworks

if TYPE_CHECKING:
    from headrace.training.learners.learner import Learner
    from headrace.training.short_form import Settings, Source

# By what `frameworks.name` calls the framework. The module has a `make`.
_LEARNERS = {
    "keras": "headrace.training.learners.keras_learner",
    "sklearn": "headrace.training.learners.sklearn_learner",
    "xgboost": "headrace.training.learners.sklearn_learner",
    "lightgbm": "headrace.training.learners.sklearn_learner",
}


def make(model: Any, source: Source, settings: Settings) -> Learner:
    """Return what trains a model that `short_form.build` returned.

    Raises:
        ModelError: If it could be trained and not exported, naming what can be.
        TrainingError: If it takes what is no feature, or a parameter is given that such a model has no use for.
    """
    module = importlib.import_module(_LEARNERS[frameworks.name(model)])
    learner: Learner = module.make(model, source, settings)
    return learner
