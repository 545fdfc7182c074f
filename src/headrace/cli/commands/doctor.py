"""`headrace doctor`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from headrace.cli.options import DEFAULT_STORE, local_store

if TYPE_CHECKING:
    from headrace.cli.machine.checks import Check
    from headrace.store.damage import Verified
    from headrace.ui.json_shapes import CheckLine, DamageLine


@click.command("doctor", short_help="Check this machine and this installation, and say what to do.")
@click.option(
    "--store",
    default=DEFAULT_STORE,
    show_default=True,
    metavar="DIR",
    help="The store that must be writable.",
    callback=local_store,
)
@click.option(
    "--verify",
    is_flag=True,
    help="Instead, read every artifact in the store and compare it with what was written.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor_command(ctx: click.Context, store: str, verify: bool, as_json: bool) -> None:
    """Check Python, the packages and their versions, Beam, ML Metadata, memory, disk and write access.

    With --verify: check the artifacts of a store. What is damaged is listed with the command that makes it again,
    and is not served from the cache any more.

    Exit code: 1 when something must be mended before a pipeline can run, or an artifact is damaged.
    """
    if verify:
        ctx.exit(_verify(store, as_json))
    from headrace.cli.machine.checks import BAD, GOOD, WARNING, run_checks

    if as_json:
        import json

        found = list(run_checks(store))
        click.echo(json.dumps([_check_data(check) for check in found], indent=2))
        ctx.exit(int(any(check.outcome == BAD for check in found)))

    from rich.text import Text

    from headrace.ui.screen import open_screen

    screen = open_screen()
    signs = {
        GOOD: (screen.symbols.good, "green"),
        WARNING: (screen.symbols.warning, "yellow"),
        BAD: (screen.symbols.bad, "bold red"),
    }
    # Beam takes seconds to load: on a terminal something moves meanwhile.
    waiting = screen.console.status("looking") if screen.is_live else contextlib.nullcontext()
    outcomes = []
    with waiting:
        for check in run_checks(store):
            outcomes.append(check.outcome)
            sign, style = signs[check.outcome]
            line = Text(sign, style).append(f" {check.name:<12} {check.text}", "not bold default")
            screen.console.print(line, soft_wrap=True)
            if check.advice:
                screen.console.print(Text(f"  {'':<12} {check.advice}", "yellow"), soft_wrap=True)
    num_bad, num_warnings = outcomes.count(BAD), outcomes.count(WARNING)
    screen.console.print()
    if num_bad:
        screen.console.print(Text(f"{num_bad} to mend before a pipeline can run, {num_warnings} to look at."))
    else:
        warnings = f", {num_warnings} to look at" if num_warnings else ""
        screen.console.print(Text(f"Ready{warnings}. Try: headrace run taxi"))
    ctx.exit(int(num_bad > 0))


def _check_data(check: Check) -> CheckLine:
    from headrace.ui.json_shapes import CheckLine, number_of

    return {
        "format": number_of(CheckLine),
        "name": check.name,
        "outcome": check.outcome,
        "text": check.text,
        "advice": check.advice,
    }


def _damage_data(one: Verified) -> DamageLine:
    from headrace.ui.json_shapes import DamageLine, number_of

    return {
        "format": number_of(DamageLine),
        "artifact_id": one.artifact_id,
        "type_name": one.type_name,
        "uri": one.uri,
        "made_by": one.made_by,
        "damage": one.damage,
        "fix": one.fix,
    }


def _verify(path: str, as_json: bool) -> int:
    """Compare the artifacts of a store with their digests; return the exit code."""
    import json

    from headrace.store import damage
    from headrace.store.open.store import Store
    from headrace.ui.screen import open_screen

    store = Store.existing(path)
    with store.open():
        if as_json:
            found = list(damage.verify(store))
            click.echo(json.dumps([_damage_data(one) for one in found if one.damage], indent=2))
            return int(any(one.damage for one in found))

        from rich.text import Text

        screen = open_screen()
        total, num_read, num_damaged = damage.num_verifiable(store), 0, 0
        waiting = screen.console.status("reading") if screen.is_live else contextlib.nullcontext()
        with waiting as status:
            for one in damage.verify(store):
                num_read += 1
                if status is not None:
                    status.update(f"read {num_read} of {total} artifacts")
                if one.damage:
                    num_damaged += 1
                    by = f", made by {one.made_by}" if one.made_by else ""
                    line = Text(f"{screen.symbols.bad} ", "bold red")
                    line.append(
                        f"{one.type_name} {one.artifact_id}{by}: {one.damage} (in {one.uri})",
                        "not bold default",
                    )
                    screen.console.print(line, soft_wrap=True)
                    screen.console.print(Text(f"  Fix: {one.fix}", "yellow"), soft_wrap=True)
        summary = f"{num_read} artifacts read, {num_damaged} damaged." if num_read else "No artifact to read."
        screen.console.print(Text(summary), soft_wrap=True)
    return int(num_damaged > 0)
