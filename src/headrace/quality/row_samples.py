"""What tells a row from others, in a few short texts, and a small copy of its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.formats.samples import Sample
from headrace.quality import pictures
from headrace.quality.survey import IMAGE, PLACES, SOUND, TEXT, Survey

_MAX_FEATURES = 6
_MAX_CHARACTERS = 80
_MAX_VALUES = 3

Row = Mapping[str, Sequence[Any] | None]


def sample(
    split: str,
    number: int,
    row: Row,
    survey: Survey,
    *,
    note: str = "",
    first: Sequence[str] = (),
    has_thumbnail: bool = True,
) -> Sample:
    """Return a row as it is shown.

    Args:
        split: Its split.
        number: Its number there, from 1.
        row: Its values by feature.
        survey: What the features hold.
        note: What is the matter with it.
        first: Features that are named before others.
        has_thumbnail: Whether its picture goes along, made small.
    """
    shown = {name: _text(row[name] or [], survey.kinds.get(name, "")) for name in _chosen(row, survey, first)}
    return Sample(split, number, shown, note, _thumbnail(row, survey) if has_thumbnail else b"")


def _chosen(row: Row, survey: Survey, first: Sequence[str]) -> list[str]:
    """Return the features that tell a row: those named, its place, texts, then others by name."""
    texts = survey.of_kind(TEXT)
    others = sorted(name for name in row if survey.kinds.get(name) not in (IMAGE, SOUND))
    order = dict.fromkeys(name for name in [*first, *PLACES, *texts, *others] if name in row)
    named = list(order)
    filled = [name for name in named if row[name] or name in first]
    return filled[: max(_MAX_FEATURES, len(first))]


def _text(values: Sequence[Any], kind: str) -> str:
    if not values:
        return "–"
    shown = ", ".join(_single(value, kind) for value in values[:_MAX_VALUES])
    return f"{shown}, … {len(values):,} values" if len(values) > _MAX_VALUES else shown


def _single(value: Any, kind: str) -> str:
    if isinstance(value, bytes):
        if kind in (IMAGE, SOUND):
            return f"{len(value):,} bytes"
        text = value[: 4 * _MAX_CHARACTERS].decode("utf-8", "backslashreplace")
        is_cut = len(text) > _MAX_CHARACTERS or len(value) > 4 * _MAX_CHARACTERS
        return f"{text[:_MAX_CHARACTERS]}…" if is_cut else text
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _thumbnail(row: Row, survey: Survey) -> bytes:
    for name in survey.of_kind(IMAGE):
        values = row.get(name)
        if values and isinstance(values[0], bytes) and values[0]:
            return pictures.thumbnail(values[0])
    return b""
