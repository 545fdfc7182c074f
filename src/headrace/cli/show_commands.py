"""`headrace runs` and `headrace show`."""

from __future__ import annotations

import os
import shlex

import click

DEFAULT_STORE = ".headrace"

store_option = click.option(
    "--store", default=DEFAULT_STORE, show_default=True, metavar="DIR", help="Folder of the store."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("runs", short_help="List past runs.")
@store_option
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the latest first."
)
@json_option
def runs_command(store: str, limit: int, as_json: bool) -> None:
    """List the runs in the store, the latest first."""
    runs = []
    if os.path.isdir(store):
        from headrace.metadata.runs import list_runs

        runs = list_runs(store, limit)
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


@click.command("show", short_help="Show one run: its nodes, what they made, what failed.")
@click.argument("run", default="latest")
@store_option
@click.option("--outputs", is_flag=True, help="List every artifact with the folder it is in.")
@json_option
def show_command(run: str, store: str, outputs: bool, as_json: bool) -> None:
    """Show RUN as it was shown at its end. RUN is an id from headrace runs; the latest where left out."""
    if not os.path.isdir(store):
        from headrace.errors import StoreError

        raise StoreError(
            f"there is no store '{store}' in {os.getcwd()}.",
            "start a run, or name the store with --store DIR.",
        )

    from headrace.metadata.runs import read_run

    result = read_run(store, run)
    if as_json:
        import json

        from headrace.ui.listings import result_data

        click.echo(json.dumps(result_data(result), indent=2, default=str))
        return

    from headrace.ui.listings import print_details, print_outputs
    from headrace.ui.screen import open_screen
    from headrace.ui.summary import print_summary

    screen = open_screen()
    is_usual = store == DEFAULT_STORE
    resume = f"headrace resume {result.run_id}{'' if is_usual else f' --store {shlex.quote(store)}'}"
    print_summary(screen, result, next_commands=[] if result.is_success else [resume])
    print_details(screen, result.parameters)
    if outputs:
        screen.console.print()
        print_outputs(screen, result)
