"""Each Headrace component in a stock pipeline and each stock one in ours, on 1,000 rows, under four runners.

The pipelines share one store, so that what is not swapped comes from TFX's cache.
"""

from __future__ import annotations

import builtins
import json
import os
from pathlib import Path

import pytest
import stock_taxi
import tensorflow as tf
import tfx.v1 as tfx
from ml_metadata.proto import metadata_store_pb2
from stores import open_store
from swap_pipelines import HEADRACE, NAMES, STOCK, Project, write_rows
from tfx.orchestration.beam.beam_dag_runner import BeamDagRunner
from tfx.orchestration.experimental.interactive.interactive_context import InteractiveContext

import headrace
from headrace.io import protos

# A swapped component, and those that read what it makes.
READERS = {
    "CsvExampleGen": ("StatisticsGen", "Transform"),
    "StatisticsGen": ("SchemaGen", "ExampleValidator"),
    "SchemaGen": ("ExampleValidator", "Transform"),
    "ExampleValidator": (),
    "Transform": ("Trainer",),
    "Tuner": ("Trainer",),
    "Trainer": ("Evaluator", "BulkInferrer"),
    "Evaluator": ("Pusher", "BulkInferrer"),
    "Pusher": (),
    "BulkInferrer": (),
}


@pytest.fixture(scope="module", autouse=True)
def beam_in_process():
    """Stock components get no Beam arguments: TFX would package its own source for each of them."""
    with pytest.MonkeyPatch.context() as patch:
        stock_taxi.use_beam_in_process(patch)
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Data, and a store in which both kinds of pipeline have run as a whole."""
    folder = tmp_path_factory.mktemp("swaps")
    project = Project(folder, write_rows(folder / "data"))
    for kinds in (STOCK, HEADRACE):
        tfx.orchestration.LocalDagRunner().run(project.pipeline(kinds))
    return project


def newest(project, name):
    """Return the newest execution of a component, and its outputs by key."""
    store = open_store(project.folder / "metadata.db")
    execution = max(
        (e for e in store.get_executions() if e.type.endswith(f".{name}")), key=lambda execution: execution.id
    )
    events = store.get_events_by_execution_ids([execution.id])
    made = {
        event.path.steps[0].key: store.get_artifacts_by_id([event.artifact_id])[0]
        for event in events
        if event.type == metadata_store_pb2.Event.OUTPUT
    }
    return execution, made


def num_executions(project):
    """Return how many executions the store has."""
    return len(open_store(project.folder / "metadata.db").get_executions())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("host", "guest"), [(STOCK, HEADRACE), (HEADRACE, STOCK)], ids=["ours", "stock"])
def test_one_component_of_the_other_kind(project, host, guest, name):
    """It reads what the others made, and the others read what it makes."""
    kinds = {**host, name: guest[name]}
    before = num_executions(project)

    tfx.orchestration.LocalDagRunner().run(project.pipeline(kinds, (name, *READERS[name])))

    assert num_executions(project) > before
    for made in (name, *READERS[name]):
        execution, outputs = newest(project, made)
        assert execution.last_known_state in (
            metadata_store_pb2.Execution.COMPLETE,
            metadata_store_pb2.Execution.CACHED,
        ), made
        for key, artifact in outputs.items():
            assert os.listdir(artifact.uri), (made, key)


def test_both_kinds_of_pipeline_make_the_same(project):
    """Once all components ran in both kinds of pipeline: verdict, schema and splits are those of either."""
    store = open_store(project.folder / "metadata.db")
    schemas = {
        Path(artifact.uri, "schema.pbtxt").read_text()
        for artifact in store.get_artifacts_by_type("Schema")
        if "SchemaGen" in artifact.uri
    }
    assert len(schemas) == 1
    blessings = {
        a.custom_properties["blessed"].int_value for a in store.get_artifacts_by_type("ModelBlessing")
    }
    assert blessings == {1}
    splits = [
        json.loads(a.properties["split_names"].string_value) for a in store.get_artifacts_by_type("Examples")
    ]
    # Stock Transform names them in any order.
    assert {tuple(sorted(names)) for names in splits} == {("eval", "train")}
    for artifact in store.get_artifacts_by_type("ExampleAnomalies"):
        for path in Path(artifact.uri).glob("Split-*/SchemaDiff.pb"):
            assert not protos.read_binary(str(path), protos.anomalies_pb2.Anomalies).anomaly_info


def test_ours_alone_under_beam_dag_runner(tmp_path):
    """The whole pipeline as one Beam pipeline of TFX's."""
    project = Project(tmp_path, write_rows(tmp_path / "data"))

    BeamDagRunner().run(project.pipeline(HEADRACE))

    states = {e.last_known_state for e in open_store(tmp_path / "metadata.db").get_executions()}
    assert states == {metadata_store_pb2.Execution.COMPLETE}
    [version] = (tmp_path / "serving").iterdir()
    assert list(tf.saved_model.load(str(version)).signatures) == ["serving_default", "transform_features"]


def test_ours_in_tfxs_interactive_context(tmp_path, monkeypatch):
    """Cell by cell, as in a notebook of TFX's."""
    # What TFX asks to find out whether it runs in a notebook.
    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    project = Project(tmp_path, write_rows(tmp_path / "data"))
    context = InteractiveContext(pipeline_root=str(tmp_path / "interactive"))

    results = {name: context.run(node) for name, node in project.nodes(HEADRACE).items()}

    for name, result in results.items():
        for key, channel in result.component.outputs.items():
            for artifact in channel.get():
                assert os.listdir(artifact.uri), (name, key)


_EVEN = {name: (HEADRACE if index % 2 else STOCK)[name] for index, name in enumerate(NAMES)}
_ODD = {name: (STOCK if index % 2 else HEADRACE)[name] for index, name in enumerate(NAMES)}


@pytest.mark.parametrize("kinds", [_EVEN, _ODD], ids=["stock reads first", "ours reads first"])
def test_both_kinds_take_turns_under_headrace(tmp_path, kinds, capfd):
    """Each component reads what one of the other kind made; a second run is served from the cache."""
    project = Project(tmp_path, write_rows(tmp_path / "data"))

    store = str(tmp_path / "store")
    first, second = (headrace.run(project.pipeline(kinds), store=store) for _ in range(2))

    first.raise_for_failure()
    assert {node.node_id: node.state.value for node in first.nodes} == dict.fromkeys(NAMES, "done")
    assert {node.node_id: node.state.value for node in second.nodes} == dict.fromkeys(NAMES, "cached")
    assert "ownload" not in capfd.readouterr().err
