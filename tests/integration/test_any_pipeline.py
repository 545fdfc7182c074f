"""What TFX's DSL can declare is executed: control flow, inner pipelines, importers, resolvers, options."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import nodes
import pytest
from ml_metadata.proto import metadata_store_pb2

import headrace
from headrace.errors import DuplicateNodeError, UnsupportedFeatureError
from headrace.metadata import runs
from headrace.metadata.results import RunResult
from headrace.sdk import Pipeline, standard_artifacts, with_resources
from headrace.sdk.light import authoring

with authoring():
    from tfx.dsl.components.common.importer import Importer
    from tfx.dsl.components.common.resolver import Resolver
    from tfx.dsl.control_flow.for_each import ForEach
    from tfx.dsl.experimental.conditionals.conditional import Cond
    from tfx.dsl.experimental.node_execution_options import utils
    from tfx.dsl.input_resolution.canned_resolver_functions import latest_created
    from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
    from tfx.orchestration.pipeline import ExecutionMode, PipelineInputs
    from tfx.proto.orchestration import pipeline_pb2
    from tfx.types.channel import Channel
    from tfx.types.channel_utils import union

Run = Callable[..., RunResult]
COMPLETED = pipeline_pb2.NodeExecutionOptions.ALL_UPSTREAM_NODES_COMPLETED
LIFETIME_END = pipeline_pb2.NodeExecutionOptions.LIFETIME_END_WHEN_SUBGRAPH_CANNOT_PROGRESS


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run components in a store of this test."""

    def run_components(*components: Any, **options: Any) -> RunResult:
        pipeline = Pipeline("test", components=list(components))
        options = {"raise_on_failure": False, **options}
        return headrace.run(pipeline, store=str(tmp_path / "store"), show=False, **options)

    return run_components


def states(result: RunResult) -> dict[str, str]:
    return {node.node_id: node.state.value for node in result.nodes}


def texts(result: RunResult, node_id: str) -> list[str]:
    return [nodes.read(output.uri) for output in result.node(node_id).outputs]


def test_for_each_runs_a_node_for_each_artifact_and_gathers_what_it_made(run: Run):
    def build(*given: str) -> list[Any]:
        makes = [nodes.Make(text=text).with_id(f"Make{index}") for index, text in enumerate(given)]
        gathered = union([make.outputs["out"] for make in makes])
        with ForEach(gathered) as each:
            use = nodes.Use(given=each)
        return [*makes, use, nodes.Join(given=use.outputs["out"])]

    first, second = run(*build("a", "b", "c")), run(*build("a", "b", "changed"))

    assert sorted(texts(first, "Use")) == ["used a", "used b", "used c"]
    assert texts(first, "Join") == ["used a+used b+used c"]
    assert states(second) == {
        "Make0": "cached",
        "Make1": "cached",
        "Make2": "done",
        "Use": "done",
        "Join": "done",
    }
    assert texts(second, "Join") == ["used a+used b+used changed"]


def test_a_false_condition_skips_and_is_named(run: Run):
    decide = nodes.Number(value=3)
    with Cond(decide.outputs["out"].future()[0].value > 5):
        guarded = nodes.Make()
    with Cond(decide.outputs["out"].future()[0].value == 3):
        taken = nodes.Make().with_id("Taken")
    after = nodes.Use(given=guarded.outputs["out"])

    result = run(decide, guarded, taken, after)

    assert result.is_success
    assert states(result) == {"Number": "done", "Make": "skipped", "Taken": "done", "Use": "skipped"}
    assert result.node("Make").reason == 'condition is false: Number.out[0].value > "5"'
    assert result.node("Use").reason == "upstream Make was skipped"


def test_a_parameter_may_come_from_an_upstream_value(run: Run):
    number = nodes.Number(value=7)
    make = nodes.Repeat(count=number.outputs["out"].future()[0].value)

    result = run(number, make)

    assert texts(result, "Repeat") == ["xxxxxxx"]


