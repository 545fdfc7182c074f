"""Pipelines of Headrace's components under TFX's other runners, and of both kinds under Headrace, on 1,000 rows."""

from __future__ import annotations

import builtins
import os

import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2
from stores import open_store
from swap_pipelines import HEADRACE, MIXES, NAMES, Project, beam_in_process, write_rows
from tfx.orchestration.beam.beam_dag_runner import BeamDagRunner
from tfx.orchestration.experimental.interactive.interactive_context import InteractiveContext

import headrace

_ = beam_in_process  # a fixture


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


def test_both_kinds_take_turns_under_headrace(tmp_path, capfd):
    """Each component reads what one of the other kind made; a second run is served from the cache."""
    project = Project(tmp_path, write_rows(tmp_path / "data"))

    store = str(tmp_path / "store")
    first, second = (
        headrace.run(project.pipeline(MIXES["stock reads first"]), store=store) for _ in range(2)
    )

    first.raise_for_failure()
    assert {node.node_id: node.state.value for node in first.nodes} == dict.fromkeys(NAMES, "done")
    assert {node.node_id: node.state.value for node in second.nodes} == dict.fromkeys(NAMES, "cached")
    assert "ownload" not in capfd.readouterr().err
