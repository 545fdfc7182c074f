"""`headrace doctor`."""

from __future__ import annotations

import contextlib

import click


@click.command("doctor", short_help="Check this machine and this installation, and say what to do.")
@click.option(
    "--store", default=".headrace", show_default=True, metavar="DIR", help="The store that must be writable."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor_command(ctx: click.Context, store: str, as_json: bool) -> None:
    """Check Python, the packages and their versions, Beam, ML Metadata, memory, disk and write access.

    Exit code: 1 when something must be mended before a pipeline can run.
    """
    from headrace.cli.checks import BAD, GOOD, WARNING, run_checks

    if as_json:
        import dataclasses
        import json

        found = list(run_checks(store))
        click.echo(json.dumps([dataclasses.asdict(check) for check in found], indent=2))
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
