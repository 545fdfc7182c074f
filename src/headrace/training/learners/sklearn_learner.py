"""Fits estimators and Pipelines of scikit-learn, and XGBoost's and LightGBM's classes for it; see `learner.Learner`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.errors import TrainingError, listed
from headrace.models import exporters
from headrace.models.exporters.estimators import classes
from headrace.models.features import size
from headrace.models.missing import KeepingMissing
from headrace.runtime.progress import Progress
from headrace.training import balance as balancing
from headrace.training.datasets import Rows
from headrace.training.learners import boosting, frames, scores
from headrace.training.outcome import IsHopeless, Outcome
from headrace.training.short_form import Settings, Source

# What is of no use to a model that is fitted in one go, and what does the same there.
_OF_BATCHES = {
    "epochs": "leave it out; the estimator's own parameter for how long it trains is max_iter or n_estimators",
    "batch_size": "leave it out",
    "monitor": "leave it out; boosting watches its own loss in evaluation",
    "min_delta": "leave it out",
    "keep": "leave it out",
}
_FIRST_WORDS = 600


class EstimatorLearner:
    """One estimator; see `learner.Learner`."""

    def __init__(self, model: Any, source: Source, settings: Settings) -> None:
        self.model = model
        self._settings = settings
        self._name = type(model).__name__
        _check_installed(settings.node_id, self._name)
        self._check_settings()
        exporters.check(model, settings.node_id)
        reader = KeepingMissing(source.reader, source.label, is_checked=True)
        self.source = Source(
            reader, source.features, source.label, source.transform_graph_path, source.schema
        )
        self.names = self._feature_names(source)

    def prepare(
        self, rows: tuple[Rows, Rows], hyperparameters: dict[str, Any], base_model_path: str | None = None
    ) -> None:
        """Set the seed where `build_model` left `random_state` open."""
        del rows, hyperparameters
        node_id = self._settings.node_id
        if base_model_path is not None:
            exporters.start_from(self.model, base_model_path, node_id)
        open_states = {
            name: self._settings.seed
            for name, value in self.model.get_params(deep=True).items()
            if value is None and (name == "random_state" or name.endswith("__random_state"))
        }
        self.model.set_params(**open_states)

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
        """Fit it on all rows at once; boosting ends where the loss in evaluation gets no better."""
        del hyperparameters, run_path, checkpoint_path, is_hopeless
        where = self._settings.node_id
        train, evaluate = (frames.read(one, self.names, where) for one in rows)
        train = (train[0], self._as_learned(train[1]))
        evaluate = (evaluate[0], self._as_learned(evaluate[1]))
        train, arguments = self._balanced(*train)
        told = f"{prefix}{self._name} on {len(train[0]):,} rows, {train[0].shape[1]:,} columns"
        progress.report(told)
        try:
            history = boosting.fit(
                self.model,
                train,
                evaluate,
                arguments,
                self._settings,
                lambda text: progress.report(f"{told}{text}"),
            )
            found = {
                **scores.of_estimator(self.model, *train),
                **scores.in_evaluation(scores.of_estimator(self.model, *evaluate)),
            }
        except (ValueError, TypeError) as error:
            raise self._refused(error) from error
        if not np.isfinite(list(found.values())).all():
            bad = listed(name for name, value in found.items() if not np.isfinite(value))
            raise TrainingError(
                f"{where}: the fitted {self._name} has {bad} that is no number.",
                "look for infinite or very large values in the statistics of the features, and scale them.",
            )
        if not history:
            history = {name: [value] for name, value in found.items()}
        return Outcome(history, len(history["loss"]), found, self._described())

    def _described(self) -> str:
        size_told = exporters.told(self.model)
        return f"{self._name}, {size_told}" if size_told else self._name

    def _check_settings(self) -> None:
        settings = self._settings
        given = {name: why for name, why in _OF_BATCHES.items() if name in settings.given}
        if settings.augment:
            given["augment"] = "make the changed examples before, or take a Keras model"
        if settings.callbacks:
            given["callbacks"] = "leave it out"
        if settings.train_steps or settings.eval_steps:
            given["num_steps"] = "leave it out; all rows of the split are used"
        if "patience" in settings.given and not boosting.can_stop(self.model):
            given["patience"] = (
                "leave it out; early stopping is of XGBoost and LightGBM, others have an option for it"
            )
        for name, fix in given.items():
            raise TrainingError(
                f"{settings.node_id}: {name} is given, and build_model returned a {self._name}, which is fitted on all "
                "rows at once.",
                f"{fix}.",
            )

    def _feature_names(self, source: Source) -> list[str]:
        features, node_id = source.features, self._settings.node_id
        unknown = [name for name in features.order if size(features[name]) is None]
        known = [name for name in features.order if name not in unknown]
        if unknown and (features.is_chosen or not known):
            raise TrainingError(
                f"{node_id}: {listed(unknown)} has rows of several lengths, or rows without a value, and an estimator "
                "takes as many columns of each row.",
                "make as many of it in preprocessing_fn: headrace.features.dense for at most one value, "
                "headrace.features.tokens for words; or leave it out: features=[...].",
            )
        return known

    def _as_learned(self, label: Any) -> Any:
        """Return the label as the estimator takes it: the numbers of classes are whole."""
        import sklearn.base

        if not sklearn.base.is_classifier(self.model):
            if label.dtype == object and sklearn.base.is_regressor(self.model):
                raise TrainingError(
                    f"{self._settings.node_id}: the label holds text, and a {self._name} predicts numbers.",
                    "make a number of it in preprocessing_fn, or take a classifier.",
                )
            return label if label.dtype == object else label.astype(np.float64)
        if label.dtype == object:
            return label.astype(str)
        if label.dtype.kind == "f":
            if (label != np.floor(label)).any():
                raise TrainingError(
                    f"{self._settings.node_id}: the label has fractions, and a {self._name} learns classes.",
                    "take a regressor; or make classes in preprocessing_fn: headrace.features.label(x, classes=True).",
                )
            label = label.astype(np.int64)
        if label.ndim == 1:
            classes.check_numbers(np.unique(label), self._settings.node_id)
        return label

    def _balanced(self, frame: Any, label: Any) -> tuple[tuple[Any, Any], dict[str, Any]]:
        given, where = self._settings.class_balance, self._settings.node_id
        if given is None:
            return (frame, label), {}
        import sklearn.base

        if not sklearn.base.is_classifier(self.model) or np.ndim(label) > 1:
            raise balancing.regression(where, f"build_model returned a {self._name}")
        found, places, counts = np.unique(label, return_inverse=True, return_counts=True)
        own = given
        if isinstance(given, Mapping) and label.dtype.kind == "U":
            own = {str(number): given[name] for number, name in enumerate(found.tolist()) if name in given}
        numbers = found.tolist() if label.dtype.kind != "U" else list(range(len(found)))
        balance = balancing.make(own, dict(zip(map(float, numbers), counts.tolist())), None, where)
        if balance.is_resampled:
            order = balancing.resampled_order(places, balance, len(label), [self._settings.seed, 0]).numpy()
            return (frame.iloc[order].reset_index(drop=True), label[order]), {}
        name = boosting.weight_argument(self.model)
        if name is None:
            raise TrainingError(
                f"{where}: class_balance gives weights, and a {self._name} takes none.",
                'draw the rows instead: class_balance="resample".',
            )
        return (frame, label), {name: balance.weights[places]}

    def _refused(self, error: Exception) -> TrainingError:
        text = str(error).strip()
        said = text if len(text) <= _FIRST_WORDS else f"{text[:_FIRST_WORDS]} ..."
        return TrainingError(
            f"{self._settings.node_id}: {self._name} could not be fitted: {said}",
            "correct build_model: texts need an encoder such as OneHotEncoder, missing values a SimpleImputer, in a "
            "Pipeline or ColumnTransformer; or make such features in preprocessing_fn.",
        )


def _check_installed(where: str, name: str) -> None:
    if importlib.util.find_spec("sklearn") is None:
        raise TrainingError(
            f"{where}: a {name} is fitted with scikit-learn, which is not installed.",
            "install headrace[sklearn]; for XGBoost and LightGBM headrace[boost].",
        )


def make(model: Any, source: Source, settings: Settings) -> EstimatorLearner:
    """Return what fits it; see `learners.make`."""
    return EstimatorLearner(model, source, settings)
