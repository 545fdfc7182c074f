"""Tables of artifacts and of garbage, and the same as plain data for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from headrace.ui.json_shapes import ArtifactLine, CollectedData, GarbageData, number_of
from headrace.ui.lineage_tree import artifact_data
from headrace.ui.listings import plain_table
from headrace.ui.screen import Screen
from headrace.ui.summary import print_table
from headrace.ui.units import format_bytes

if TYPE_CHECKING:
    from headrace.store.garbage.collection import Collected
    from headrace.store.garbage.policy import Garbage
    from headrace.store.session import ArtifactRecord


def print_artifacts(screen: Screen, artifacts: Sequence[ArtifactRecord]) -> None:
    """Print one line per artifact, in the order given."""
    table = plain_table("Id", "Type", "Made by", "Run", "State", "Size", "Holds")
    for column in table.columns[:6]:
        column.no_wrap = True
    table.columns[0].justify = table.columns[5].justify = "right"
    for item in artifacts:
        key = f".{item.key}" if item.key else ""
        table.add_row(
            Text(str(item.artifact_id), "bold"),
            item.type_name,
            f"{item.node_id}{key}" if item.node_id else "",
            item.run_id,
            Text(item.state, "green" if item.state == "live" else "yellow"),
            format_bytes(item.size_bytes) if item.state == "live" else "",
            Text(item.summary, "dim"),
        )
    print_table(screen, table)


def listed_data(item: ArtifactRecord) -> ArtifactLine:
    """Return one line of `headrace artifacts` as JSON-ready data."""
    return {
        "format": number_of(ArtifactLine),
        **artifact_data(item),
        "pipeline_name": item.pipeline_name,
        "node_id": item.node_id,
        "run_id": item.run_id,
        "key": item.key,
        "size_bytes": item.size_bytes,
        "properties": dict(item.properties),
        "splits": list(item.splits),
        "span": item.span,
        "version": item.version,
    }


def collected_data(collected: Collected) -> CollectedData:
    """Return what was removed as JSON-ready data."""
    return {
        "format": number_of(CollectedData),
        "num_artifacts": collected.num_artifacts,
        "num_runs": collected.num_runs,
        "size_bytes": collected.size_bytes,
    }


def garbage_data(garbage: Garbage, log_bytes: int) -> GarbageData:
    """Return what would be removed as JSON-ready data."""
    return {
        "format": number_of(GarbageData),
        "types": {
            name: {"num_artifacts": count, "size_bytes": size}
            for name, (count, size) in garbage_sizes(garbage).items()
        },
        "artifact_ids": [artifact.artifact_id for artifact in garbage.artifacts],
        "run_ids": list(garbage.run_ids),
        "log_bytes": log_bytes,
        "num_kept_artifacts": garbage.kept_artifacts,
        "num_kept_runs": garbage.kept_runs,
    }


def print_garbage(screen: Screen, garbage: Garbage, log_bytes: int) -> None:
    """Print what would be removed, by type with sizes, and what stays."""
    table = plain_table("Type", "Artifacts", "Size")
    table.columns[1].justify = table.columns[2].justify = "right"
    rows = garbage_sizes(garbage)
    for type_name, (count, size) in sorted(rows.items(), key=lambda row: -row[1][1]):
        table.add_row(type_name, f"{count:,}", format_bytes(size))
    if garbage.run_ids:
        table.add_row(f"logs of {len(garbage.run_ids):,} runs", "", format_bytes(log_bytes))
    total = sum(size for _, size in rows.values()) + log_bytes
    table.add_row(Text("together", "bold"), f"{len(garbage.artifacts):,}", Text(format_bytes(total), "bold"))
    print_table(screen, table)
    screen.console.print()


def garbage_sizes(garbage: Garbage) -> dict[str, tuple[int, int]]:
    """Return the number of artifacts and their size in bytes for each type."""
    rows: dict[str, tuple[int, int]] = {}
    for artifact in garbage.artifacts:
        count, size = rows.get(artifact.type_name, (0, 0))
        rows[artifact.type_name] = (count + 1, size + artifact.size_bytes)
    return rows
