"""`headrace list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from headrace.cli.pipelines.ready_pipelines import ReadyPipeline
    from headrace.ui.json_shapes import PipelineLine


@click.command("list", short_help="List the ready pipelines and their parameters.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List the pipelines that ship with Headrace: where they lie, and the parameters that --set takes.

    headrace new NAME --from PIPELINE makes a copy of one that is yours.
    """
    from headrace.cli.pipelines.ready_pipelines import find_ready_pipelines

    pipelines = find_ready_pipelines()
    if as_json:
        import json

        click.echo(json.dumps([_pipeline_data(pipeline) for pipeline in pipelines], indent=2))
        return

    from rich.text import Text

    from headrace.ui.listings import plain_table
    from headrace.ui.screen import open_screen
    from headrace.ui.summary import print_table

    screen = open_screen()
    console = screen.console
    for pipeline in pipelines:
        console.print(
            Text(pipeline.name, "bold").append(f"  {pipeline.description}", "not bold"), soft_wrap=True
        )
        console.print(Text(f"  {pipeline.folder}", "dim"), soft_wrap=True)
        table = plain_table("", "", "", "")
        table.show_header = False
        for parameter in pipeline.parameters:
            default = f"= {parameter.default_text}" if parameter.default_text else "required"
            table.add_row(
                f"  {parameter.name}",
                Text(parameter.type_text, "dim"),
                Text(default, "dim"),
                parameter.meaning,
            )
        print_table(screen, table)
        console.print()
    if pipelines:
        name = pipelines[0].name
        console.print(Text("Run one: ", "dim").append(f"headrace run {name}", "cyan"), soft_wrap=True)
        own = f"headrace new my_{name} --from {name}"
        console.print(Text("Make one yours: ", "dim").append(own, "cyan"), soft_wrap=True)
    else:
        console.print("No ready pipelines are installed.")


def _pipeline_data(pipeline: ReadyPipeline) -> PipelineLine:
    from headrace.ui.json_shapes import PipelineLine, number_of

    return {
        "format": number_of(PipelineLine),
        "name": pipeline.name,
        "description": pipeline.description,
        "folder": pipeline.folder,
        "parameters": [
            {
                "name": parameter.name,
                "type_text": parameter.type_text,
                "default_text": parameter.default_text,
                "meaning": parameter.meaning,
            }
            for parameter in pipeline.parameters
        ],
    }
