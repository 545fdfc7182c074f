"""`headrace explain`."""

from __future__ import annotations

import click

from headrace.cli.options import json_option, store_option


@click.command("explain", short_help="Say why a node was cached, or what caused it to run.")
@click.argument("run")
@click.argument("node")
@store_option
@json_option
def explain_command(run: str, node: str, store: str, as_json: bool) -> None:
    """Say why NODE of RUN was served from the cache or was not.

    For a miss, the node is compared with its nearest earlier execution: changed parameters, inputs, versions,
    and source lines are shown. RUN is an id from headrace runs, or latest.
    """
    from headrace.store.session import open_store

    with open_store(store) as stored:
        explanation = stored.explain(run, node)

    from headrace.ui.differences import explanation_data, print_explanation

    if as_json:
        import json

        click.echo(json.dumps(explanation_data(explanation), indent=2))
        return

    from headrace.ui.screen import open_screen

    print_explanation(open_screen(), explanation)
