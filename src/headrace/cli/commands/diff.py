"""`headrace diff`."""

from __future__ import annotations

import click

from headrace.cli.options import json_option, store_option


@click.command("diff", short_help="Compare two runs: parameters, code, data, metrics, times.")
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@store_option
@click.option("--all", "verbose", is_flag=True, help="Show every number that differs.")
@json_option
def diff_command(first: str, second: str, store: str, verbose: bool, as_json: bool) -> None:
    """Show what differs between two runs, the first on the left. latest is the newest run."""
    from headrace.cli.run_difference import read_difference
    from headrace.store.session import open_store

    with open_store(store) as stored:
        difference = read_difference(stored, first, second)

    from headrace.ui.comparison import comparison_data, is_empty, print_difference

    if as_json:
        import json

        click.echo(json.dumps(comparison_data(difference), indent=2, default=str))
        return

    from headrace.ui.screen import open_screen

    screen = open_screen()
    if is_empty(difference):
        screen.console.print(
            f"{difference.runs.old.run_id} and {difference.runs.new.run_id} computed the same.",
            soft_wrap=True,
        )
    print_difference(screen, difference, verbose)
