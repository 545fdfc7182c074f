"""Options of the ExampleGens of which a file is an example. Light."""

from __future__ import annotations

from headrace.errors import DefinitionError

_FOLDER = "folder"


def label_options(
    name: str, label: str | None, table: str | None, path_column: str | None
) -> dict[str, object]:
    """Return what is recorded of label, table and path_column: what is as it is without being said is not.

    Raises:
        DefinitionError: If they do not go together.
    """
    for parameter, value in (("label", label), ("table", table), ("path_column", path_column)):
        if value is not None and (not isinstance(value, str) or not value):
            raise DefinitionError(f"{name}: {parameter} is {value!r}.", "give a text, or leave it out.")
    if table is None and label not in (_FOLDER, None):
        raise DefinitionError(
            f"{name}: label is {label!r}, which is the column of a table, and no table is given.",
            f'give label="{_FOLDER}" for the folders\' names, None for no label, or table= with such a column.',
        )
    if table is None and path_column is not None:
        raise DefinitionError(
            f"{name}: path_column is {path_column!r}, and no table is given.", "name the table with table=."
        )
    options: dict[str, object] = {}
    if label != _FOLDER:
        options["label"] = label
    if table is not None:
        options["table"] = table
    if path_column is not None:
        options["path_column"] = path_column
    return options
