"""What a ModelSelector compared, and what it chose: a ModelSelection artifact.

::

    {uri}/selection.json
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from headrace.authoring import Artifact
from headrace.formats import json_files
from headrace.formats.changes import DATA, METRICS, Change

FILE = "selection.json"
FORMAT = 1
_WHAT = "a selection of a model"


@dataclass(frozen=True)
class Candidate:
    """A model that could be chosen.

    Attributes:
        name: As the pipeline calls it.
        value: Its metric in the slice; `None` where its evaluation has none there.
        num_bytes: Of its files.
        is_blessed: Whether its Evaluator blessed it; `None` where no blessing was given or nothing was validated.
        model_id: Id of its artifact.
        metrics: All its metrics of the slice, by name.
    """

    name: str
    value: float | None
    num_bytes: int
    is_blessed: bool | None = None
    model_id: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Selection:
    """What was chosen among which.

    Attributes:
        chosen: The candidate's name.
        reason: Why, as a sentence without its full stop.
        metric: What they were compared by, as the evaluations call it.
        slice_name: In which slice; `"Overall"` for all rows.
        is_lower_better: Whether the smallest value is the best.
        candidates: The best first.
        remarks: What makes the comparison doubtful.
    """

    chosen: str
    reason: str
    metric: str
    slice_name: str
    is_lower_better: bool
    candidates: Sequence[Candidate]
    remarks: Sequence[str] = ()


def write(selection: Artifact, content: Selection) -> None:
    """Write `selection.json`."""
    json_files.write_numbered(os.path.join(selection.uri, FILE), asdict(content), FORMAT)


def read(selection: Artifact) -> Selection:
    """Read what was chosen.

    Raises:
        MissingFileError: If the file is gone.
        MalformedFileError: If it is damaged, or of a newer form.
    """
    path = os.path.join(selection.uri, FILE)
    content: dict[str, Any] = json_files.read_numbered(path, _WHAT, FORMAT)
    try:
        candidates = [Candidate(**one) for one in content.pop("candidates")]
        return Selection(candidates=candidates, **content)
    except (LookupError, TypeError) as error:
        raise json_files.damaged(path, _WHAT, repr(error)) from error


def summary(selection: Selection) -> str:
    """Return one line: the name, its metric, and those of the others."""
    told = ", ".join(
        f"{one.name} {_text(one.value)}" for one in selection.candidates if one.name != selection.chosen
    )
    chosen = next(one for one in selection.candidates if one.name == selection.chosen)
    where = "" if selection.slice_name == "Overall" else f" in {selection.slice_name}"
    return (
        f"{selection.chosen}: {selection.metric} {_text(chosen.value)}{where}{f' ({told})' if told else ''}"
    )


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def compare(old: Selection, new: Selection) -> Iterator[Change]:
    """Yield what differs: the choice, and the metric of each candidate."""
    if old.chosen != new.chosen:
        yield Change(DATA, "", "chosen", old.chosen, new.chosen)
    before = {one.name: one.value for one in old.candidates}
    after = {one.name: one.value for one in new.candidates}
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            yield Change(METRICS, name, new.metric, before.get(name), after.get(name))
