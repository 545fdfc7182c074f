"""The command `headrace`.

Importing this module and every command's loads click and nothing heavier, so that `--help` answers at
once: what a command needs it imports when it runs.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

import click

from headrace import __version__
from headrace.cli import failures, noise, working_folder
from headrace.cli.commands.diff import diff_command
from headrace.cli.commands.doctor import doctor_command
from headrace.cli.commands.explain import explain_command
from headrace.cli.commands.list import list_command
from headrace.cli.commands.new import new_command
from headrace.cli.commands.report import report_command
from headrace.cli.commands.resume import resume_command
from headrace.cli.commands.run import run_command
from headrace.cli.commands.server import server_command
from headrace.cli.commands.show import runs_command, show_command
from headrace.cli.commands.store import artifacts_command, gc_command, lineage_command, logs_command
from headrace.cli.commands.tensorboard import tensorboard_command
from headrace.errors import did_you_mean

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


class _Commands(click.Group):
    """Lists commands in the order they are used in, and turns exceptions into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            given = args[0] if args else ""
            if given.startswith("-"):
                raise
            near = did_you_mean(given, self.commands).capitalize()
            raise click.UsageError(f"There is no command '{given}'. {near}".strip(), ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            ctx.exit(failures.report(error))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: headrace run taxi, or with data of yours: headrace new NAME --data FILE",
)
@click.version_option(__version__, prog_name="headrace")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Run TFX pipelines: fast on one machine, orchestrated by Apache Beam."""
    if debug:
        # In the environment, so that worker processes know it too.
        os.environ["HEADRACE_DEBUG"] = "1"
    noise.silence()
    working_folder.check()


for _command in (
    new_command,
    run_command,
    resume_command,
    list_command,
    runs_command,
    show_command,
    report_command,
    tensorboard_command,
    explain_command,
    logs_command,
    diff_command,
    artifacts_command,
    lineage_command,
    gc_command,
    doctor_command,
    server_command,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line of this process."""
    # What a command loads stays; collections would walk it again and again while it grows.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    for stream in (sys.stdout, sys.stderr):
        # A message with a sign that the terminal lacks is shown with '?' rather than lost.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        cli(prog_name="headrace")
    finally:
        if "apache_beam" in sys.modules:
            # At its end Python looks through all that is left once more: with Beam's modules a second for nothing.
            gc.freeze()
