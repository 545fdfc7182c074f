"""Tables of runs, pipelines and outputs, and the same as plain data for `--json`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from headrace.errors import HeadraceError
from headrace.orchestration.events import NodeResult, NodeState, OutputRecord, RunResult
from headrace.runtime.implementation import Implementation
from headrace.ui.json_shapes import (
    BoardLine,
    ErrorData,
    ImplementationData,
    NodeData,
    OutputData,
    RunData,
    RunLine,
    number_of,
)
from headrace.ui.screen import Screen
from headrace.ui.summary import print_labelled, print_table
from headrace.ui.symbols import STYLES
from headrace.ui.units import format_seconds

if TYPE_CHECKING:
    from headrace.store.session import RunSummary

_STATE_STYLES = {
    "failed": STYLES[NodeState.FAILED],
    "cancelled": STYLES[NodeState.CANCELLED],
    "running": STYLES[NodeState.RUNNING],
    "crashed": STYLES[NodeState.FAILED],
}


def plain_table(*columns: str) -> Table:
    """Return a table with a heading line and no rules; cells too wide for the screen go on below."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_runs(screen: Screen, runs: Sequence[RunSummary]) -> None:
    """Print one line per run, in the order given."""
    table = plain_table("Run", "Pipeline", "Started", "Time", "State", "Nodes")
    for column in table.columns[:5]:
        column.no_wrap = True
    table.columns[3].justify = "right"
    for run in runs:
        parts = [f"{run.num_nodes}"]
        parts += [f"{run.num_cached} cached"] if run.num_cached else []
        parts += [f"{run.num_failed} failed"] if run.num_failed else []
        table.add_row(
            Text(run.run_id, "bold"),
            run.pipeline_name,
            _local(run.started),
            format_seconds(run.seconds),
            Text(run.state, _STATE_STYLES.get(run.state, "green")),
            ", ".join(parts),
        )
    print_table(screen, table)


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def print_outputs(screen: Screen, result: RunResult) -> None:
    """Print every artifact of a run: node and key, type and id, and the folder of its payload."""
    for node in result.nodes:
        for output in node.outputs:
            line = Text(f"{node.node_id}.{output.key}", "bold")
            line.append(f"  {output.type_name} {output.artifact_id}\n", "dim").append(f"    {output.uri}")
            screen.console.print(line, soft_wrap=True)


def print_details(screen: Screen, details: Mapping[str, object]) -> None:
    """Print what a run recorded of itself: the command and the pipeline's parameters, where there are any."""
    configuration = details.get("configuration")
    parameters = configuration.get("parameters") if isinstance(configuration, Mapping) else None
    if details.get("command"):
        print_labelled(screen, "Command", [str(details["command"])])
    if isinstance(parameters, Mapping) and parameters:
        print_labelled(screen, "With", [f"{name} = {value}" for name, value in parameters.items()])


def result_data(result: RunResult) -> RunData:
    """Return a run as JSON-ready data."""
    return {
        "format": number_of(RunData),
        "run_id": result.run_id,
        "pipeline_name": result.pipeline_name,
        "seconds": round(result.seconds, 3),
        "store_path": result.store_path,
        "is_success": result.is_success,
        "is_plan": result.is_plan,
        "parameters": result.details,
        "nodes": [_node_data(node) for node in result.nodes],
    }


def _node_data(node: NodeResult) -> NodeData:
    return {
        "node_id": node.node_id,
        "state": node.state.value,
        "seconds": round(node.seconds, 3),
        "reason": node.reason,
        "execution_id": node.execution_id,
        "log_path": node.log_path,
        "implementation": implementation_data(node.implementation),
        "error": _error_data(node.error) if node.error is not None else None,
        "outputs": [_output_data(output) for output in node.outputs],
    }


def implementation_data(implementation: Implementation) -> ImplementationData | None:
    """Return what did a node's work as JSON-ready data; `None` where nothing is recorded."""
    if not implementation.name:
        return None
    return {"name": implementation.name, "reason": implementation.reason}


def _error_data(error: HeadraceError) -> ErrorData:
    return {"type": type(error).__name__, "problem": error.problem, "fix": error.fix}


def _output_data(output: OutputRecord) -> OutputData:
    return {
        "key": output.key,
        "type_name": output.type_name,
        "artifact_id": output.artifact_id,
        "uri": output.uri,
        "summary": output.summary,
    }


def run_data(run: RunSummary) -> RunLine:
    """Return one line of `headrace runs` as JSON-ready data."""
    return {
        "format": number_of(RunLine),
        "run_id": run.run_id,
        "pipeline_name": run.pipeline_name,
        "started": run.started.isoformat(),
        "seconds": round(run.seconds, 3),
        "state": run.state,
        "num_nodes": run.num_nodes,
        "num_cached": run.num_cached,
        "num_failed": run.num_failed,
    }


def print_board(
    screen: Screen, lines: Sequence[tuple[RunSummary, Mapping[str, float | None]]], notes: Sequence[str]
) -> None:
    """Print one line per run with its metrics, in the order given."""
    names = list(lines[0][1]) if lines else []
    table = plain_table("Run", "Pipeline", "Started", "State", *names)
    for column in table.columns[:4]:
        column.no_wrap = True
    for column in table.columns[4:]:
        column.justify = "right"
    for run, values in lines:
        cells = [format_metric(values[name]) for name in names]
        state = Text(run.state, _STATE_STYLES.get(run.state, "green"))
        table.add_row(Text(run.run_id, "bold"), run.pipeline_name, _local(run.started), state, *cells)
    print_table(screen, table)
    for note in notes:
        screen.console.print(Text(note, "dim"), soft_wrap=True)


def format_metric(value: float | None) -> str:
    """Return a metric with four digits; a dash for none."""
    return "–" if value is None else f"{value:.4g}"


def board_data(run: RunSummary, values: Mapping[str, float | None]) -> BoardLine:
    """Return one line of `headrace runs --metrics` as JSON-ready data."""
    told = {
        name: value if value is None or math.isfinite(value) else str(value) for name, value in values.items()
    }
    return {**run_data(run), "format": number_of(BoardLine), "metrics": told}
