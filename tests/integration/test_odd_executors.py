"""Executors that fork, replace their output, or raise what cannot be printed."""

from __future__ import annotations

import os
from pathlib import Path

import odd_nodes
import pytest

import headrace
from headrace.authoring import Pipeline
from headrace.store.results import RunResult


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    nodes = [
        odd_nodes.ForkAndFail(),
        odd_nodes.ForkAndReturn(),
        odd_nodes.ReplaceByLink(),
        odd_nodes.RaiseUnspeakable(),
    ]
    store = str(tmp_path_factory.mktemp("store"))
    return headrace.run(Pipeline("odd", components=nodes), store=store, show=False, raise_on_failure=False)


@pytest.mark.parametrize("node_id", ["ForkAndFail", "ForkAndReturn"])
def test_what_a_forked_process_does_is_not_the_nodes_result(result: RunResult, node_id: str):
    """Neither its failure nor its end: the node is done when the process that was asked is."""
    node = result.node(node_id)
    assert (node.state.value, str(node.error or "")) == ("done", "")
    assert Path(node.outputs[0].uri, "text").read_text() == "done"


def test_an_output_that_became_a_link_is_refused_before_anything_behind_it_is_read(result: RunResult):
    error = str(result.node("ReplaceByLink").error)
    assert "was replaced by a link to" in error
    assert os.path.isdir(os.path.expanduser("~"))


def test_an_exception_without_text_is_told_by_its_name(result: RunResult):
    error = str(result.node("RaiseUnspeakable").error)
    assert "UnspeakableError: its text cannot be told: its __str__ raises RuntimeError" in error
    assert "odd_nodes.py:" in error
