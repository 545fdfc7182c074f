"""Options that commands share."""

from __future__ import annotations

import click

DEFAULT_STORE = ".headrace"

store_option = click.option(
    "--store", default=DEFAULT_STORE, show_default=True, metavar="DIR", help="Folder of the store."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
