"""Only `headrace.authoring` imports what TFX's pipelines and components are declared with: see src/README.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# What declarations are made of. The rest of `tfx.dsl` and `tfx.types` is what executors, drivers and launchers use:
# bases of executors and drivers, files, placeholders of a compiled pipeline, values and properties of artifacts.
AUTHORING = re.compile(
    r"tfx\.v1\b|tfx\.orchestration\.(pipeline|data_types)\b|"
    r"tfx\.types\.(artifact|channel|channel_utils|component_spec|standard_artifacts|standard_component_specs|system_"
    r"artifacts|system_executions)\b|"
    r"tfx\.dsl\.(?!io\b|compiler\.(placeholder_utils|constants)\b|components\.base\.base_(executor|beam_executor|driver)\b)"
)
EXCEPTIONS = {
    # They tell what a definition of the user's connects, to run its upstream, to name it and to write it as code.
    "src/headrace/notebook/code.py",
    "src/headrace/notebook/formatters.py",
    "src/headrace/notebook/texts.py",
    "src/headrace/notebook/upstream.py",
    # They take TFX's own pipelines too.
    "src/headrace/orchestration/engine/start.py",
    "src/headrace/ui/runner.py",
}


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of what is imported when the code runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.stmt):
            yield from imported(node)


def doors() -> dict[str, list[str]]:
    """What each module outside of `headrace.authoring` imports of TFX's authoring part."""
    found: dict[str, list[str]] = {}
    for folder in ("src/headrace", "components", "pipelines"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            text = path.read_text(encoding="utf-8")
            if place.startswith("src/headrace/authoring/") or "tfx" not in text:
                continue
            names = [name for name in imported(ast.parse(text)) if AUTHORING.match(name)]
            if names:
                found[place] = names
    return found


def test_only_the_authoring_door_imports_tfxs_authoring_part() -> None:
    """But for those named with their reason, each of which needs it."""
    assert doors().keys() == EXCEPTIONS


@pytest.mark.parametrize(
    ("name", "is_authoring"),
    [
        ("tfx.v1", True),
        ("tfx.dsl.components.base.base_component.BaseComponent", True),
        ("tfx.dsl.components.base.executor_spec", True),
        ("tfx.dsl.compiler.compiler", True),
        ("tfx.types.channel.Channel", True),
        ("tfx.types.standard_artifacts", True),
        ("tfx.dsl.components.base.base_executor", False),
        ("tfx.dsl.compiler.placeholder_utils", False),
        ("tfx.dsl.io.fileio", False),
        ("tfx.types.artifact_utils", False),
        ("tfx.types.value_artifact.ValueArtifact", False),
        ("tfx.orchestration.portable.data_types", False),
        ("tfx.proto.trainer_pb2", False),
    ],
)
def test_the_line_between_declaring_and_executing(name: str, is_authoring: bool) -> None:
    assert bool(AUTHORING.match(name)) is is_authoring
