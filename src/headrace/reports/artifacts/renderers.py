"""Draws an artifact as its type is registered; where that cannot be, its properties and files."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import get_args

from rich.console import Console

from headrace.artifact_types import registry
from headrace.artifact_types.own import OWN
from headrace.errors import HeadraceError
from headrace.reports.artifacts.models import render_files
from headrace.reports.blocks.blocks import Block, Chart, Note, Report
from headrace.reports.blocks.pages import json_text, walk
from headrace.reports.blocks.texts import print_report
from headrace.store.session import Subject


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
    found = registry.find(subject.artifact.type_name)
    kind = found.artifact_type
    if kind.page is None and other is None:
        notes: list[Block] = [Note(found.problem, "warning")] if found.problem else []
        return [*notes, *render_files(subject)]
    try:
        blocks = _draw(found, subject, other)
    # A page of many artifacts must not fail for what one damaged file raises, nor for code of others.
    except (Exception, SystemExit) as error:
        return [_failed(found, subject, error), render_files(subject)[-1]]
    return blocks


def _draw(found: registry.Registration, subject: Subject, other: Subject | None) -> list[Block]:
    kind = found.artifact_type
    with registry.of_others():
        if other is not None and kind.overlay is not None:
            blocks = kind.overlay(subject, other)
        else:
            blocks = kind.page(subject) if kind.page is not None else []
    if found.place:
        _check(blocks)
    return list(blocks)


def _check(blocks: Sequence[Block]) -> None:
    """Check that what code of others returned can be written as text and as a page.

    Raises:
        TypeError: If it is no list of blocks.
        Exception: What writing them raises.
    """
    if not isinstance(blocks, (list, tuple)):
        raise TypeError(f"it returned a {type(blocks).__name__} where a list of blocks is needed")
    for block in walk(blocks):
        if not isinstance(block, get_args(Block)):
            raise TypeError(f"it returned a {type(block).__name__} among its blocks")
        if isinstance(block, Chart):
            json_text(block.spec)
    print_report(Console(file=io.StringIO()), Report("", "", blocks))


def _failed(found: registry.Registration, subject: Subject, error: BaseException) -> Note:
    artifact = subject.artifact
    problem = error.problem if isinstance(error, HeadraceError) else f"{type(error).__name__}: {error}"
    if found.place:
        return Note(f"{found.place} failed to show {artifact.type_name} {artifact.id}.", "warning", problem)
    again = f" Make them again with what made them: {subject.command}" if subject.command else ""
    text = f"The files of {artifact.type_name} {artifact.id} cannot be read."
    return Note(text, "bad", f"{problem}{again}")


def compares(type_name: str) -> bool:
    """Whether two artifacts of a type can be drawn over each other."""
    return registry.find(type_name).artifact_type.overlay is not None


def comparable() -> list[str]:
    """Return the names of Headrace's own types that `compares`."""
    return [name for name in OWN if compares(name)]


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
