"""`headrace diff`."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import click

from headrace.cli.options import json_option, store_option

if TYPE_CHECKING:
    from headrace.store.session import StoreSession


@click.command("diff", short_help="Compare runs: parameters, code, data, metrics, times.")
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.argument("others", metavar="[RUN...]", nargs=-1)
@store_option
@click.option("--all", "verbose", is_flag=True, help="Show every number that differs.")
@click.option(
    "--html", metavar="FILE", default="", help="Write a page with the learning curves over each other."
)
@click.option("--open", "is_opened", is_flag=True, help="Open the page in the browser.")
@json_option
def diff_command(
    first: str,
    second: str,
    others: tuple[str, ...],
    store: str,
    verbose: bool,
    html: str,
    is_opened: bool,
    as_json: bool,
) -> None:
    """Show what differs between two runs, the first on the left. latest is the newest run.

    Of more than two, or on a page, that is what they were started with, their metrics and their learning curves.
    """
    from headrace.cli.run_difference import read_difference
    from headrace.store.session import open_store

    with open_store(store) as stored:
        if others or html or is_opened:
            _show_several(
                stored, [first, second, *others], html, is_opened=is_opened, as_json=as_json, verbose=verbose
            )
            return
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


def _show_several(
    stored: StoreSession, run_ids: list[str], html: str, *, is_opened: bool, as_json: bool, verbose: bool
) -> None:
    if as_json:
        raise click.UsageError(
            "--json compares two runs, and prints no page; headrace runs --metrics NAME,... --json tells the metrics of "
            "many."
        )
    if verbose:
        raise click.UsageError("--all has no use here: it shows every number of two runs.")

    from headrace.cli.commands import report
    from headrace.results.run_comparison import comparison_report

    made = comparison_report(stored, run_ids)
    if html or is_opened:
        path = html or os.path.join(tempfile.mkdtemp(prefix="headrace-"), "runs.html")
        report.write(made, path, is_opened=is_opened)
        return

    from headrace.reports.blocks.texts import print_report
    from headrace.ui.screen import open_screen

    print_report(open_screen().console, made)
