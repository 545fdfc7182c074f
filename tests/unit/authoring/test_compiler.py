"""What the compiler refuses before anything runs."""

from __future__ import annotations

import pytest

from headrace.authoring import Pipeline
from headrace.authoring.compiler import compile_pipeline, refuse_unsupported
from headrace.components import CsvExampleGen, StatisticsGen
from headrace.errors import ConnectionTypeError, CycleError, DefinitionError, DuplicateNodeError


def test_an_input_from_a_node_left_out_is_named():
    rows = CsvExampleGen(input_base="data")
    statistics = StatisticsGen(examples=rows.outputs["examples"])

    with (
        pytest.warns(UserWarning, match="Did you forget to add it"),
        pytest.raises(DefinitionError) as caught,
    ):
        compile_pipeline(Pipeline("tips", components=[statistics]))

    assert str(caught.value) == (
        "pipeline 'tips': StatisticsGen takes its input 'examples' from CsvExampleGen, which is not in the "
        "pipeline. It has 'StatisticsGen'.\n  Fix: add CsvExampleGen to components=[...]."
    )


def test_an_empty_pipeline_is_refused():
    with pytest.raises(DefinitionError, match="pipeline 'tips' has no components"):
        compile_pipeline(Pipeline("tips"))


def test_a_path_whose_bytes_are_no_text_is_named():
    """ML Metadata records texts."""
    rows = CsvExampleGen(input_base="/data/d\udce9p\udcf4t")

    with pytest.raises(DefinitionError) as caught:
        compile_pipeline(Pipeline("tips", components=[rows]))

    assert str(caught.value) == (
        "pipeline 'tips': CsvExampleGen: input_base is '/data/d\\udce9p\\udcf4t', which is no text in UTF-8.\n"
        "  Fix: rename the file or folder."
    )


@pytest.mark.parametrize("name", ["../tips", "a/../../tips", "/tips", "a//b", ".hidden", "a\0b", "a\nb"])
def test_a_pipeline_whose_folder_would_lie_outside_of_the_store_is_refused(name):
    ir = compile_pipeline(Pipeline(name, components=[CsvExampleGen(input_base="data")]))

    with pytest.raises(
        DefinitionError, match="cannot be a pipeline's name: artifacts get a folder of this name"
    ):
        refuse_unsupported(ir)


@pytest.mark.parametrize("node_id", ["../Rows", "a/b", "..", ".unfinished", "a\nb"])
def test_a_node_that_cannot_have_a_folder_is_refused(node_id):
    rows = CsvExampleGen(input_base="data").with_id(node_id)

    with pytest.raises(DefinitionError, match="cannot be a node id in pipeline 'tips'"):
        refuse_unsupported(compile_pipeline(Pipeline("tips", components=[rows])))


def test_two_nodes_of_one_id_are_refused():
    rows = [CsvExampleGen(input_base="a"), CsvExampleGen(input_base="b")]

    with pytest.raises(DuplicateNodeError) as caught:
        Pipeline("tips", components=rows)

    assert str(caught.value) == (
        "pipeline 'tips': 2 nodes have the id 'CsvExampleGen'.\n"
        "  Fix: give each its own id, such as .with_id('CsvExampleGen_2')."
    )


def test_a_cycle_names_its_nodes():
    first = CsvExampleGen(input_base="a").with_id("First")
    second = CsvExampleGen(input_base="b").with_id("Second")
    first.add_upstream_node(second)
    second.add_upstream_node(first)

    with pytest.raises(CycleError, match=r"wait for each other in a cycle: \w+ -> \w+ -> \w+"):
        Pipeline("tips", components=[first, second])


def test_an_input_of_another_type_says_what_it_takes():
    rows = CsvExampleGen(input_base="a")
    statistics = StatisticsGen(examples=rows.outputs["examples"])

    with pytest.raises(ConnectionTypeError) as caught:
        StatisticsGen(examples=statistics.outputs["statistics"])

    assert str(caught.value) == (
        "StatisticsGen: input 'examples' takes Examples, and StatisticsGen.outputs['statistics'] holds "
        "ExampleStatistics.\n  Fix: connect an output of type Examples."
    )


def test_a_component_in_the_place_of_a_channel_is_explained():
    rows = CsvExampleGen(input_base="a")

    with pytest.raises(
        ConnectionTypeError, match=r"did you mean its \.outputs\[\.\.\.\]\? It has 'examples'"
    ):
        StatisticsGen(examples=rows)
