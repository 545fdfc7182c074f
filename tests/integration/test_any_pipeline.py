"""Components of every kind run, wherever the pipeline keeps its metadata and whichever thread starts it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import ml_metadata as mlmd
import nodes
import pytest
import stored
from conftest_runs import Run, run, store, texts
from ml_metadata.proto import metadata_store_pb2

import headrace
from headrace.authoring import Pipeline, options
from headrace.authoring.light import authoring
from headrace.errors import UnsupportedFeatureError
from headrace.orchestration.runners.local.workers import Workers
from headrace.store.results import RunResult

with authoring():
    from tfx.orchestration.pipeline import ExecutionMode

_ = (run, store)  # fixtures


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One server with all that these nodes load."""
    with Workers(lambda: ["tensorflow", "apache_beam", "beam_nodes"]) as kept:
        yield kept


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


def test_beam_components_run_in_process_whatever_direct_runner_means(run: Run):
    import beam_nodes

    ways = {"named": ["--runner=DirectRunner"], "unnamed": ["--direct_running_mode=multi_processing"]}
    parts = [
        beam_nodes.BeamNode(count=3).with_id(name).with_beam_pipeline_args(arguments)
        for name, arguments in ways.items()
    ]

    result = run(*parts)

    assert result.is_success, result.failed
    assert [texts(result, name) for name in ways] == [["0+1+2"], ["0+1+2"]]

    # Arguments of the run follow those of the node.
    refused = run(
        beam_nodes.BeamNode(count=4).with_beam_pipeline_args(["--runner=DirectRunner"]),
        beam_pipeline_args=["--runner=DaskRunner"],
    )
    assert "DaskRunner" in str(refused.node("BeamNode").error)


def test_old_style_components_with_executor_and_driver_run(run: Run):
    import beam_nodes

    result = run(beam_nodes.OldStyle(text="old"))

    assert result.is_success, result.failed
    assert texts(result, "OldStyle") == ["old driven"]


def test_an_exclusive_node_runs_alone_and_processors_are_counted(run: Run):
    makes = [nodes.Timed(name=f"n{i}", seconds=0.3).with_id(f"n{i}") for i in range(3)]
    alone = options(nodes.Timed(name="alone", seconds=0.3).with_id("alone"), exclusive=True)
    result = run(*makes, alone, workers=4)

    times = {node.node_id: tuple(json.loads(nodes.read(node.outputs[0].uri))) for node in result.nodes}
    begin, end = times.pop("alone")
    assert all(other_end <= begin or end <= other_begin for other_begin, other_end in times.values())


def test_a_run_in_a_thread_leaves_signals_alone(store: str):
    results: list[RunResult] = []
    pipeline = Pipeline("test", components=[nodes.Make()])
    thread = threading.Thread(target=lambda: results.append(headrace.run(pipeline, store=store, show=False)))
    thread.start()
    thread.join(60)

    assert results[0].is_success


def test_the_metadata_and_the_root_that_a_pipeline_names_are_used(tmp_path: Path):
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "own.db")
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    pipeline = Pipeline("test", str(tmp_path / "root"), config, [nodes.Make()])

    with pytest.warns(RuntimeWarning, match="^the pipeline's metadata_connection_config names "):
        result = headrace.run(pipeline, store=str(tmp_path / "store"), show=False)

    assert result.node("Make").outputs[0].uri.startswith(str(tmp_path / "root" / "Make"))
    assert len(mlmd.MetadataStore(config).get_executions()) == 1
    assert not os.path.exists(tmp_path / "store" / "metadata.db")
    assert stored.read_run(str(tmp_path / "store")).run_id == result.run_id
