"""`headrace run`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


@click.command("run", short_help="Run a pipeline.")
@click.argument("pipeline", required=False, metavar="[PIPELINE]")
@click.option("--config", "config_path", metavar="FILE", help="YAML file with the run's settings.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a parameter of the pipeline; run.KEY=VALUE sets a key of the configuration. Repeatable.",
)
@click.option("--from", "from_nodes", multiple=True, metavar="NODE", help="Start at this node. Repeatable.")
@click.option("--to", "to_nodes", multiple=True, metavar="NODE", help="Stop after this node. Repeatable.")
@click.option("--only", multiple=True, metavar="NODE", help="Run this node and no other. Repeatable.")
@click.option("--store", metavar="DIR", help="Folder of metadata and artifacts.  [default: .headrace]")
@click.option("--run-id", metavar="ID", help="Name of the run.  [default: today's date and a number]")
@click.option(
    "--cache/--no-cache",
    default=None,
    help="Reuse what did not change, or run every node.  [default: the pipeline's switch]",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Nodes at the same time.")
@click.option(
    "--server/--no-server",
    default=None,
    help="Use a server that stays for the next run, or one of this run.  [default: one that stays; not in CI]",
)
@click.option(
    "--fail",
    type=click.Choice(["fast", "late"]),
    help="After a failure stop at once, or run what does not depend on it.  [default: late]",
)
@click.option(
    "--resume-from", metavar="RUN", help="What this run of the pipeline finished is not executed again."
)
@click.option(
    "--base-run", metavar="RUN", help="Nodes left out give the outputs of this run.  [default: the newest]"
)
@click.option(
    "--beam-pipeline-args", multiple=True, metavar="ARG", help="Argument for every Beam pipeline. Repeatable."
)
@click.option("--dry-run", is_flag=True, default=None, help="Show what would run and why, and run nothing.")
@click.option("--quiet", is_flag=True, help="Show how it ended and nothing before.")
@click.option("--plain", is_flag=True, help="One line per change, as in a CI log, also on a terminal.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON, and progress on standard error."
)
@click.pass_context
def run_command(
    ctx: click.Context,
    /,
    pipeline: str | None,
    config_path: str | None,
    settings: Sequence[str],
    quiet: bool,
    plain: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Run PIPELINE: the name of a ready pipeline (see headrace list), module:function, or a Python file.

    A file defines create_pipeline(), or hands its pipeline, compiled or not, to TFX's LocalDagRunner or
    BeamDagRunner: then Headrace runs it in the runner's place.

    PIPELINE may be left out where the configuration names it. Without --config, that is the folder's own
    headrace.yaml; where there is none, the folder's own pipeline.py is run.

    With --json each run is one line of JSON on standard output, as of headrace show --json; what the pipeline's
    own code prints goes to standard error.

    Exit code: 0 when the run did its work, 1 when it failed, 2 when the pipeline or a setting is wrong,
    130 when it was cancelled, 143 when SIGTERM stopped it, 129 when its terminal was closed.
    """
    from headrace.cli.pipelines.command_line import Command, Output
    from headrace.cli.pipelines.command_runs import carry_out

    commands = frozenset(ctx.find_root().command.commands)  # type: ignore[attr-defined]
    command = Command(pipeline, config_path, settings, options, Output(quiet, plain, as_json))
    ctx.exit(carry_out(command, commands))
