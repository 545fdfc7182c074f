"""Models asked by the Evaluator, beside TFMA's own steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from apache_beam.internal import pickler
from conftest_serving import taxi_models, taxi_records
from tensorflow_model_analysis.proto import config_pb2

from headrace.components.evaluator import predictions
from headrace.components.evaluator.tfma_internals import constants
from headrace.models.saved_model import SavedModel

_ = (taxi_models,)  # fixtures

RECORDS = np.array(taxi_records()[:200], object)


def both(models: dict[str, Any], **fields: Any) -> tuple[predictions.Predictions, predictions.Predictions]:
    """The same models asked by TFMA's steps, and by ours."""
    specs = [config_pb2.ModelSpec(name=name, model_type=constants.TF_GENERIC, **fields) for name in models]
    paths = [f"{model.uri}/Format-Serving" for model in models.values()]
    names = [spec.name if len(specs) > 1 else "" for spec in specs]
    shared = {
        name: tfma.default_eval_shared_model(
            path, model_name=name, eval_config=config_pb2.EvalConfig(model_specs=specs)
        )
        for name, path in zip(names, paths)
    }
    called = [
        predictions.Called.by(spec, SavedModel(path, "node"), name, "node")
        for path, spec, name in zip(paths, specs, names)
    ]
    return predictions.OfFeatures(specs, shared), predictions.OfExamples(called)


def values(extracts: Any) -> Any:
    """Extracts with arrays as type, shape and bytes."""
    if isinstance(extracts, dict):
        return {key: values(value) for key, value in sorted(extracts.items())}
    return extracts.dtype, extracts.shape, extracts.tolist()


@pytest.mark.parametrize("kinds", [["binary"], ["classes"], ["binary", "classes"]])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"preprocessing_function_names": ["transform_features"]},
        {"signature_name": "transform_features"},
    ],
)
def test_extracts_equal_tfmas(taxi_models: dict[str, Any], kinds: list[str], fields: dict[str, Any]):
    """Names, types, shapes and bits: of one model and of two, of one output and of several."""
    theirs, ours = both({kind: taxi_models[kind] for kind in kinds}, **fields)
    found = []
    for one in (theirs, ours):
        one.setup()
        extracts = one.transform({constants.INPUT_KEY: RECORDS, constants.FEATURES_KEY: {}})
        found.append(one.predict(extracts))

    assert values(found[1]) == values(found[0])
    assert found[1].keys() == {
        constants.INPUT_KEY,
        constants.FEATURES_KEY,
        constants.PREDICTIONS_KEY,
        constants.TRANSFORMED_FEATURES_KEY,
    }


def test_a_model_is_loaded_once_in_a_process(taxi_models: dict[str, Any]):
    """However many steps call it."""
    _, ours = both({"binary": taxi_models["binary"]})
    assert isinstance(ours, predictions.OfExamples)
    (called,) = ours._called

    assert called.load() is called.load()


def test_what_has_loaded_its_models_is_sent_without_them(taxi_models: dict[str, Any]):
    """The short form asks them before a step does; TensorFlow's models cannot be pickled."""
    extracts = {constants.INPUT_KEY: RECORDS[:5], constants.FEATURES_KEY: {}}
    for one in both({"binary": taxi_models["binary"]}):
        one.setup()
        expected = values(one.predict(extracts))
        sent = pickler.loads(pickler.dumps(one))
        sent.setup()
        assert values(sent.predict(extracts)) == expected
