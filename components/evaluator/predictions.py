"""Transformed features and predictions of a batch, as TFMA's extractors make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from apache_beam.utils import shared

from headrace.components.evaluator.tfma_internals import constants, model_util
from headrace.models.model import Model, load

Extracts = Mapping[str, Any]


class Predictions(Protocol):
    """What asks the models of an evaluation. Made where the pipeline is, used where its steps are."""

    def setup(self) -> None:
        """Load the models."""

    def transform(self, extracts: Extracts) -> dict[str, Any]:
        """Return the extracts of a batch with the features that the models make."""

    def predict(self, extracts: Extracts) -> dict[str, Any]:
        """Return the extracts of a batch with the models' predictions."""


@dataclass(frozen=True)
class Called:
    """A model, and which of its signatures an evaluation calls; all take serialized Examples.

    Attributes:
        name: As extracts name it; empty for a single one.
        path: Folder of the SavedModel.
        predicts: The signature that predicts.
        transforms: Those that make features.
        where: Node, and role of the model, for messages.
        loaded: Holds it once for all steps of a process.
    """

    name: str
    path: str
    predicts: str
    transforms: Sequence[str]
    where: str
    loaded: shared.Shared = field(default_factory=shared.Shared)

    def load(self) -> Model:
        """Load it, unless this process has."""
        found: Model = self.loaded.acquire(lambda: load(self.path, where=self.where))
        return found


class OfExamples:
    """Predictions of models that are asked with serialized Examples; see `Predictions`.

    Args:
        models: The models.
    """

    def __init__(self, models: Sequence[Called]) -> None:
        self._called = list(models)
        self._models: list[tuple[Called, Model]] = []

    def setup(self) -> None:
        self._models = [(called, called.load()) for called in self._called]

    def transform(self, extracts: Extracts) -> dict[str, Any]:
        records = extracts[constants.INPUT_KEY]
        found: dict[str, dict[str, Any]] = {}
        for called, model in self._models:
            for signature in called.transforms:
                found.setdefault(called.name, {}).update(model.predict(records, signature))
        return {**extracts, constants.TRANSFORMED_FEATURES_KEY: _of_one(found)}

    def predict(self, extracts: Extracts) -> dict[str, Any]:
        records = extracts[constants.INPUT_KEY]
        found: dict[str, Any] = {}
        for called, model in self._models:
            outputs = dict(model.predict(records, called.predicts))
            found[called.name] = outputs if len(outputs) > 1 else next(iter(outputs.values()), outputs)
        return {**extracts, constants.PREDICTIONS_KEY: _of_one(found)}


def _of_one(by_model: dict[str, Any]) -> Any:
    """What one model gave stands without its name, as TFMA has it."""
    return next(iter(by_model.values())) if len(by_model) == 1 else by_model


class OfFeatures:
    """Predictions by TFMA's own steps, which know how to give a model parsed features; see `Predictions`.

    Args:
        specs: `ModelSpec` of each model.
        shared_models: TFMA's `EvalSharedModel` by name; the name of a single one is empty.
    """

    def __init__(self, specs: Sequence[Any], shared_models: Mapping[str, Any]) -> None:
        names = [spec.name if len(specs) > 1 else "" for spec in specs]
        self._predict = model_util.ModelSignaturesDoFn(
            model_specs=list(specs),
            eval_shared_models=dict(shared_models),
            output_keypath=[constants.PREDICTIONS_KEY],
            signature_names={name: [spec.signature_name] for name, spec in zip(names, specs)},
            prefer_dict_outputs=False,
        )
        self._transform = model_util.ModelSignaturesDoFn(
            model_specs=list(specs),
            eval_shared_models=dict(shared_models),
            output_keypath=[constants.TRANSFORMED_FEATURES_KEY],
            signature_names={
                name: list(spec.preprocessing_function_names) for name, spec in zip(names, specs)
            },
            default_signature_names=["transformed_features", "transformed_labels"],
            prefer_dict_outputs=True,
        )

    def setup(self) -> None:
        self._predict.setup()
        self._transform.setup()

    def transform(self, extracts: Extracts) -> dict[str, Any]:
        (found,) = self._transform.process(extracts)
        return dict(found)

    def predict(self, extracts: Extracts) -> dict[str, Any]:
        (found,) = self._predict.process(extracts)
        return dict(found)
