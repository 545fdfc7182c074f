"""`headrace server`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headrace.cli.options import json_option

if TYPE_CHECKING:
    from headrace.orchestration.runners.servers import ServerStatus
    from headrace.ui.json_shapes import ServerLine


@click.group(
    "server", short_help="Show or stop the server that stays between runs.", invoke_without_command=True
)
@click.pass_context
def server_command(ctx: click.Context) -> None:
    """Show or stop the server that stays for the next run with the libraries loaded.

    The first run starts it; further runs of the same user, Python environment and container find TensorFlow and the
    other libraries there. It holds installed packages only: each run forks processes of its own from it, with its own
    environment, folder and code, and these end with the run.

    It leaves after 10 minutes without a run (HEADRACE_SERVER_MINUTES), when memory is short, and when a package is
    installed, upgraded or removed. --no-server, HEADRACE_SERVER=0 or the key server: false keeps a run away from it; so
    does the variable CI, unless a run asks for it.

    It executes what its user's processes send. Its socket lies in a folder that no other user can enter
    ($XDG_RUNTIME_DIR/headrace, or headrace-UID in the temporary folder), and it hears no other user.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(status_command, as_json=False)


@server_command.command("status", short_help="Show what lives.")
@json_option
def status_command(as_json: bool) -> None:
    """Show the servers that live: process, environment, age, memory, and when the last run was."""
    from headrace.orchestration.runners.servers import servers

    found = servers()
    if as_json:
        import json

        click.echo(json.dumps([_line(one) for one in found], indent=2))
        return
    if not found:
        click.echo("No server lives. The next run starts one, unless it is told not to.")
        return
    from headrace.ui.listings import plain_table
    from headrace.ui.screen import open_screen
    from headrace.ui.summary import print_table
    from headrace.ui.units import format_bytes, format_seconds, plural

    screen = open_screen()
    table = plain_table("Process", "Age", "Memory", "Runs", "Last run", "Environment")
    for one in found:
        if one.is_silent:
            table.add_row(str(one.pid), "", "", "", "does not answer", "headrace server stop ends it")
            continue
        runs = f"{one.num_runs}, {one.num_running} now" if one.num_running else str(one.num_runs)
        leaves = max(one.most_idle_seconds - one.idle_seconds, 0.0)
        last = "now" if one.num_running else f"{format_seconds(one.idle_seconds)} ago"
        table.add_row(
            str(one.pid),
            format_seconds(one.age_seconds),
            format_bytes(one.memory_bytes) if one.memory_bytes else "",
            runs,
            last if one.num_running else f"{last}, leaves in {format_seconds(leaves)}",
            f"{one.prefix}, {plural(one.num_loaded, 'module')}",
        )
    print_table(screen, table)


@server_command.command("stop", short_help="End it.")
def stop_command() -> None:
    """End the servers that live. Runs that go on do so without them."""
    from headrace.orchestration.runners.servers import stop_servers

    stopped = stop_servers()
    for one in stopped:
        click.echo(f"Server {one.pid} ends.")
    if not stopped:
        click.echo("No server lives.")


def _line(one: ServerStatus) -> ServerLine:
    from dataclasses import asdict

    from headrace.ui.json_shapes import ServerLine, number_of

    return {"format": number_of(ServerLine), **asdict(one)}  # type: ignore[typeddict-item]
