"""Which renderer draws which artifact type."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any

from headrace.errors import HeadraceError
from headrace.reports.artifacts.models import render_files
from headrace.reports.blocks.blocks import Block, Note
from headrace.store.session import Subject

# Named, not imported: a page loads what its artifacts need.
RENDERERS = {
    "Examples": "examples:render",
    "ExampleStatistics": "statistics:render",
    "Schema": "schemas:render",
    "ExampleAnomalies": "anomalies:render",
    "TransformGraph": "transforms:render",
    "Model": "models:render",
    "ModelRun": "training:render",
    "ModelEvaluation": "evaluations:render",
    "ModelBlessing": "verdicts:render_blessing",
    "InfraBlessing": "verdicts:render_blessing",
    "PushedModel": "verdicts:render_pushed",
    "HyperParameters": "tuning:render_hyperparameters",
    "TunerResults": "tuning:render_results",
    "InferenceResult": "inferences:render",
}


def render(subject: Subject, other: Subject | None = None) -> list[Block]:
    """Return the blocks of an artifact; where its files are gone, who made it and how to make it again.

    Args:
        subject: The artifact.
        other: An artifact of the same type to compare with, where `compares` that type.
    """
    uri = subject.artifact.uri
    if "://" not in uri and not os.path.exists(uri):
        return [missing(subject)]
    if "://" in uri:
        return [Note(f"The files are at {uri}, which is not on this machine.", "info")]
    name = RENDERERS.get(subject.artifact.type_name)
    if name is None:
        return render_files(subject)
    try:
        return _call(name, subject, other)
    except Exception as error:  # a page of many artifacts must not fail for what one damaged file raises
        problem = error.problem if isinstance(error, HeadraceError) else f"{type(error).__name__}: {error}"
        text = f"The files of {subject.artifact.type_name} {subject.artifact.id} cannot be read."
        return [Note(text, "bad", problem), render_files(subject)[-1]]


def compares(type_name: str) -> bool:
    """Whether two artifacts of a type can be drawn over each other."""
    name = RENDERERS.get(type_name)
    return name is not None and "other" in inspect.signature(_function(name)).parameters


def comparable() -> list[str]:
    """Return the names of the types that `compares`."""
    return [name for name in RENDERERS if compares(name)]


def _function(name: str) -> Callable[..., list[Block]]:
    module, _, function_name = name.partition(":")
    function: Callable[..., list[Block]] = getattr(
        importlib.import_module(f"headrace.reports.artifacts.{module}"), function_name
    )
    return function


def _call(name: str, subject: Subject, other: Subject | None) -> list[Block]:
    more: dict[str, Any] = {} if other is None else {"other": other}
    return _function(name)(subject, **more)


def missing(subject: Subject) -> Note:
    """Return the note on an artifact without files."""
    artifact, place = subject.artifact, subject.place
    by = f" {place.node_id} of run {place.run_id} made it." if place.run_id else ""
    again = subject.command or f"the pipeline {place.pipeline_name}".strip()
    return Note(
        f"The files of {artifact.type_name} {artifact.id} are gone: {artifact.uri}.{by}",
        "bad",
        f"Make them again with what made them: {again}",
    )
