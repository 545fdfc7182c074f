"""`headrace report`, and how `headrace show` presents one artifact."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import click

from headrace.cli.options import store_option

if TYPE_CHECKING:
    from headrace.reports.blocks.blocks import Report
    from headrace.store.session import StoreSession


@click.command("report", short_help="Write a run as one page to look at or to send.")
@click.argument("run", default="latest")
@store_option
@click.option("--out", metavar="FILE", help="The file to write; RUN.html in this folder where left out.")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser.")
def report_command(run: str, store: str, out: str | None, is_opened: bool) -> None:
    """Write RUN as one HTML file: its graph, its timings and every artifact. It needs no network to be read."""
    from headrace.files.names import slug
    from headrace.reports.runs.page import run_report
    from headrace.store.session import open_store

    with open_store(store) as stored:
        run_id = stored.run(run).run_id
        report = run_report(stored, run_id)
    write(report, out or f"{slug(run_id)}.html", is_opened=is_opened)


def show_artifact(name: str, store: StoreSession, other: str, html: str, *, is_opened: bool) -> None:
    """Print an artifact, or write its page where a file or the browser is asked for."""
    from headrace.reports.artifacts.page import artifact_report

    report = artifact_report(store, name, other)
    if html or is_opened:
        path = html or os.path.join(tempfile.mkdtemp(prefix="headrace-"), "artifact.html")
        write(report, path, is_opened=is_opened)
        return

    from headrace.reports.blocks.texts import print_report
    from headrace.ui.screen import open_screen

    print_report(open_screen().console, report)


def show_run_page(run: str, store: StoreSession, html: str, *, is_opened: bool) -> None:
    """Write the page of a run."""
    from headrace.reports.runs.page import run_report

    path = html or os.path.join(tempfile.mkdtemp(prefix="headrace-"), "run.html")
    write(run_report(store, run), path, is_opened=is_opened)


def write(report: Report, path: str, *, is_opened: bool) -> None:
    """Write a page and say where it is.

    Raises:
        StoreError: If the file cannot be written.
        UnsupportedFeatureError: If it is not on this machine.
    """
    from headrace.errors import StoreError
    from headrace.files import addresses, create_text
    from headrace.reports.blocks.pages import render_page
    from headrace.ui.units import format_bytes

    path = addresses.local_path(path, "the page's file")
    page = render_page(report)
    try:
        with create_text(path) as file:
            file.write(page)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}.",
            "name a file in a folder that exists and is yours.",
        ) from error
    click.echo(f"Wrote {path} ({format_bytes(len(page.encode()))}).")
    if is_opened:
        import webbrowser

        if not webbrowser.open(f"file://{os.path.abspath(path)}"):
            click.echo("No browser was found on this machine; open the file on another.", err=True)
