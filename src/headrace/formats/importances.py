"""How much a model's score depends on each feature: a FeatureImportances artifact.

::

    {uri}/importances.json
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headrace.authoring import Artifact
from headrace.formats import json_files
from headrace.formats.changes import DATA, Change

FILE = "importances.json"
FORMAT = 1
_WHAT = "importances of features"
_TOLD = 3


@dataclass(frozen=True)
class Importance:
    """How much the score gets worse without what a feature tells.

    Attributes:
        name: The feature; of several that were permuted together, their names joined by ` + `.
        mean: The mean over the repeats of how much the score gets worse; negative where it got better.
        deviation: The standard deviation over the repeats, of the population.
    """

    name: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class Importances:
    """What was measured.

    Attributes:
        metric: The score's name.
        score: Of the rows as they are.
        is_lower_better: Whether a small score is good.
        num_rows: Rows that were looked at.
        num_repeats: How often each feature was permuted.
        split: Where the rows come from.
        features: The most important first.
    """

    metric: str
    score: float
    is_lower_better: bool
    num_rows: int
    num_repeats: int
    split: str
    features: Sequence[Importance]


def write(artifact: Artifact, content: Importances) -> None:
    """Write `importances.json`."""
    json_files.write_numbered(os.path.join(artifact.uri, FILE), asdict(content), FORMAT)


def read(artifact: Artifact) -> Importances:
    """Read what was measured.

    Raises:
        MissingFileError: If the file is gone.
        MalformedFileError: If it is damaged, or of a newer form.
    """
    path = os.path.join(artifact.uri, FILE)
    content: dict[str, Any] = json_files.read_numbered(path, _WHAT, FORMAT)
    try:
        features = [Importance(**one) for one in content.pop("features")]
        return Importances(features=features, **content)
    except (LookupError, TypeError) as error:
        raise json_files.damaged(path, _WHAT, repr(error)) from error


def summary(content: Importances) -> str:
    """Return one line: the features that count most, and the score."""
    told = ", ".join(f"{one.name} {one.mean:.3g}" for one in content.features[:_TOLD])
    return f"{content.metric} {content.score:.4g} gets worse without {told}"


def compare(old: Importances, new: Importances) -> Iterator[Change]:
    """Yield the importances that differ."""
    before = {one.name: one.mean for one in old.features}
    after = {one.name: one.mean for one in new.features}
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            yield Change(DATA, name, new.metric, before.get(name), after.get(name))
