"""Artifacts of a store as TFX's objects."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
from types import SimpleNamespace
from headrace.store.read import typed_artifacts
from ml_metadata.proto import metadata_store_pb2

kind = metadata_store_pb2.ArtifactType(id=1, name="ExampleStatistics", properties={"span": 1, "split_names": 3})
handle = SimpleNamespace(store=SimpleNamespace(get_artifact_types_by_id=lambda ids: [kind]))
(found,) = typed_artifacts.typed(handle, [metadata_store_pb2.Artifact(id=1, type_id=1)])
print(type(found).__module__)
"""


def test_types_of_tfx_are_known_without_a_warning():
    """Also in a script that has made no component: TFX would make a class of its own, and say so on the screen."""
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "tfx.types.standard_artifacts"
    assert "matching artifact class" not in done.stderr
