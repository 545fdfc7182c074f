"""What a pipeline refuses when it is made."""

from __future__ import annotations

import pytest

from headrace.authoring import Importer, Pipeline
from headrace.authoring import standard_artifacts as types
from headrace.errors import DuplicateNodeError


def test_a_node_with_the_name_of_its_pipeline_is_refused():
    """TFX's own error for it names no way out."""
    importer = Importer(source_uri="files", artifact_type=types.Schema).with_id("same")
    with pytest.raises(DuplicateNodeError) as raised:
        Pipeline("same", components=[importer])

    assert str(raised.value) == (
        "pipeline 'same': a node has the pipeline's own id.\n"
        "  Fix: give the node another id, such as .with_id('same_node'), or the pipeline another name."
    )
