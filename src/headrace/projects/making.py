"""One new project: from a name and data to files on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from headrace import __version__
from headrace.errors import DataError
from headrace.files import addresses
from headrace.projects import conversion
from headrace.projects.data_project import DataPlace, project_texts
from headrace.projects.look.looking import Look
from headrace.projects.naming import Place
from headrace.projects.writing import write_project

# More than this is copied only where the person says so.
_MOST_CONVERTED_BYTES = 2 << 30
_FEWEST = 20


@dataclass(frozen=True)
class Plan:
    """What is to be written.

    Attributes:
        place: Where the project goes.
        texts: Text of each file, by its path inside.
        data: Where the data are.
        add_data: Writes the copy of the data into a folder, where there is to be one.
    """

    place: Place
    texts: dict[str, str]
    data: DataPlace
    add_data: Callable[[str], None] | None

    def carry_out(self) -> None:
        """Write the project."""
        write_project(self.place.path, self.texts, self.add_data)


def plan_project(place: Place, look: Look, *, is_copied: bool) -> Plan:
    """Plan a project on data.

    Args:
        place: Where it goes.
        look: What is known of the data, with a label.
        is_copied: Whether the person wants a copy of the data in it.

    Raises:
        DataError: If no feature is left beside the label.
    """
    if look.label is None:
        raise DataError("no label is known.", "give --label COLUMN.")
    if look.num_rows < _FEWEST:
        raise DataError(
            f"{look.source.given} has {look.num_rows} rows: too few to learn from some, and to judge by others.",
            f"give data with at least {_FEWEST} rows.",
        )
    if not look.named("number", "category", "text", "date", "image"):
        raise DataError(
            f"{look.source.given} has no column to predict '{look.label.name}' from: "
            + "; ".join(
                f"'{column.name}' {column.reason}" for column in look.columns if column.role != "label"
            ),
            "give data with more columns.",
        )
    data, add_data = _data_place(place, look, is_copied)
    texts = project_texts(place.name, look, look.label, data, __version__)
    return Plan(place, texts, data, add_data)


def _data_place(place: Place, look: Look, is_copied: bool) -> tuple[DataPlace, Callable[[str], None] | None]:
    source = look.source
    if source.database is not None:
        return DataPlace("", False, "The data are read from the database at each run."), None
    reasons = conversion.reasons(look)
    if reasons:
        if source.size_bytes > _MOST_CONVERTED_BYTES and not is_copied:
            raise DataError(
                f"{source.given} has to be converted to be read ({'; '.join(reasons)}), and its "
                f"{source.size_bytes / 1e9:.1f} GB would be written again.",
                "convert it yourself to CSV in UTF-8 with commas, or say --copy-data.",
            )
        text = (
            f"`data/` holds a converted copy of `{source.given}`, because {'; '.join(reasons)}. "
            "When that changes, make the copy again."
        )
        return DataPlace(conversion.FOLDER, True, text), partial(conversion.convert, look)
    if is_copied:
        text = f"`data/` holds a copy of `{source.given}`."
        return DataPlace(conversion.FOLDER, True, text), partial(conversion.copy, source)
    if addresses.is_elsewhere(source.given):
        return DataPlace(source.given, False, f"The data stay at `{source.given}`."), None
    path = _path_from(place.path, source.given)
    kind = (
        "stay where they are, and are found by a path from this folder"
        if not os.path.isabs(path)
        else "stay at"
    )
    return DataPlace(path, False, f"The data {kind}: `{path}`."), None


def _path_from(project: str, given: str) -> str:
    """Return a relative path for data below the folder in which the project is made, else an absolute one."""
    above, target = os.path.dirname(os.path.abspath(project)), os.path.abspath(given)
    if os.path.commonpath([above, target]) == above:
        return os.path.relpath(target, os.path.abspath(project))
    return target
