"""Nodes that look for what a node of their pipeline made, in whichever run: they wait for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import nodes
import pytest
from conftest_runs import Run, in_process, run, states, store, text_of

from headrace.authoring import (
    Channel,
    LatestArtifactStrategy,
    Pipeline,
    Resolver,
    compiler,
    previous_span_of,
)
from headrace.authoring import standard_artifacts as types
from headrace.authoring.light import authoring
from headrace.components import PreviousSpanStrategy
from headrace.orchestration.plan import pipeline_graph
from headrace.orchestration.plan.plan import PlannedNode
from headrace.store.results import RunResult

with authoring():
    from tfx.dsl.control_flow.for_each import ForEach
    from tfx.dsl.experimental.conditionals.conditional import Cond
    from tfx.dsl.input_resolution.ops import ops
    from tfx.dsl.input_resolution.resolver_function import resolver_function
    from tfx.orchestration import metadata
    from tfx.orchestration.pipeline import PipelineInputs
    from tfx.types.channel_utils import union

_ = (run, store, in_process)  # fixtures


def made_by(producer: str, kind: Any = types.Schema, **more: Any) -> Channel:
    return Channel(type=kind, producer_component_id=producer, **more)


def latest(node_id: str, channel: Any) -> Resolver:
    return Resolver(strategy_class=LatestArtifactStrategy, found=channel).with_id(node_id)


@resolver_function
def latest_of(channel: Any) -> Any:
    return ops.LatestCreateTime(channel)


def planned(*components: Any) -> dict[str, PlannedNode]:
    ir = compiler.compile_pipeline(Pipeline("test", components=list(components)))
    return {node.node_id: node for node in pipeline_graph.plan_nodes(ir)}


def waits_for(nodes_by_id: dict[str, PlannedNode], node_id: str) -> set[str]:
    return {*nodes_by_id[node_id].upstream, *nodes_by_id[node_id].after}


def by_strategy() -> Any:
    return latest("ALooks", made_by("Make"))


def by_resolver_function() -> Any:
    return nodes.Use(given=latest_of(made_by("Make", output_key="out"))).with_id("ALooks")


def directly() -> Any:
    return nodes.Use(given=made_by("Make")).with_id("ALooks")


def in_a_union() -> Any:
    return nodes.Join(given=union([made_by("Make"), made_by("Make", output_key="out")])).with_id("ALooks")


def for_each() -> Any:
    with ForEach(made_by("Make", output_key="out")) as each:
        return nodes.Use(given=each).with_id("ALooks")


@pytest.mark.parametrize("build", [by_strategy, by_resolver_function, directly, in_a_union, for_each])
def test_a_node_waits_for_the_node_that_its_channel_names(build: Any):
    """Its id comes first in the alphabet, by which TFX orders what is not connected."""
    found = planned(build(), nodes.Make())

    assert waits_for(found, "ALooks") == {"Make"}
    assert list(found) == ["Make", "ALooks"]


def test_it_waits_inside_a_condition_and_inside_an_inner_pipeline():
    number = nodes.Number(value=1)
    with Cond(number.outputs["out"].future()[0].value == 1):
        conditional = by_strategy()
    given = PipelineInputs({"given": number.outputs["out"]})
    make = nodes.Make().with_id("InnerMake")
    inner = Pipeline(
        "inner",
        components=[latest("AInner", made_by("InnerMake")), make],
        inputs=given,
        outputs={"out": make.outputs["out"]},
    )

    found = planned(conditional, nodes.Make(), number, inner, latest("AOuter", made_by("inner")))

    assert waits_for(found, "ALooks") == {"Number", "Make"}
    assert waits_for(found, "inner.AInner") == {"inner_begin", "inner.InnerMake"}
    assert waits_for(found, "AOuter") == {"inner_end"}
    order = list(found)
    assert all(order.index(name) < order.index(node) for node in found for name in waits_for(found, node))


def test_a_node_that_starts_from_its_own_last_output_waits_for_nothing():
    """As a Trainer that goes on from its latest model: what is meant is an earlier run's."""
    own = latest("Own", made_by("Use"))
    found = planned(own, nodes.Use(given=own.outputs["found"]))

    assert (waits_for(found, "Own"), waits_for(found, "Use")) == (set(), {"Own"})


