"""`headrace artifacts`, `headrace lineage`, `headrace gc` and `headrace logs`."""

from __future__ import annotations

import os
import sys

import click

from headrace.cli.options import json_option, store_option


@click.command("artifacts", short_help="List artifacts: type, node, run, size, what they hold.")
@store_option
@click.option("--type", "type_name", default="", metavar="TYPE", help="Only this type, such as Model.")
@click.option("--run", default="", metavar="RUN", help="Only what this run made or reused.")
@click.option("--pipeline", default="", metavar="NAME", help="Only what this pipeline made or reused.")
@click.option("--deleted", is_flag=True, help="List also what was removed.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="How many, the latest first.",
)
@json_option
def artifacts_command(
    store: str, type_name: str, run: str, pipeline: str, deleted: bool, limit: int, as_json: bool
) -> None:
    """List the artifacts in the store, the latest first."""
    artifacts = []
    if os.path.isdir(store):
        from headrace.store.session import is_store, open_store

        if is_store(store):
            with open_store(store) as stored:
                found = stored.artifacts(
                    type_name=type_name,
                    run_id=run,
                    pipeline_name=pipeline,
                    with_deleted=deleted,
                    limit=limit,
                )
                artifacts = list(found)
    if as_json:
        import json

        from headrace.ui.store_listings import listed_data

        click.echo(json.dumps([listed_data(item) for item in artifacts], indent=2))
        return
    if not artifacts:
        click.echo(f"There are no such artifacts in {store}.")
        return

    from headrace.ui.screen import open_screen
    from headrace.ui.store_listings import print_artifacts

    print_artifacts(open_screen(), artifacts)


@click.command("lineage", short_help="Show what an artifact was made of, and what was made of it.")
@click.argument("artifact")
@store_option
@click.option("--up", is_flag=True, help="Only what it was made of.")
@click.option("--down", is_flag=True, help="Only what was made of it.")
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Follow so many generations.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Follow so many executions that used an artifact, the latest.",
)
@json_option
def lineage_command(
    artifact: str, store: str, up: bool, down: bool, depth: int | None, limit: int, as_json: bool
) -> None:
    """Show the lineage of ARTIFACT: an id or a path from headrace artifacts, or RUN/NODE.key."""
    from headrace.store.session import open_store

    is_both = up == down
    with open_store(store) as stored:
        lineage = stored.lineage(
            artifact, up=up or is_both, down=down or is_both, depth=depth or 0, limit=limit
        )

    from headrace.ui.lineage_tree import lineage_data, print_lineage

    if as_json:
        import json

        click.echo(json.dumps(lineage_data(lineage), indent=2))
        return

    from headrace.ui.screen import open_screen

    print_lineage(open_screen(), lineage)


@click.command("gc", short_help="Remove artifacts, logs and records that nothing needs.")
@store_option
@click.option(
    "--keep-last",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="Keep the latest N runs of each pipeline, and its latest that succeeded.",
)
@click.option("--keep-blessed", is_flag=True, help="Keep every blessed model.")
@click.option("--keep-pushed", is_flag=True, help="Keep every model that was pushed.")
@click.option("--break-lineage", is_flag=True, help="Do not keep what the kept ones came from.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, with sizes, and remove nothing.")
@json_option
def gc_command(
    store: str,
    keep_last: int,
    keep_blessed: bool,
    keep_pushed: bool,
    break_lineage: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove what no kept run needs: files of artifacts, logs and records of runs.

    What a kept artifact came from stays, unless --break-lineage is given; what a living run uses always
    stays. ML Metadata keeps the removed artifacts as DELETED, and the cache uses none of them.
    """
    from headrace.store.garbage.policy import Keeping

    keeping = Keeping(keep_last, keep_blessed, keep_pushed, break_lineage)
    if dry_run:
        _print_garbage(store, keeping, as_json)
        return

    from headrace.store.garbage.collection import collect
    from headrace.store.open.store import Store
    from headrace.ui.units import format_bytes

    collected = collect(Store.existing(store), keeping)
    if as_json:
        import json

        from headrace.ui.store_listings import collected_data

        click.echo(json.dumps(collected_data(collected), indent=2))
        return
    click.echo(
        f"Removed {collected.num_artifacts:,} artifacts and {collected.num_runs:,} runs: "
        f"{format_bytes(collected.size_bytes)}."
    )


def _print_garbage(store: str, keeping: object, as_json: bool) -> None:
    import gc

    from headrace.files import size_on_disk
    from headrace.store.garbage.collection import look
    from headrace.store.open.store import Store
    from headrace.ui.store_listings import garbage_data, print_garbage

    # Python would search all that is loaded by now for circles, again and again while it reads so many rows.
    gc.freeze()
    opened = Store.existing(store)
    garbage = look(opened, keeping)  # type: ignore[arg-type]
    log_bytes = sum(size_on_disk(opened.logs_path(run_id)) for run_id in garbage.run_ids)
    kept = f"{garbage.kept_artifacts:,} artifacts and {garbage.kept_runs:,} runs stay."
    if as_json:
        import json

        click.echo(json.dumps(garbage_data(garbage, log_bytes), indent=2))
        return

    from headrace.ui.screen import open_screen

    if not garbage.artifacts and not garbage.run_ids:
        click.echo(f"There is nothing to remove: {kept}")
        return
    print_garbage(open_screen(), garbage, log_bytes)
    click.echo(f"Nothing was removed; without --dry-run it is. {kept}")


@click.command("logs", short_help="Print the log of a node.")
@click.argument("run")
@click.argument("node")
@store_option
@click.option("--raw", "is_raw", is_flag=True, help="Into a file or pipe: with all control characters.")
def logs_command(run: str, node: str, store: str, is_raw: bool) -> None:
    """Print what NODE of RUN wrote while it ran. RUN is an id from headrace runs, or latest.

    Control sequences, which a terminal would obey, are left out, unless --raw asks for them.
    """
    if is_raw and sys.stdout.isatty():
        raise click.UsageError(
            "--raw writes what a terminal would obey: send it to a file, such as > node.log"
        )

    from headrace.files import open_file, open_text
    from headrace.store.session import open_store

    with open_store(store) as stored:
        path = stored.log_path(run, node)
    if is_raw:
        with open_file(path) as raw:
            sys.stdout.buffer.writelines(raw)
        return

    from headrace.ui.clean_text import visible_lines

    # Not at each \r: one that goes on after a line feed is told from a progress bar.
    with open_text(path, errors="replace", newline="\n") as file:
        for line in file:
            sys.stdout.write(visible_lines(line))
