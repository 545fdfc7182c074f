"""What may be said of drift when an ExampleValidator is declared."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.authoring import Channel, Pipeline, compiler, standard_artifacts
from headrace.components import CsvExampleGen, ExampleValidator, SchemaGen, StatisticsGen
from headrace.components.example_validator import drift_settings
from headrace.errors import DefinitionError


def validator(**parameters: Any) -> ExampleValidator:
    rows = CsvExampleGen(input_base="data")
    statistics = StatisticsGen(examples=rows.outputs["examples"])
    schema = SchemaGen(statistics=statistics.outputs["statistics"])
    return ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"], **parameters
    )


def test_what_is_not_given_is_not_recorded():
    """Old cache keys stay what they are."""
    assert set(validator().exec_properties) == {"exclude_splits", "fail_on"} | (
        set(validator().exec_properties) & {"baseline_split", "custom_validation_config"}
    )
    assert "baseline_statistics" not in validator().inputs


def test_what_is_given_is_recorded_as_plain_values():
    found = validator(baseline="previous", drift={"b": 0.2, "a": 1}, drift_measure="bins").exec_properties

    assert {name: found[name] for name in ("baseline", "drift", "drift_measure")} == {
        "baseline": "previous",
        "drift": '{"a": 1, "b": 0.2}',
        "drift_measure": "bins",
    }


def test_the_baseline_is_an_input_of_the_compiled_node():
    """Without a node of its own: an input graph over what StatisticsGen made, which nothing has to be set up for."""
    node = validator(baseline="previous")
    rows, statistics, schema = (
        channel.producer_component
        for channel in (
            node.inputs["statistics"].producer_component.inputs["examples"],
            node.inputs["statistics"],
            node.inputs["schema"],
        )
    )
    ir = compiler.compile_pipeline(Pipeline("p", components=[rows, statistics, schema, node]))

    (found,) = [one.pipeline_node for one in ir.nodes if one.pipeline_node.node_info.id == "ExampleValidator"]
    assert len(ir.nodes) == 4
    baseline = found.inputs.inputs["baseline_statistics"]
    assert baseline.input_graph_ref.key == "earlier"
    assert baseline.min_count == 0
    (graph,) = found.inputs.input_graphs.values()
    assert {one.op_node.op_type for one in graph.nodes.values() if one.HasField("op_node")} == {
        "headrace.authoring.previous_span.PreviousSpanStrategy"
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"baseline": "latest"}, r"baseline is 'latest'\. It can be 'previous'"),
        ({"drift": 0.1}, r"drift is given, and nothing to compare with"),
        ({"drift_measure": "ks"}, r"drift_measure is given, and nothing to compare with"),
        ({"baseline": "previous", "drift": 2}, r"drift is 2\. It is a distance between 0 and 1"),
        ({"baseline": "previous", "drift": True}, r"drift is True"),
        ({"baseline": "previous", "drift": "0.1"}, r"drift is '0\.1'"),
        ({"baseline": "previous", "drift": {"a": -1}}, r"drift of 'a' is -1"),
        ({"baseline": "previous", "drift": float("nan")}, r"drift is nan"),
        (
            {"baseline": "previous", "drift_measure": "k s"},
            r"drift_measure is 'k s'.* It can be 'bins', 'ks'|'ks'",
        ),
        (
            {
                "baseline": "previous",
                "baseline_statistics": Channel(type=standard_artifacts.ExampleStatistics),
            },
            r"baseline and baseline_statistics are both given",
        ),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(parameters: dict[str, Any], message: str):
    with pytest.raises(DefinitionError, match=message):
        validator(**parameters)


def test_the_threshold_is_that_of_the_measure_where_none_is_given():
    found = [
        drift_settings.read("previous", drift, measure, where="V")
        for drift, measure in ((None, None), (None, "bins"), (0.3, None), ({"a": 0.2}, "tfdv"))
    ]

    assert [one and (one.measure, one.threshold("a"), one.threshold("b")) for one in found] == [
        ("ks", 0.1, 0.1),
        ("bins", 0.01, 0.01),
        ("ks", 0.3, 0.3),
        ("tfdv", 0.2, None),
    ]
    assert drift_settings.read(None, None, None, where="V") is None
