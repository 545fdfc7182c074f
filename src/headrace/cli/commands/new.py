"""`headrace new`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from headrace.projects.look.looking import Look, Wishes
    from headrace.projects.making import Plan
    from headrace.projects.naming import Place
    from headrace.ui.screen import Screen


@click.command("new", short_help="Make a project of your own, from data.")
@click.argument("name", metavar="NAME")
@click.option(
    "--data",
    metavar="FILE|FOLDER|ADDRESS",
    help="A CSV, Parquet or JSON lines file; a folder of such; a folder with a folder of pictures or texts for each "
    "label; or a database, such as sqlite:///FILE?SELECT ...",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="COLUMN",
    help="What is to be predicted. Repeated: several columns of 0 and 1.",
)
@click.option("--task", type=click.Choice(["regression", "classes"]), help="What numbers in the label mean.")
@click.option("--time", metavar="COLUMN", help="Evaluate on the latest rows by this column.")
@click.option("--group", metavar="COLUMN", help="Keep rows with the same value here in one split.")
@click.option("--query", metavar="SQL", help="What is read of a database.")
@click.option("--copy-data", is_flag=True, help="Copy the data into the project.")
@click.option(
    "--from", "ready", metavar="READY", help="Copy a ready pipeline, with its data: see headrace list."
)
@click.option(
    "--dry-run", is_flag=True, help="Say what was found and what would be written, and write nothing."
)
@click.option("--yes", is_flag=True, help="Ask nothing.")
def new_command(
    name: str,
    data: str | None,
    labels: Sequence[str],
    task: str | None,
    time: str | None,
    group: str | None,
    query: str | None,
    copy_data: bool,
    ready: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Make the folder NAME with a pipeline that is yours: pipeline.py, features.py, model.py, tests, a notebook, CI.

    With --data, the data are looked at, and it is said what each column was taken for and why; all of it can be
    changed in features.py. The data stay where they are, unless --copy-data says otherwise or they have to be
    converted. With --from, a ready pipeline is copied. Then: cd NAME && headrace run

    An existing folder is never written into, unless it is empty.
    """
    from headrace.projects.look.looking import Wishes
    from headrace.projects.naming import check_place
    from headrace.ui.screen import open_screen

    if (data is None) == (ready is None):
        raise click.UsageError(
            "Give --data with your own data, or --from with a ready pipeline (see headrace list)."
        )
    if ready is not None and (labels or task or time or group or query):
        raise click.UsageError("--label, --task, --time, --group and --query go with --data.")
    place = check_place(name)
    screen = open_screen()
    if ready is not None:
        plan = _plan_from_ready(place, ready)
    else:
        wishes = Wishes(tuple(dict.fromkeys(labels)), time, group, task, query)
        plan = _plan_from_data(screen, place, data or "", wishes, is_copied=copy_data, is_asking=not yes)
    if dry_run:
        _print_files(screen, plan, "Would be written")
        return
    if (
        data is not None
        and not yes
        and _is_terminal()
        and not click.confirm("Write the project?", default=True)
    ):
        raise click.Abort
    plan.carry_out()
    _print_files(screen, plan, "Written")
    _print_next(screen, plan)


def _plan_from_ready(place: Place, ready: str) -> Plan:
    from headrace.cli.pipelines.ready_pipelines import find_ready_pipelines
    from headrace.errors import DefinitionError, did_you_mean, listed
    from headrace.projects.ready import plan_copy

    pipelines = {pipeline.name: pipeline for pipeline in find_ready_pipelines()}
    if ready not in pipelines:
        raise DefinitionError(
            f"there is no ready pipeline '{ready}'. There are {listed(pipelines)}.",
            f"{did_you_mean(ready, pipelines)}Correct --from.",
        )
    return plan_copy(place, pipelines[ready].module, pipelines[ready].description)