def test_two_that_look_at_each_other_do_not_wait_in_a_circle():
    """The first in TFX's order waits."""
    one = nodes.Use(given=made_by("B")).with_id("A")
    two = nodes.Use(given=made_by("A")).with_id("B")
    found = planned(one, two)

    assert (waits_for(found, "A"), waits_for(found, "B")) == ({"B"}, set())


@pytest.mark.parametrize(
    "channel",
    [Channel(type=types.Schema), made_by("Elsewhere"), made_by("Mak"), made_by("ake")],
    ids=["of a type", "of a node that is not here", "prefix", "suffix"],
)
def test_a_channel_that_names_no_node_here_waits_for_none(channel: Channel):
    """Such as that of the latest blessed model: what earlier runs made is meant."""
    found = planned(latest("ALooks", channel), nodes.Make())

    assert waits_for(found, "ALooks") == set()


def test_what_this_run_makes_is_found(run: Run):
    """In the first run and the next, in a partial run; a dry run says that it waits, a failure stops it."""

    def build(text: str, *, is_good: bool = True) -> list[Any]:
        make = (
            nodes.Make(text=text)
            if is_good
            else nodes.FailTimes(counter="/dev/full", times=1).with_id("Make")
        )
        found = latest("ALooks", made_by("Make"))
        return [found, nodes.Use(given=found.outputs["found"]), make]

    texts = [text_of(run(*build(text)), "Use") for text in ("one", "two")]
    assert texts == ["used one", "used two"]

    plan = run(*build("three"), dry_run=True)
    assert states(plan) == {"Make": "waiting", "ALooks": "waiting", "Use": "waiting"}

    partial = run(*build("three"), to_nodes=["ALooks"])
    assert states(partial) == {"Make": "done", "ALooks": "done", "Use": "not selected"}

    alone = run(*build("four"), only=["ALooks", "Use"])
    assert states(alone) == {"Make": "not selected", "ALooks": "done", "Use": "done"}
    assert text_of(alone, "Use") == "used three"

    failed = run(*build("five", is_good=False))
    assert states(failed) == {"Make": "failed", "ALooks": "skipped", "Use": "skipped"}


def spans(span: int, log: Path, *, is_short: bool = False) -> list[Any]:
    """What a check for drift does: span `span` beside the one before; in the short form without a Resolver."""
    make = nodes.MakeSpan(span=span)
    if is_short:
        earlier = previous_span_of(make.outputs["out"])
        return [make, nodes.CompareSpans(current=make.outputs["out"], earlier=earlier, log=str(log))]
    previous = Resolver(
        strategy_class=PreviousSpanStrategy,
        current=make.outputs["out"],
        earlier=made_by("MakeSpan", types.ExampleStatistics),
    ).with_id("Previous")
    compare = nodes.CompareSpans(
        current=make.outputs["out"], earlier=previous.outputs["earlier"], log=str(log)
    )
    return [previous, make, compare]


@pytest.mark.parametrize("is_short", [False, True])
def test_the_previous_span_is_the_same_at_the_second_try(run: Run, tmp_path: Path, is_short: bool):
    """Run again from the cache, without it, and resumed; "the latest" would be the span itself."""
    log = tmp_path / "log"

    def made(span: int) -> list[Any]:
        return spans(span, log, is_short=is_short)

    first = run(*made(1))
    second = run(*made(2))
    cached = run(*made(2))
    again = run(*made(2), cache=False)
    resumed = run(*made(2), cache=False, resume_from=again.run_id)
    older = run(*made(1), cache=False)

    results: list[RunResult] = [first, second, cached, again, resumed, older]
    assert [text_of(result, "CompareSpans") for result in results] == [
        "1 after nothing",
        *["2 after 1"] * 4,
        "1 after nothing",
    ]
    assert states(cached)["CompareSpans"] == "cached"


@pytest.mark.parametrize("is_short", [False, True])
def test_the_previous_span_is_found_under_the_runner_of_tfx(tmp_path: Path, is_short: bool):
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    log = tmp_path / "log"
    for span in (1, 2, 2):
        config = metadata.sqlite_metadata_connection_config(str(tmp_path / "stock.db"))
        pipeline = Pipeline(
            "stock", str(tmp_path / "root"), config, spans(span, log, is_short=is_short), enable_cache=False
        )
        LocalDagRunner().run(pipeline)

    assert log.read_text().splitlines() == ["1 after nothing", "2 after 1", "2 after 1"]
    assert len(mlmd.MetadataStore(config).get_executions()) == (6 if is_short else 9)
