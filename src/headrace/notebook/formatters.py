"""How IPython shows components, channels, artifacts and runs in a session that uses Headrace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.authoring import Artifact, BaseChannel, BaseComponent, BaseNode, Importer, Resolver
from headrace.authoring.descriptions import describe_node
from headrace.authoring.light import authoring
from headrace.notebook import pages, texts
from headrace.notebook.shell import current_shell
from headrace.store.results import RunResult
from headrace.ui.symbols import WORDS
from headrace.ui.units import format_seconds

with authoring():
    from tfx.types.channel import Channel, OutputChannel

# TFX's classes define __repr__ themselves, and IPython takes the nearest: each is named.
_NODES = (BaseNode, BaseComponent, Importer, Resolver)
_CHANNELS = (BaseChannel, Channel, OutputChannel)


def register() -> None:
    """Tell IPython how to show them; nothing where there is no IPython. TFX's classes stay as they are."""
    shell = current_shell()
    if shell is None:
        return
    formats = shell.display_formatter.formatters
    for kinds, text, page in (
        (_NODES, describe_node, pages.component_page),
        (_CHANNELS, texts.channel_text, _channel_page),
        ((Artifact,), texts.artifact_text, pages.artifact_page),
        ((RunResult,), run_text, pages.run_page),
    ):
        for kind in kinds:
            formats["text/plain"].for_type(kind, _printer(text))
            formats["text/html"].for_type(kind, page)


def run_text(result: RunResult) -> str:
    """Return how a run ended, a line for each node."""
    lines = [f"{result.pipeline_name} run {result.run_id}, {format_seconds(result.seconds)}"]
    lines += [
        f"  {node.node_id} {WORDS[node.state]} {texts.node_line(node)}".rstrip() for node in result.nodes
    ]
    return "\n".join(lines)


def _channel_page(channel: Any) -> str:
    return pages.channel_page(channel, texts.held_artifacts(channel))


def _printer(text: Callable[[Any], str]) -> Callable[[Any, Any, bool], None]:
    def show(item: Any, printer: Any, is_cycle: bool) -> None:
        printer.text(f"{type(item).__name__}(...)" if is_cycle else text(item))

    return show
