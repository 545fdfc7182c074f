"""A project's files, written aside and given their place in one step: a project is there whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from headrace.errors import DefinitionError
from headrace.files import create_text, publish, remove_folder, whole_files


def write_project(path: str, texts: Mapping[str, str], add_data: Callable[[str], None] | None = None) -> None:
    """Write a project.

    Args:
        path: Its folder, which does not exist or is empty.
        texts: Text of each file, by its path inside, with `/`.
        add_data: Writes further files into the folder that it is given.

    Raises:
        DefinitionError: If something came to be there meanwhile, or the disk refuses.
    """
    target = os.path.abspath(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    unfinished = whole_files.aside(target)
    try:
        for name, text in texts.items():
            inner = os.path.join(unfinished, *name.split("/"))
            os.makedirs(os.path.dirname(inner), exist_ok=True)
            with create_text(inner) as file:
                file.write(text)
        if add_data is not None:
            add_data(unfinished)
        # An empty folder gives way; one that is not, or a file, does not.
        publish(unfinished, target)
    except OSError as error:
        raise DefinitionError(
            f"the project cannot be written to '{path}': {error.strerror or error}.",
            "choose another place, or make room.",
        ) from error
    finally:
        if os.path.isdir(unfinished):
            remove_folder(unfinished, is_tried=True)
