"""`headrace resume`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from headrace.cli.options import store_option


@click.command("resume", short_help="Go on with a run that failed or was stopped.")
@click.argument("run", default="latest", metavar="[RUN]")
@store_option
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter anew, such as a secret."
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Nodes at the same time.")
@click.option("--server/--no-server", default=None, help="Use a server that stays, or one of this run.")
@click.option("--fail", type=click.Choice(["fast", "late"]), help="After a failure stop at once, or go on.")
@click.option("--quiet", is_flag=True, help="Show how it ended and nothing before.")
@click.option("--plain", is_flag=True, help="One line per change, as in a CI log, also on a terminal.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON, and progress on standard error."
)
@click.pass_context
def resume_command(
    ctx: click.Context,
    /,
    run: str,
    store: str,
    settings: Sequence[str],
    quiet: bool,
    plain: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Run what RUN left undone, with its pipeline and settings; what it finished is not executed again.

    RUN is an id from headrace runs; the latest where left out. Exit codes are those of headrace run.
    """
    from headrace.cli.pipelines.command_line import Command, Output
    from headrace.cli.pipelines.command_runs import resume_session

    commands = frozenset(ctx.find_root().command.commands)  # type: ignore[attr-defined]
    command = Command(settings=settings, options=options, output=Output(quiet, plain, as_json))
    ctx.exit(resume_session(run, store, command, commands))
