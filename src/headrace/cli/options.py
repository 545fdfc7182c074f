"""Options that commands share."""

from __future__ import annotations

from typing import Any

import click

DEFAULT_STORE = ".headrace"


def local_store(context: Any, option: Any, value: str) -> str:
    """Return the path that `--store` names; click calls this.

    Raises:
        UnsupportedFeatureError: If it is on another machine or a service.
    """
    from headrace.files import addresses

    return addresses.local_path(value, "the store")


store_option = click.option(
    "--store",
    default=DEFAULT_STORE,
    show_default=True,
    metavar="DIR",
    help="Folder of the store.",
    callback=local_store,
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
