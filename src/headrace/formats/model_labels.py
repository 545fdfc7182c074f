"""What a model was trained to predict, kept beside it: `assets.extra/headrace_label.json`, which servers pass over.

::

    {"format": 1, "label": "quality_xf", "transformed": true}
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from headrace.files import open_file
from headrace.formats import json_files, saved_models

LABEL_FILE = os.path.join(saved_models.EXTRA_FOLDER, "headrace_label.json")
_FORMAT = 1
_WHAT = "the label of a model"
_LABEL, _TRANSFORMED = "label", "transformed"


@dataclass(frozen=True)
class ModelLabel:
    """What a model predicts.

    Attributes:
        name: The feature.
        is_transformed: Whether Transform makes it, so that the model's `transform_features` does.
    """

    name: str
    is_transformed: bool


def write(model_path: str, label: ModelLabel) -> None:
    """Write it into the folder of a SavedModel."""
    path = os.path.join(model_path, LABEL_FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    content = {_LABEL: label.name, _TRANSFORMED: label.is_transformed}
    json_files.write_numbered(path, content, _FORMAT)


def read(model_path: str) -> ModelLabel | None:
    """Return what a SavedModel predicts; `None` where its folder does not say.

    Raises:
        MalformedFileError: If the file does not hold it, or a newer Headrace wrote it in another form.
    """
    path = os.path.join(model_path, LABEL_FILE)
    if not os.path.exists(path):
        return None
    content = json_files.read_numbered(path, _WHAT, _FORMAT)
    name = content.get(_LABEL)
    if not isinstance(name, str):
        raise json_files.damaged(path, _WHAT, f"'{_LABEL}' is {name!r}")
    return ModelLabel(name, bool(content.get(_TRANSFORMED)))


def class_names(model_path: str, label: str, num_classes: int) -> tuple[str, ...]:
    """Return the names of the classes 0, 1, 2 ... of a label that Transform numbered, from the vocabulary in the model.

    Args:
        model_path: Folder of the SavedModel.
        label: The feature, as the data or Transform calls it; `features.label` names the vocabulary after the former.
        num_classes: How many there must be.

    Returns:
        None where there is no such vocabulary, or it has another size.
    """
    for name in dict.fromkeys((label, label.removesuffix("_xf"))):
        path = os.path.join(model_path, "assets", name)
        if os.path.isfile(path):
            with open_file(path) as file:
                lines = file.read().removesuffix(b"\n").split(b"\n")
            if len(lines) == num_classes:
                return tuple(line.decode("utf-8", "replace") for line in lines)
    return ()
