"""Transformed features and predictions of a batch, as TFMA's extractors make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from headrace.components.evaluator import checks
from headrace.components.evaluator.preparation import Evaluation
from headrace.components.evaluator.tfma_internals import constants, model_util
from headrace.models import signatures
from headrace.models.model import Model, load
from headrace.models.saved_model import SavedModel
from headrace.runtime.beam_internals import shared

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

    @classmethod
    def by(cls, spec: Any, files: SavedModel, name: str, where: str) -> Called:
        """Choose the signatures that a `ModelSpec` names, or TFMA's usual ones."""
        known = files.signatures
        predicts = signatures.evaluated(known, spec.signature_name)
        transforms = signatures.transforms(known, spec.preprocessing_function_names)
        return cls(name, files.path, predicts, transforms, where)

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

    def __getstate__(self) -> dict[str, Any]:
        # Beam hands it on; where it arrives, `Called` knows whether the process has loaded the models.
        return {**vars(self), "_models": []}

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
        self._arguments = (specs, shared_models)
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

    def __reduce__(self) -> tuple[Any, ...]:
        # See `OfExamples`.
        return OfFeatures, self._arguments

    def setup(self) -> None:
        self._predict.setup()
        self._transform.setup()

    def transform(self, extracts: Extracts) -> dict[str, Any]:
        (found,) = self._transform.process(extracts)
        return dict(found)

    def predict(self, extracts: Extracts) -> dict[str, Any]:
        (found,) = self._predict.process(extracts)
        return dict(found)


def of(evaluation: Evaluation, where: str) -> Predictions | None:
    """Return what asks the models of an evaluation; `None` where there are none.

    Args:
        evaluation: Whose models are all SavedModels.
        where: The node, for messages.
    """
    if not evaluation.models:
        return None
    specs = list(evaluation.config.model_specs)
    if are_of_examples(evaluation) and not evaluation.has_own_loader:
        names = [spec.name if len(specs) > 1 else "" for spec in specs]
        models = zip(specs, evaluation.saved_models, names)
        return OfExamples([Called.by(spec, files, name, where) for spec, files, name in models])
    return OfFeatures(specs, {model.model_name: model for model in shared_models(evaluation)})


def are_of_examples(evaluation: Evaluation) -> bool:
    """Whether all models take serialized Examples alone."""
    return all(
        checks.is_input_serialized(files, spec)
        for files, spec in zip(evaluation.saved_models, evaluation.config.model_specs)
    )


def shared_models(evaluation: Evaluation) -> list[Any]:
    """Return TFMA's `EvalSharedModel` of each model, named as extracts name it."""
    models = list(evaluation.models)
    return model_util.verify_and_update_eval_shared_models(models) or [] if models else []
