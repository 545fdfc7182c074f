"""Several runs side by side: what they were started with, their metrics, and their learning curves over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.errors import DefinitionError
from headrace.reports.artifacts.training import compared
from headrace.reports.blocks.blocks import Block, Note, Report, Section, Table, Value
from headrace.results.leaderboard import RunMetrics, read_run
from headrace.store.session import RunResult, StoreSession
from headrace.ui.units import format_seconds, plural

# Colours of a chart are told apart up to about so many.
_MAX_RUNS = 20


def comparison_report(store: StoreSession, run_ids: Sequence[str]) -> Report:
    """Return the page about several runs, in the order given; one named twice stands there once.

    Raises:
        StoreError: If there is no such run.
        DefinitionError: If there is one run alone, or more than 20.
    """
    runs = {run.run_id: run for run in map(store.run, run_ids)}
    if not 2 <= len(runs) <= _MAX_RUNS:
        raise DefinitionError(
            f"{plural(len(runs), 'run')} {'is' if len(runs) == 1 else 'are'} named, and 2 to {_MAX_RUNS} are compared.",
            "name others: headrace runs lists them; headrace runs --metrics compares any number.",
        )
    found = [read_run(run) for run in runs.values()]
    unread = [Note(text, "warning") for one in found for text in one.unread]
    blocks: list[Block] = [
        *unread,
        _overview(list(runs.values())),
        *_settings(list(runs.values())),
        *_metrics(found),
    ]
    blocks += _curves(found)
    pipelines = ", ".join(dict.fromkeys(run.pipeline_name for run in runs.values()))
    return Report(f"{len(runs)} runs", f"pipeline {pipelines}", blocks)


def _overview(runs: Sequence[RunResult]) -> Table:
    rows: list[list[Value]] = [
        [
            run.run_id,
            run.pipeline_name,
            "succeeded" if run.is_success else "failed",
            format_seconds(run.seconds),
        ]
        for run in runs
    ]
    return Table(["run", "pipeline", "state", "time"], rows, caption="Runs")


def _settings(runs: Sequence[RunResult]) -> list[Block]:
    """What the runs were started with, where it differs."""
    found = [_parameters(run) for run in runs]
    names = list(dict.fromkeys(name for one in found for name in one))
    differing = [name for name in names if len({str(one.get(name, "–")) for one in found}) > 1]
    if not differing:
        return []
    rows: list[list[Value]] = [[name, *[str(one.get(name, "–")) for one in found]] for name in differing]
    return [Table(["", *[run.run_id for run in runs]], rows, caption="Started with")]


def _parameters(run: RunResult) -> Mapping[str, object]:
    configuration = run.details.get("configuration")
    parameters = configuration.get("parameters") if isinstance(configuration, Mapping) else None
    given = dict(parameters) if isinstance(parameters, Mapping) else {}
    command = run.details.get("command")
    return {**({"command": command} if command else {}), **given}


def _metrics(found: Sequence[RunMetrics]) -> list[Block]:
    names = list(dict.fromkeys(name for one in found for name in one.values))
    if not names:
        return [Note("No run has metrics: they have neither a Trainer's history nor an evaluation.", "info")]
    # Of a metric that two nodes have in different sizes, that of each too.
    several = [
        f"{node_id}.{name}"
        for node_id in dict.fromkeys(node_id for one in found for node_id in one.by_node)
        for name in names
        if any(
            name in one.by_node.get(node_id, {}) and one.by_node[node_id][name] != one.values[name]
            for one in found
        )
    ]
    rows: list[list[Value]] = [[name, *[one.value(name) for one in found]] for name in [*names, *several]]
    footnote = "Of an Evaluator for all data, of a Trainer for its best epoch."
    table = Table(["metric", *[one.run.run_id for one in found]], rows, caption="Metrics", footnote=footnote)
    return [Section("Metrics", [table], anchor="metrics")]


def _curves(found: Sequence[RunMetrics]) -> list[Block]:
    has_several = any(len(one.histories) > 1 for one in found)
    histories = {
        f"{one.run.run_id} {node_id}" if has_several else one.run.run_id: history
        for one in found
        for node_id, history in one.histories.items()
    }
    return [Section("Learning curves", compared(histories), anchor="curves")] if len(histories) > 1 else []