def _plan_from_data(
    screen: Screen, place: Place, data: str, wishes: Wishes, *, is_copied: bool, is_asking: bool
) -> Plan:
    from dataclasses import replace

    from headrace.projects.look.looking import look_at
    from headrace.projects.making import plan_project

    look = look_at(data, wishes)
    if look.label is None:
        chosen = _choose_label(screen, look, is_asking=is_asking)
        look = look_at(data, replace(wishes, labels=(chosen,)))
    _print_look(screen, look)
    plan = plan_project(place, look, is_copied=is_copied)
    screen.console.print(f"\n{plan.data.text}", soft_wrap=True)
    return plan


def _choose_label(screen: Screen, look: Look, *, is_asking: bool) -> str:
    """Ask which column is to be predicted; without a terminal, say which there are."""
    from headrace.errors import DataError, listed
    from headrace.projects.look.looking import likely_labels

    likely = likely_labels(look.columns)
    names = [column.name for column in look.columns]
    if not likely or not is_asking or not _is_terminal():
        few = names if len(names) <= 40 else names[:40]
        raise DataError(
            f"nothing says what is to be predicted. {look.source.given} has {listed(few)}"
            f"{f' and {len(names) - len(few):,} more' if len(few) < len(names) else ''}.",
            f"give --label COLUMN, such as --label '{likely[0]}'." if likely else "give --label COLUMN.",
        )
    screen.console.print("Which column is to be predicted?", soft_wrap=True)
    reasons = {column.name: column.reason for column in look.columns}
    for number, name in enumerate(likely[:20], 1):
        screen.console.print(f"  {number:>2}  {name}  ({reasons[name]})", soft_wrap=True)
    while True:
        answer = click.prompt("Number or name", default=likely[0])
        if answer in names:
            return str(answer)
        if answer.isdigit() and 1 <= int(answer) <= min(20, len(likely)):
            return likely[int(answer) - 1]
        screen.console.print(f"There is no column '{answer}'.", soft_wrap=True)


def _is_terminal() -> bool:
    import sys

    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _print_look(screen: Screen, look: Look) -> None:
    from rich.text import Text

    from headrace.ui.listings import plain_table
    from headrace.ui.summary import print_table

    most = 60
    rows = f"{look.num_rows:,} {'files' if look.source.kind in ('images', 'texts') else 'rows'}"
    console = screen.console
    console.print(f"{look.source.given}: {look.source.text}, {rows} looked at", soft_wrap=True)
    table = plain_table("Column", "Taken for", "Because")
    for column in look.columns[:most]:
        style = {"label": "bold", "ignore": "dim", "id": "dim"}.get(column.role, "")
        table.add_row(Text(column.name, style), Text(column.role, style), Text(column.reason, "dim"))
    print_table(screen, table)
    if len(look.columns) > most:
        left = len(look.columns) - most
        console.print(f"and {left:,} more columns: all are in README.md and features.py", style="dim")
    if look.label is not None:
        names = ", ".join(look.label.names)
        kinds = {"binary": "two classes", "classes": "classes", "labels": "several labels"}
        kind = kinds.get(look.label.task, look.label.task)
        console.print(Text(f"\n'{names}' is predicted as {kind}: {look.label.reason}"), soft_wrap=True)
    for note in look.notes:
        console.print(Text("! ", "yellow").append(note, "default"), soft_wrap=True)


def _print_files(screen: Screen, plan: Plan, what: str) -> None:
    names = sorted(plan.texts)
    if plan.add_data is not None:
        names.append("data/")
    screen.console.print(f"\n{what}: {plan.place.path}/ with {', '.join(names)}", soft_wrap=True)


def _print_next(screen: Screen, plan: Plan) -> None:
    import shlex

    from rich.text import Text

    command = f"cd {shlex.quote(plan.place.path)} && headrace run"
    screen.console.print(Text("Next: ", "dim").append(command, "cyan"), soft_wrap=True)