def test_an_importer_counts_by_what_it_imports(run: Run, tmp_path: Path):
    folder = tmp_path / "given"
    folder.mkdir()

    def build() -> list[Any]:
        importer = Importer(source_uri=str(folder), artifact_type=standard_artifacts.Schema).with_id("Given")
        return [importer, nodes.Use(given=importer.outputs["result"])]

    nodes.write(str(folder), "one")
    first, second = run(*build()), run(*build())
    nodes.write(str(folder), "two")
    third = run(*build())

    assert [states(result)["Use"] for result in (first, second, third)] == ["done", "cached", "done"]
    assert texts(third, "Use") == ["used two"]


def test_resolvers_and_resolver_functions_find_earlier_artifacts(run: Run):
    run(nodes.Make(text="earlier"))
    resolver = Resolver(
        strategy_class=LatestArtifactStrategy, given=Channel(type=standard_artifacts.Schema)
    ).with_id("Latest")
    by_function = nodes.Use(given=latest_created(Channel(type=standard_artifacts.Schema))).with_id(
        "ByFunction"
    )

    result = run(resolver, nodes.Use(given=resolver.outputs["given"]), by_function)

    assert result.is_success
    assert texts(result, "Use") == texts(result, "ByFunction") == ["used earlier"]


def test_a_partial_run_that_leaves_the_resolver_out_reuses_what_it_found(run: Run):
    def build() -> list[Any]:
        resolver = Resolver(
            strategy_class=LatestArtifactStrategy, given=Channel(type=standard_artifacts.Schema)
        ).with_id("Latest")
        return [resolver, nodes.Use(given=resolver.outputs["given"])]

    run(nodes.Make(text="earlier"))
    never_ran = run(*build(), only=["Use"])
    again = run(*build(), only=["Use"], enable_cache=False)

    assert states(never_ran) == {"Latest": "not selected", "Use": "done"}
    assert states(again) == {"Latest": "not selected", "Use": "done"}
    assert texts(again, "Use") == ["used earlier"]


def test_an_optional_input_may_be_missing(run: Run):
    number = nodes.Number(value=0)
    with Cond(number.outputs["out"].future()[0].value == 1):
        make = nodes.Make()

    result = run(number, make, nodes.Maybe(given=make.outputs["out"]), nodes.Maybe().with_id("Alone"))

    assert states(result) == {"Number": "done", "Make": "skipped", "Maybe": "done", "Alone": "done"}
    assert texts(result, "Maybe") == ["nothing"]


def test_a_resolver_may_find_nothing_where_what_follows_can_do_without(run: Run, capfd: Any):
    """As the look-up of an analyzer cache at the first run."""

    def build(*followers: Any) -> list[Any]:
        kind = Channel(type=standard_artifacts.Schema)
        latest = Resolver(strategy_class=LatestArtifactStrategy, given=kind).with_id("Latest")
        return [latest, *(follower(given=latest.outputs["given"]) for follower in followers)]

    needed = run(*build(nodes.Maybe, nodes.Use))
    without = run(*build(nodes.Maybe))

    assert states(needed) == {"Latest": "failed", "Maybe": "skipped", "Use": "skipped"}
    assert states(without) == {"Latest": "skipped", "Maybe": "done"}
    assert without.is_success
    assert without.node("Latest").reason == (
        "found nothing, and what follows can do without: Error while resolving inputs for Latest: "
        "LatestArtifactStrategy returned None"
    )
    assert texts(without, "Maybe") == ["nothing"]
    assert capfd.readouterr() == ("", "")


def inner(name: str, given: Any, fails: bool = False) -> Pipeline:
    inputs = PipelineInputs({"given": given})
    use = nodes.Use(given=inputs["given"])
    last = (nodes.Fail if fails else nodes.Use)(given=use.outputs["out"]).with_id("Last")
    return Pipeline(
        name,
        components=[use, last, nodes.Make(text="aside")],
        inputs=inputs,
        outputs={"out": last.outputs["out"]},
    )


