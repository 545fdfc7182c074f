"""The notebook of a project: its own pipeline, one component at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

# Kept apart by kind: a cell that is text, and one that is code.
Cell = tuple[str, str]


def write_notebook(cells: Sequence[Cell]) -> str:
    """Return a notebook in Jupyter's format 4.5, without outputs.

    Args:
        cells: `("markdown" | "code", text)`, in order.
    """
    made: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(cells):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{number}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        made.append(cell)
    document = {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def pipeline_cells(name: str, about: str, first: str) -> list[Cell]:
    """Return cells that run a project's pipeline component by component, and show what each made.

    Args:
        name: Of the pipeline.
        about: What it does, in Markdown.
        first: Id of the component that reads the data.
    """
    return [
        *opening_cells(name, about),
        ("markdown", "## Data"),
        ("code", f'context.run(nodes["{first}"])\ncontext.run(nodes["StatisticsGen"])'),
        ("code", 'context.show(nodes["StatisticsGen"].outputs.statistics)'),
        ("markdown", "## Schema, and what contradicts it"),
        ("code", 'context.run(nodes["SchemaGen"])\ncontext.run(nodes["ExampleValidator"])'),
        ("code", 'context.show(nodes["ExampleValidator"].outputs.anomalies)'),
        ("markdown", "## Features\n\nWhat a column is, `ROLES` in `features.py` says."),
        ("code", 'context.run(nodes["Transform"])\ncontext.show(nodes["Transform"].outputs.transform_graph)'),
        ("markdown", "## Training"),
        ("code", 'context.run(nodes["Trainer"])\ncontext.show(nodes["Trainer"].outputs.model_run)'),
        ("markdown", "## How good is it?\n\nBounds, and what is measured, are in `model.py`."),
        (
            "code",
            'context.run(nodes["LatestBlessedModel"])\ncontext.run(nodes["Evaluator"])',
        ),
        ("code", 'context.show(nodes["Evaluator"].outputs.evaluation)'),
    ]


def opening_cells(name: str, about: str) -> list[Cell]:
    """Return the first cells: what this is, and the pipeline's nodes by name."""
    return [
        (
            "markdown",
            f"# {name}\n\n{about}\n\nOne component at a time, on the store of `headrace run`: what did not change "
            "comes from the cache.",
        ),
        (
            "code",
            "from headrace import InteractiveContext\n\n"
            "from pipeline import create_pipeline\n\n"
            f"context = InteractiveContext({json.dumps(name, ensure_ascii=False)})\n"
            "nodes = {node.id: node for node in create_pipeline().components}\n"
            "list(nodes)",
        ),
    ]
