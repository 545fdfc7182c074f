"""Which exporter a trained object has."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from headrace.errors import ModelError
from headrace.models import exporters
from headrace.models.exporters import frameworks


class Exporter(ModuleType):
    """Stands for a framework's module."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.started: list[Any] = []

    def accepts(self, model: Any) -> bool:
        return hasattr(model, "weights")

    def start_from(self, model: Any, path: str, where: str) -> None:
        self.started.append((model, path, where))


def object_of(module: str, name: str = "Model", **attributes: Any) -> Any:
    """An object of a class that says it is of a module."""
    return type(name, (), {"__module__": module, **attributes})()


@pytest.fixture
def forest(monkeypatch: pytest.MonkeyPatch) -> Exporter:
    """The exporter of a framework called forest."""
    exporter = Exporter("forest_exporter")
    monkeypatch.setitem(sys.modules, "forest_exporter", exporter)
    known = frameworks._Framework("forest", "a forest (forest.Model)", "forest_exporter")
    # The other's module is not there: it would be seen if it were imported.
    other = frameworks._Framework("meadow", "a meadow", "no_such_exporter")
    monkeypatch.setattr(frameworks, "_FRAMEWORKS", (other, known))
    return exporter


def test_an_object_is_exported_by_its_framework_and_no_other_is_imported(forest: Exporter):
    """Also an object of a class that is made of the framework's."""
    model = object_of("forest.trees", weights=1)
    derived = type("Own", (type(model),), {"__module__": "taxi"})()

    assert frameworks.find(model, "node") is forest
    assert frameworks.find(derived, "node") is forest


def test_weights_are_taken_over_by_the_framework(forest: Exporter):
    model = object_of("forest", weights=1)

    exporters.start_from(model, "path", "Trainer")

    assert forest.started == [(model, "path", "Trainer")]


@pytest.mark.parametrize("model", [object_of("forest", "Leaf"), object_of("sea", "Wave"), 17])
def test_what_cannot_be_exported_is_told_with_what_can(forest: Exporter, model: Any):
    with pytest.raises(ModelError) as caught:
        exporters.export_model(model, "path")

    kind = f"{type(model).__module__}.{type(model).__name__}"
    assert str(caught.value) == (
        f"export_model: a {kind} cannot be exported. What can be: a meadow, a forest (forest.Model).\n"
        "  Fix: give such a model, or save yours as a SavedModel: tf.saved_model.save(..., signatures=...)."
    )


def test_a_model_of_keras_2_is_told_so():
    """It is the usual mistake: TFX's examples have them."""
    with pytest.raises(ModelError) as caught:
        frameworks.find(object_of("tf_keras.src.engine.functional", "Functional"), "export_model")

    assert "What can be: a model of Keras 3 (keras.Model)" in caught.value.problem
    assert caught.value.fix == "this is a model of Keras 2 (tf.keras); build it with Keras 3: import keras."