def test_inner_pipelines_run_with_their_inputs_and_outputs(run: Run, tmp_path: Path):
    def build() -> list[Any]:
        make = nodes.Make(text="seed")
        first = inner("first", make.outputs["out"])
        second = inner("second", first.outputs["out"])
        return [make, first, second, nodes.Use(given=second.outputs["out"])]

    result, again = run(*build()), run(*build())

    assert result.is_success
    parts = ("_begin", ".Make", ".Use", ".Last", "_end")
    assert list(states(result)) == [
        "Make",
        *(f"first{part}" for part in parts),
        *(f"second{part}" for part in parts),
        "Use",
    ]
    assert texts(result, "Use") == ["used used used used used seed"]
    executed = {name for name, state in states(again).items() if state == "done"}
    assert executed == {"first_begin", "first_end", "second_begin", "second_end"}
    assert [summary.run_id for summary in runs.list_runs(str(tmp_path / "store"))] == [
        again.run_id,
        result.run_id,
    ]
    assert states(runs.read_run(str(tmp_path / "store"))) == states(again)


def test_a_failure_in_an_inner_pipeline_stops_what_follows_it(run: Run):
    make = nodes.Make(text="seed")
    failing = inner("failing", make.outputs["out"], fails=True)
    after = nodes.Use(given=failing.outputs["out"])

    result = run(make, failing, after)

    assert states(result)["failing.Last"] == "failed"
    assert result.node("failing_end").reason == "upstream failing.Last failed"
    assert result.node("Use").reason == "upstream failing.Last failed"


def test_a_condition_on_an_inner_pipeline_skips_all_of_it(run: Run):
    make, number = nodes.Make(text="seed"), nodes.Number(value=0)
    with Cond(number.outputs["out"].future()[0].value == 1):
        pipeline = inner("guarded", make.outputs["out"])

    result = run(make, number, pipeline)

    assert {name for name, state in states(result).items() if state == "skipped"} == {
        "guarded_begin",
        "guarded.Use",
        "guarded.Last",
        "guarded.Make",
        "guarded_end",
    }
    assert result.node("guarded_begin").reason == 'condition is false: Number.out[0].value == "1"'
    assert result.node("guarded.Make").reason == "upstream guarded_begin was skipped"


def test_an_exit_handler_learns_how_the_run_ended(tmp_path: Path):
    from tfx.orchestration.kubeflow.decorators import FinalStatusStr

    def handle(*components: Any) -> dict[str, Any]:
        handler = nodes.AtExit(final_status=FinalStatusStr())
        runner = headrace.Runner(store=str(tmp_path / "store"), show=False)
        runner.set_exit_handler([handler])
        with contextlib.suppress(headrace.errors.HeadraceError):
            runner.run(Pipeline("test", components=list(components)))
        result = runs.read_run(str(tmp_path / "store"))
        status: dict[str, Any] = json.loads(texts(result, "AtExit")[0])
        return status

    make = nodes.Make()
    failed = handle(make, nodes.Fail(given=make.outputs["out"]))
    assert (failed["state"], "nothing good" in failed["error"]["message"]) == ("FAILED", True)
    assert handle(nodes.Make())["state"] == "SUCCEEDED"


def test_an_exit_handler_needs_an_id_of_its_own(run: Run):
    with pytest.raises(DuplicateNodeError, match="a node and an exit handler have the id 'Make'"):
        run(nodes.Make(), exit_handlers=[nodes.Make()])


