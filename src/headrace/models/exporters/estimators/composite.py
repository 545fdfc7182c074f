"""Estimators made of others."""

from __future__ import annotations

from collections import UserList
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators import registry
from headrace.models.exporters.estimators.registry import (
    PREDICTIONS,
    PROBABILITIES,
    Converter,
    Prediction,
    Store,
    converts,
)
from headrace.models.exporters.estimators.table import Table


def _is_step(step: Any) -> bool:
    return step is not None and not isinstance(step, str)


@converts("sklearn.pipeline.Pipeline")
class Steps(Converter):
    """One after the other."""

    def check(self, estimator: Any) -> str | None:
        """Each step, of which all but the last transform."""
        steps = [step for _, step in estimator.steps if _is_step(step)]
        for step in steps[:-1]:
            if registry.check(step) is None and not registry.can_transform(step):
                return f"{registry.describe(step)} is not covered as a transformer"
        if not _is_step(estimator.steps[-1][1]) or not steps:
            return "the Pipeline ends with no estimator"
        return registry.check_all(steps)

    def transform(self, estimator: Any, table: Table, store: Store) -> Table:
        """See `transform`."""
        return self._until(estimator.steps, table, store)

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        before = self._until(estimator.steps[:-1], table, store)
        return registry.predict(estimator.steps[-1][1], before, store)

    def told(self, estimator: Any) -> str:
        """The last step's."""
        last = estimator.steps[-1][1]
        size = registry.told(last)
        return f"{registry.describe(last)}{f', {size}' if size else ''}"

    def _until(self, steps: Iterable[tuple[str, Any]], table: Table, store: Store) -> Table:
        for _, step in steps:
            if _is_step(step):
                table = registry.transform(step, table, store)
        return table


@converts("sklearn.compose._column_transformer.ColumnTransformer")
class Columns(Converter):
    """Transformers side by side, each of some columns."""

    def check(self, estimator: Any) -> str | None:
        """Each transformer."""
        given = [step for _, step, _ in estimator.transformers] + [estimator.remainder]
        return registry.check_all(filter(_is_step, given))

    def transform(self, estimator: Any, table: Table, store: Store) -> Table:
        """See `transform`."""
        parts = []
        for _, step, columns in estimator.transformers_:
            if isinstance(step, str) and step == "drop":
                continue
            chosen = table.select(_columns(columns, table))
            if chosen.width:
                parts.append(registry.transform(step, chosen, store) if _is_step(step) else chosen)
        return Table([block for part in parts for block in part.blocks])


def _columns(given: Any, table: Table) -> Sequence[Any]:
    if isinstance(given, UserList):
        # scikit-learn 1.5 and 1.6 warn where the positions of the rest are looked at.
        given = given.data
    if isinstance(given, slice):
        names = list(table.names)
        if isinstance(given.start, str) or isinstance(given.stop, str):
            start = names.index(given.start) if given.start is not None else None
            stop = names.index(given.stop) + 1 if given.stop is not None else None
            return names[start : stop : given.step]
        return list(range(table.width))[given]
    found = np.atleast_1d(np.asarray(given, object)).tolist()
    if found and all(isinstance(one, (bool, np.bool_)) for one in found):
        return [place for place, is_taken in enumerate(found) if is_taken]
    return found


@converts("sklearn.pipeline.FeatureUnion")
class Union(Converter):
    """Transformers side by side, each of all columns."""

    def check(self, estimator: Any) -> str | None:
        """Each; weights are of no use here."""
        if estimator.transformer_weights:
            return "FeatureUnion(transformer_weights=...) is not covered"
        return registry.check_all(step for _, step in estimator.transformer_list if _is_step(step))

    def transform(self, estimator: Any, table: Table, store: Store) -> Table:
        """See `transform`."""
        parts = [
            registry.transform(step, table, store) if _is_step(step) else table
            for _, step in estimator.transformer_list
            if step != "drop"
        ]
        return Table([block for part in parts for block in part.blocks])


@converts(
    "sklearn.model_selection._search.GridSearchCV", "sklearn.model_selection._search.RandomizedSearchCV"
)
class Search(Converter):
    """The best of a search."""

    def check(self, estimator: Any) -> str | None:
        """The estimator that is searched for."""
        if not estimator.refit:
            return f"{type(estimator).__name__}(refit=False) leaves no fitted estimator"
        return registry.check(estimator.estimator)

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict`."""
        return registry.predict(estimator.best_estimator_, table, store)

    def told(self, estimator: Any) -> str:
        """What was found."""
        best = estimator.best_estimator_
        return ", ".join(filter(None, [registry.describe(best), registry.told(best)]))


@converts("sklearn.ensemble._voting.VotingClassifier", "sklearn.ensemble._voting.VotingRegressor")
class Voting(Converter):
    """The weighted mean of what several predict."""

    def check(self, estimator: Any) -> str | None:
        """Each, and that probabilities are what is voted with."""
        if getattr(estimator, "voting", "soft") != "soft":
            return "VotingClassifier(voting='hard') knows no probabilities: take voting='soft'"
        return registry.check_all(step for _, step in estimator.estimators if _is_step(step))

    def predict(self, estimator: Any, table: Table, store: Store) -> Prediction:
        """See `predict_proba` and `predict`."""
        found = [registry.predict(one, table, store).values for one in estimator.estimators_]
        kept = [_is_step(step) for _, step in estimator.estimators]
        given = estimator.weights if estimator.weights is not None else [1.0] * len(kept)
        weights = [float(one) for one, is_kept in zip(given, kept) if is_kept]
        mean = tf.add_n([one * weight for one, weight in zip(found, weights)]) / sum(weights)
        classes = getattr(estimator, "classes_", None)
        return Prediction(mean, PREDICTIONS if classes is None else PROBABILITIES, classes)
