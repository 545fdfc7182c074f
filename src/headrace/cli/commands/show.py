"""`headrace runs` and `headrace show`."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from headrace.cli.options import DEFAULT_STORE, json_option, store_option

if TYPE_CHECKING:
    from headrace.results.leaderboard import RunMetrics
    from headrace.store.results import RunResult
    from headrace.store.session import RunSummary, StoreSession


@click.command("runs", short_help="List past runs.")
@store_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="How many, the latest first.",
)
@click.option(
    "--metrics",
    metavar="NAME,...",
    default="",
    help="Show metrics, such as auc,val_loss: of an Evaluator for all data, of a Trainer for its best epoch.",
)
@click.option("--sort", metavar="NAME", default="", help="Order by a metric, the best first.")
@json_option
def runs_command(store: str, limit: int, metrics: str, sort: str, as_json: bool) -> None:
    """List the runs in the store, the latest first; with --metrics or --sort, how good their models are."""
    from headrace.store.session import is_store, open_store

    runs: list[RunSummary] = []
    board: list[RunMetrics] = []
    names = [name.strip() for name in [*metrics.split(","), sort] if name.strip()]
    if os.path.isdir(store) and is_store(store):
        with open_store(store) as stored:
            runs = list(stored.runs(limit=limit))
            if names:
                from headrace.results.leaderboard import read_board

                board = read_board(stored, runs, names, sort)
    if names and runs:
        _show_board(runs, board, list(dict.fromkeys(names)), sort, as_json=as_json)
        return
    if as_json:
        import json

        from headrace.ui.listings import run_data

        click.echo(json.dumps([run_data(run) for run in runs], indent=2))
        return
    if not runs:
        click.echo(f"There are no runs in {store}. Start one: headrace run taxi")
        return

    from headrace.ui.listings import print_runs
    from headrace.ui.screen import open_screen

    print_runs(open_screen(), runs)


def _show_board(
    runs: list[RunSummary], board: list[RunMetrics], names: list[str], sort: str, *, as_json: bool
) -> None:
    by_id = {run.run_id: run for run in runs}
    lines = [(by_id[one.run.run_id], {name: one.value(name) for name in names}) for one in board]
    if as_json:
        import json

        from headrace.ui.listings import board_data

        click.echo(json.dumps([board_data(run, values) for run, values in lines], indent=2))
        return

    from headrace.results.leaderboard import is_low_good
    from headrace.ui.listings import print_board
    from headrace.ui.screen import open_screen

    order = "smallest" if is_low_good(sort) else "largest"
    unread = [text for one in board for text in one.unread]
    notes = [*([f"Ordered by {sort}, {order} first."] if sort else []), *unread]
    print_board(open_screen(), lines, notes)


@click.command("show", short_help="Show a run, or what an artifact holds.")
@click.argument("run", metavar="[RUN|ARTIFACT]", default="latest")
@store_option
@click.option("--outputs", is_flag=True, help="List every artifact with the folder it is in.")
@click.option("--html", metavar="FILE", default="", help="Write a page that needs no network.")
@click.option("--open", "is_opened", is_flag=True, help="Open the page in the browser.")
@click.option(
    "--with", "other", metavar="ARTIFACT", default="", help="Compare with another artifact of the same type."
)
@json_option
def show_command(
    run: str, store: str, outputs: bool, html: str, is_opened: bool, other: str, as_json: bool
) -> None:
    """Show a run as it was shown at its end, or what an artifact holds.

    A run is an id from headrace runs; the latest where left out. An artifact is an id from headrace artifacts, a
    folder, or RUN/NODE.key, such as latest/Trainer.model. With --json, what it holds stands under "holds", and what
    is left out of long lists under "cut".
    """
    from headrace.cli.commands import report
    from headrace.store.session import open_store

    with open_store(store) as stored:
        if stored.names_artifact(run):
            _refuse(f"{run} is an artifact", {"--outputs": outputs})
            if as_json:
                _refuse("it is printed", {"--html": bool(html), "--open": is_opened})
                _refuse("each artifact is printed alone", {"--with": bool(other)})
                _print_json(run, stored)
                return
            report.show_artifact(run, stored, other, html, is_opened=is_opened)
            return
        _refuse(f"{run} is a run: headrace diff compares two", {"--with": bool(other)})
        if html or is_opened:
            _refuse("a page shows all of it", {"--outputs": outputs, "--json": as_json})
            report.show_run_page(run, stored, html, is_opened=is_opened)
            return
        result = stored.run(run)
    if as_json:
        import json

        from headrace.ui.listings import result_data

        click.echo(json.dumps(result_data(result), indent=2, default=str))
        return
    _print_run(result, store, outputs)


def _print_json(artifact: str, store: StoreSession) -> None:
    import json

    from headrace.results.json_data import shown

    click.echo(json.dumps(shown(store, artifact), indent=2))


def _refuse(why: str, options: dict[str, bool]) -> None:
    """Refuse options that would change nothing here.

    Raises:
        click.UsageError: If one is given.
    """
    for name, is_given in options.items():
        if is_given:
            raise click.UsageError(f"{name} has no use here: {why}.")


def _print_run(result: RunResult, store: str, outputs: bool) -> None:
    from headrace.ui.listings import print_details, print_outputs
    from headrace.ui.screen import open_screen
    from headrace.ui.summary import print_summary

    screen = open_screen()
    is_usual = store == DEFAULT_STORE
    resume = f"headrace resume {result.run_id}{'' if is_usual else f' --store {shlex.quote(store)}'}"
    print_summary(screen, result, next_commands=[] if result.is_success else [resume])
    print_details(screen, result.details)
    if outputs:
        screen.console.print()
        print_outputs(screen, result)
