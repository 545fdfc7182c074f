"""Outputs by name: attributes beside TFX's mapping, for people, editors and type checkers."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest

from headrace import components
from headrace.authoring import (
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    Importer,
    LatestArtifactStrategy,
    NamedExecutorSpec,
    OutputArtifact,
    Outputs,
    Resolver,
    component,
    latest_blessed_model,
    standard_artifacts,
)
from headrace.authoring.function_components import FunctionComponent, decorators
from headrace.components import CsvExampleGen, StatisticsGen
from headrace.errors import DefinitionError, UnknownOutputError

DECLARED = {
    name: value
    for name in components.__all__
    if isinstance(value := getattr(components, name), type) and issubclass(value, Component)
}


class PlainSpec(ComponentSpec):
    """Two outputs, one of them named like a method of mappings, one that need not be there."""

    PARAMETERS: dict[str, Any] = {}
    INPUTS: dict[str, Any] = {}
    OUTPUTS = {
        "items": ChannelParameter(type=standard_artifacts.Examples),
        "extra": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }


class Plain(Component):
    """A component of somebody who declares no class of outputs."""

    SPEC_CLASS = PlainSpec
    EXECUTOR_SPEC = NamedExecutorSpec("some.where.Executor")

    def __init__(self) -> None:
        super().__init__(PlainSpec(items=Channel(type=standard_artifacts.Examples)))


@component
def Write(written: OutputArtifact[standard_artifacts.Model]) -> None:
    """A function component, whose annotations are texts."""


@decorators.component
def StockWrite():
    """One of TFX's own decorator."""


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_declared_for_editors_is_what_the_component_makes(name: str) -> None:
    """Each output of the specification under its type."""
    declared = DECLARED[name]._outputs_class
    hints = typing.get_type_hints(declared)

    assert {key: typing.get_args(hint)[0] for key, hint in hints.items()} == {
        key: parameter.type for key, parameter in DECLARED[name].SPEC_CLASS.OUTPUTS.items()
    }
    assert not hints.keys() & set(dir(dict)), "a method of mappings would hide it"


def test_all_components_declare_their_outputs() -> None:
    """Of each that is offered, also the next one."""
    assert {"CsvExampleGen", "FunctionExampleGen", "Trainer", "Pusher"} <= DECLARED.keys()
    for name, kind in DECLARED.items():
        assert issubclass(kind._outputs_class, Outputs), name
        assert kind._outputs_class is not Outputs, name


def test_an_output_is_an_attribute_and_an_item() -> None:
    rows = CsvExampleGen(input_base="data")

    assert rows.outputs.examples is rows.outputs["examples"]
    assert rows.outputs.examples.producer_component_id == "CsvExampleGen"
    assert isinstance(rows.outputs, dict)
    assert rows.outputs is rows.spec.outputs
    assert StatisticsGen(examples=rows.outputs.examples).inputs == {"examples": rows.outputs.examples}


def test_completion_offers_the_outputs() -> None:
    """Beside the methods of a mapping."""
    assert "examples" in dir(CsvExampleGen(input_base="data").outputs)
    assert "items" in dir(Plain().outputs)


@pytest.mark.parametrize("take", [lambda outputs: outputs.exampels, lambda outputs: outputs["exampels"]])
def test_an_unknown_output_is_answered_with_those_there_are(take: Any) -> None:
    """As the error that each form of asking expects."""
    with pytest.raises(UnknownOutputError) as caught:
        take(CsvExampleGen(input_base="data").outputs)

    assert isinstance(caught.value, AttributeError | KeyError)
    assert caught.value.problem == "CsvExampleGen: there is no output 'exampels'; there are 'examples'."
    assert "did you mean 'examples'?" in caught.value.fix
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (UnknownOutputError, str(caught.value))


def test_mappings_and_copies_work_as_before() -> None:
    outputs = CsvExampleGen(input_base="data").outputs

    assert outputs.get("exampels") is None
    assert "exampels" not in outputs
    assert not hasattr(outputs, "exampels")
    assert copy.copy(outputs) == outputs
    assert {**outputs} == dict(outputs)
    assert Outputs().keys() == set()


def test_an_output_with_the_name_of_a_method_is_an_item() -> None:
    outputs = Plain().outputs

    assert outputs["items"].type is standard_artifacts.Examples
    assert dict(outputs.items()) == dict(outputs)
    assert not hasattr(outputs, "extra")


def test_an_importer_is_tfxs_with_attributes() -> None:
    """In stores and plans it goes by TFX's name."""
    named = Importer("there", standard_artifacts.Schema)

    assert named.outputs.result is named.outputs["result"]
    assert Importer("there", standard_artifacts.Schema, output_key="kept").outputs.kept.type_name == "Schema"
    assert named.get_class_type() == "tfx.dsl.components.common.importer.Importer"
    assert named.id == "Importer"


def test_a_resolver_is_tfxs_with_attributes() -> None:
    newest = Resolver(strategy_class=LatestArtifactStrategy, model=Channel(type=standard_artifacts.Model))

    assert newest.outputs.model is newest.outputs["model"]
    assert newest.get_class_type() == "tfx.dsl.components.common.resolver.Resolver"
    assert latest_blessed_model().outputs.model_blessing.type is standard_artifacts.ModelBlessing


def test_a_function_component_is_tfxs_with_attributes() -> None:
    made = Write()

    assert made.outputs.written is made.outputs["written"]
    assert isinstance(made, FunctionComponent)
    assert made.get_class_type() == StockWrite().get_class_type().replace("StockWrite", "Write")
    assert not isinstance(StockWrite(), FunctionComponent)


def test_an_annotation_that_names_nothing_is_told() -> None:
    """Such as one that only type checkers import."""
    with pytest.raises(DefinitionError, match=r"^function component Bad: .*'Missing' is not defined"):

        @component
        def Bad(made: OutputArtifact[Missing]) -> None:  # type: ignore[name-defined]  # noqa: F821
            """Not made."""
