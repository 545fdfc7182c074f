"""Headrace's components and stock ones in one pipeline, on 1,000 rows, under TFX's own runner.

The pipelines share one store, so that what was made before comes from TFX's cache.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tfx.v1 as tfx
from ml_metadata.proto import metadata_store_pb2
from stores import open_store
from swap_pipelines import HEADRACE, MIXES, NAMES, Project, beam_in_process, write_rows

from headrace.formats import protos

_ = beam_in_process  # a fixture
ENDED_WELL = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Data, and a store for all."""
    folder = tmp_path_factory.mktemp("swaps")
    return Project(folder, write_rows(folder / "data"))


def newest(store: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the newest execution of a component, and its outputs by key."""
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


@pytest.mark.parametrize("kinds", MIXES.values(), ids=MIXES)
def test_each_kind_reads_what_the_other_made(project: Project, kinds: Mapping[str, Any]):
    """Whoever made what: verdict, schema and splits are the same."""
    tfx.orchestration.LocalDagRunner().run(project.pipeline(kinds))

    store = open_store(project.folder / "metadata.db")
    for name in NAMES:
        execution, outputs = newest(store, name)
        assert execution.last_known_state in ENDED_WELL, name
        for key, artifact in outputs.items():
            assert os.listdir(artifact.uri), (name, key)
    assert_all_say_the_same(store)


def test_the_mixes_have_each_connection_both_ways(project: Project):
    """A connection to which neither mix nor its opposite puts two kinds would be tried by no test."""
    connections = {
        (channel.producer_component_id, name)
        for name, node in project.nodes(HEADRACE).items()
        for channel in node.inputs.values()
    }
    tried = {
        (maker, kinds[maker] is HEADRACE[maker], reader)
        for kinds in MIXES.values()
        for maker, reader in connections
        if (kinds[maker] is HEADRACE[maker]) != (kinds[reader] is HEADRACE[reader])
    }

    assert len(connections) > len(NAMES)
    assert tried == {(maker, is_ours, reader) for maker, reader in connections for is_ours in (True, False)}


def assert_all_say_the_same(store: Any) -> None:
    """All that was made so far in a store."""
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
    for artifact in store.get_artifacts_by_type("Examples"):
        if "CsvExampleGen" in artifact.uri:
            assert artifact.custom_properties["span"].int_value == 0
            fingerprint = artifact.custom_properties["input_fingerprint"].string_value
            assert fingerprint.startswith("split:single_split,num_files:1")
    splits = [
        json.loads(a.properties["split_names"].string_value) for a in store.get_artifacts_by_type("Examples")
    ]
    # Stock Transform names them in any order.
    assert {tuple(sorted(names)) for names in splits} == {("eval", "train")}
    for artifact in store.get_artifacts_by_type("ExampleAnomalies"):
        for path in Path(artifact.uri).glob("Split-*/SchemaDiff.pb"):
            assert not protos.read_binary(str(path), protos.anomalies_pb2.Anomalies).anomaly_info