def test_trigger_strategies_and_optional_success(run: Run):
    make = nodes.Make()
    fail = nodes.Fail(given=make.outputs["out"])
    fail.with_node_execution_options(utils.NodeExecutionOptions(success_optional=True))
    dependent = nodes.Maybe(given=fail.outputs["out"])
    after = nodes.Make(text="after").with_id("After")
    after.add_upstream_node(fail)
    always = nodes.Make(text="cleanup").with_id("Always")
    always.add_upstream_node(after)
    always.with_node_execution_options(utils.NodeExecutionOptions(trigger_strategy=COMPLETED))
    end = nodes.Make(text="end").with_id("End")
    end.add_upstream_node(after)
    end.with_node_execution_options(
        utils.NodeExecutionOptions(trigger_strategy=LIFETIME_END, lifetime_start="Make")
    )

    result = run(make, fail, dependent, after, always, end)

    assert states(result) == {
        "Make": "done",
        "Fail": "failed",
        "Maybe": "done",
        "After": "skipped",
        "Always": "done",
        "End": "done",
    }
    assert result.is_success
    assert result.failed == ()


def test_container_components_and_async_pipelines_are_refused_before_anything_starts(tmp_path: Path):
    with authoring():
        from tfx.dsl.component.experimental.container_component import create_container_component

    container = create_container_component("Contained", image="busybox", command=["true"])()
    with pytest.raises(UnsupportedFeatureError) as caught:
        headrace.run(Pipeline("test", components=[nodes.Make(), container]), store=str(tmp_path / "store"))
    assert str(caught.value) == (
        "Contained is a container component (image busybox), and Headrace starts no containers.\n"
        "  Fix: run this pipeline with a runner that has Docker, or write the step as a Python component."
    )
    with pytest.raises(UnsupportedFeatureError, match="has execution mode ASYNC"):
        headrace.run(
            Pipeline(
                "test", components=[nodes.Make()], enable_cache=False, execution_mode=ExecutionMode.ASYNC
            ),
            store=str(tmp_path / "store"),
        )
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("arguments", [["--runner=DirectRunner"], ["--direct_running_mode=multi_processing"]])
def test_beam_components_run_in_process_whatever_direct_runner_means(run: Run, arguments: list[str]):
    import beam_nodes

    beam_node = beam_nodes.BeamNode(count=3).with_beam_pipeline_args(arguments)

    result = run(beam_node)

    assert result.is_success, result.failed
    assert texts(result, "BeamNode") == ["0+1+2"]


def test_old_style_components_with_executor_and_driver_run(run: Run):
    import beam_nodes

    result = run(beam_nodes.OldStyle(text="old"))

    assert result.is_success, result.failed
    assert texts(result, "OldStyle") == ["old driven"]


def test_an_exclusive_node_runs_alone_and_processors_are_counted(run: Run):
    makes = [nodes.Timed(name=f"n{i}", seconds=0.3).with_id(f"n{i}") for i in range(3)]
    alone = with_resources(nodes.Timed(name="alone", seconds=0.3).with_id("alone"), exclusive=True)
    result = run(*makes, alone, max_workers=4)

    times = {node.node_id: tuple(json.loads(nodes.read(node.outputs[0].uri))) for node in result.nodes}
    begin, end = times.pop("alone")
    assert all(other_end <= begin or end <= other_begin for other_begin, other_end in times.values())


def test_a_run_in_a_thread_leaves_signals_alone(run: Run):
    results: list[RunResult] = []
    thread = threading.Thread(target=lambda: results.append(run(nodes.Make())))
    thread.start()
    thread.join(60)

    assert results[0].is_success


def test_the_metadata_and_the_root_that_a_pipeline_names_are_used(tmp_path: Path):
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "own.db")
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    pipeline = Pipeline("test", str(tmp_path / "root"), config, [nodes.Make()])

    result = headrace.run(pipeline, store=str(tmp_path / "store"), show=False)

    assert result.node("Make").outputs[0].uri.startswith(str(tmp_path / "root" / "Make"))
    assert len(mlmd.MetadataStore(config).get_executions()) == 1
    assert not os.path.exists(tmp_path / "store" / "metadata.db")
    assert runs.read_run(str(tmp_path / "store")).run_id == result.run_id
