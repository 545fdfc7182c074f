"""The columns that an ExampleGen met, and what changed in them since the node ran before.

They stand in a custom property of the Examples: what a database returns has no schema before statistics are made, and a
column that is new, gone or of another kind would only be noticed where it breaks a later stage. Light.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.authoring import Artifact

# It tells how an artifact came to be, not what it holds: no cache key hangs on it.
COLUMNS_PROPERTY = "headrace_columns"

# By input split, the kind of each column by its name; an empty kind where no row had a value.
Columns = Mapping[str, Mapping[str, str]]


def of(artifact: Artifact) -> Columns:
    """Return the columns that were met when an artifact was made; none of one whose source does not tell."""
    return _part(artifact.get_string_custom_property(COLUMNS_PROPERTY), "columns")


def changes_of(artifact: Artifact) -> Sequence[str]:
    """Return what changed since the run before, in sentences' words, such as `"column 'fare' is gone"`."""
    found = _part(artifact.get_string_custom_property(COLUMNS_PROPERTY), "changes")
    return [str(one) for one in found]


def of_text(text: str) -> Columns:
    """Return the columns in the text of the property."""
    return _part(text, "columns")


def before_text(columns: Columns) -> str:
    """Return the text by which a driver tells the executor of the columns of the run before."""
    return json.dumps({"before": columns})


def record(artifact: Artifact, columns: Columns) -> list[str]:
    """Write the columns into the property, with what changed against those that the driver left there.

    Returns:
        What changed; nothing where there was no run before.
    """
    before = _part(artifact.get_string_custom_property(COLUMNS_PROPERTY), "before")
    changes = changed(before, columns) if before else []
    content = {"columns": columns, **({"changes": changes} if changes else {})}
    artifact.set_string_custom_property(COLUMNS_PROPERTY, json.dumps(content))
    return changes


def changed(before: Columns, after: Columns) -> list[str]:
    """Return what changed from one run to the next, of the input splits that are in both."""
    said = []
    for split, columns in after.items():
        known = before.get(split)
        if known is None:
            continue
        where = f" of split '{split}'" if len(after) > 1 else ""
        said += [f"column '{name}'{where} is gone" for name in known if name not in columns]
        said += [f"column '{name}'{where} is new" for name in columns if name not in known]
        said += [
            f"column '{name}'{where} held {known[name]} and now holds {kind}"
            for name, kind in columns.items()
            # What held no value is of any kind.
            if kind and known.get(name) and known[name] != kind
        ]
    return said


def _part(text: str, name: str) -> Any:
    return json.loads(text).get(name, {}) if text else {}
