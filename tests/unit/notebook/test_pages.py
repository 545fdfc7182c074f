"""What a cell shows."""

from __future__ import annotations

import nodes
import pytest

from headrace.authoring import standard_artifacts
from headrace.authoring.descriptions import describe_node
from headrace.files import elsewhere
from headrace.notebook import pages, texts
from headrace.store.results import NodeResult, NodeState, OutputRecord, RunResult

HOSTILE = "<script>alert(1)</script>"


def test_values_are_shown_and_not_run():
    """Names and values from data are escaped, wherever they stand."""
    output = OutputRecord(HOSTILE, "Schema", 1, f"/{HOSTILE}", HOSTILE)
    node = NodeResult("Make", NodeState.DONE, 1.0, HOSTILE, (output,))

    shown = pages.step_page(node, HOSTILE, [HOSTILE]) + pages.run_page(
        RunResult("run-1", HOSTILE, (node,), 1.0, "store")
    )
    shown += pages.component_page(nodes.Make(text=HOSTILE))

    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_components_and_channels_in_words():
    make = nodes.Make(text="hello")
    use = nodes.Use(given=make.outputs["out"])

    assert describe_node(use) == "Use\n  input given: Schema of Make.outputs['out']\n  output out: Schema"
    assert texts.channel_text(make.outputs["out"]) == "Schema of Make.outputs['out']"


@pytest.mark.parametrize("address", ["abc://bucket/schema", "http://localhost:1/schema"])
def test_an_artifact_elsewhere_is_shown_without_a_look_at_it(address: str, monkeypatch: pytest.MonkeyPatch):
    """A cell neither waits for a store nor fails where the package for it is missing."""
    monkeypatch.setattr(elsewhere, "filesystem", lambda address: pytest.fail(f"{address} was asked"))
    schema = standard_artifacts.Schema()
    schema.uri = address

    assert texts.artifact_text(schema) == f"Schema 0\n  uri: {address}"
    assert address in pages.artifact_page(schema)
