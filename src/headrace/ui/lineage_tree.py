"""The lineage of an artifact as a tree."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from headrace.store.session import ArtifactInfo, ArtifactNode, ExecutionNode, Lineage
from headrace.ui.json_shapes import ArtifactData, LineageArtifact, LineageData, LineageExecution, number_of
from headrace.ui.screen import Screen


def print_lineage(screen: Screen, lineage: Lineage) -> None:
    """Print the artifact, what it was made of, and what was made of it."""
    screen.console.print(_artifact_text(lineage.artifact, ""), soft_wrap=True)
    screen.console.print(Text(f"  {lineage.artifact.uri}", "dim"), soft_wrap=True)
    for title, nothing, root in (
        ("made by", "nothing in this store made it", lineage.up),
        ("used by", "nothing was made of it", lineage.down),
    ):
        if root is None:
            continue
        tree = Tree(Text(title if root.executions else f"{title}: {nothing}", "dim"), guide_style="dim")
        _grow(tree, root)
        screen.console.print(tree, soft_wrap=True)


def _grow(tree: Tree, node: ArtifactNode) -> None:
    for execution in node.executions:
        branch = tree.add(_execution_text(execution))
        for child in execution.artifacts:
            line = _artifact_text(child.artifact, child.key)
            if child.is_repeated:
                line.append("  (shown above)", "dim")
            _grow(branch.add(line), child)
    if node.num_hidden:
        tree.add(Text(f"and {node.num_hidden:,} earlier executions; --limit shows more", "dim"))


def _execution_text(execution: ExecutionNode) -> Text:
    text = Text(execution.place.node_id or f"execution {execution.execution_id}", "bold cyan")
    where = f"  run {execution.place.run_id}" if execution.place.run_id else ""
    return text.append(where, "not bold dim")


def _artifact_text(artifact: ArtifactInfo, key: str) -> Text:
    text = Text(f"{key}: " if key else "", "dim")
    text.append(f"{artifact.type_name} {artifact.artifact_id}", "not dim")
    if artifact.state != "live":
        text.append(f" {artifact.state}", "yellow not dim")
    return text.append(f"  {artifact.summary}" if artifact.summary else "", "dim")


def lineage_data(lineage: Lineage) -> LineageData:
    """Return a lineage as JSON-ready data."""
    return {
        "format": number_of(LineageData),
        "artifact": artifact_data(lineage.artifact),
        "up": None if lineage.up is None else _executions_data(lineage.up),
        "down": None if lineage.down is None else _executions_data(lineage.down),
    }


def _executions_data(node: ArtifactNode) -> list[LineageExecution]:
    return [
        {
            "execution_id": execution.execution_id,
            "pipeline_name": execution.place.pipeline_name,
            "node_id": execution.place.node_id,
            "run_id": execution.place.run_id,
            "artifacts": [_child_data(child) for child in execution.artifacts],
        }
        for execution in node.executions
    ]


def _child_data(child: ArtifactNode) -> LineageArtifact:
    return {
        **artifact_data(child.artifact),
        "key": child.key,
        "is_repeated": child.is_repeated,
        "num_hidden": child.num_hidden,
        "executions": _executions_data(child),
    }


def artifact_data(artifact: ArtifactInfo) -> ArtifactData:
    """Return what is told of an artifact as JSON-ready data."""
    return {
        "artifact_id": artifact.artifact_id,
        "type_name": artifact.type_name,
        "uri": artifact.uri,
        "state": artifact.state,
        "summary": artifact.summary,
        "digest": artifact.digest,
        "created": artifact.created.isoformat(),
    }
