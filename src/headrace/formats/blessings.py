"""ModelBlessing and InfraBlessing: the empty file and the properties by which TFX knows a model that may be used.

The names are TFX's (`tfx.components.evaluator.constants`, `tfx.components.infra_validator.executor`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from headrace.authoring import Artifact
from headrace.files import create_file, is_folder, names_in

BLESSED_PROPERTY = "blessed"
_HAS_MODEL_PROPERTY = "has_model"
_CURRENT_MODEL, _BASELINE_MODEL = "current_model", "baseline_model"
# Where the models lay that the verdict is about.
PLACES_OF_MODELS = frozenset(
    {_CURRENT_MODEL, f"{_CURRENT_MODEL}_id", _BASELINE_MODEL, f"{_BASELINE_MODEL}_id"}
)
_COMPONENT_ID = "component_id"
# The file's name, by what was decided.
_MODEL_FILES = {True: "BLESSED", False: "NOT_BLESSED"}
_INFRA_FILES = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}


@dataclass(frozen=True)
class Blessing:
    """What was decided.

    Attributes:
        is_blessed: Whether the model may be used; `None` where nothing was decided.
        words: That as its file says it, such as `"NOT BLESSED"`; empty where nothing was decided.
    """

    is_blessed: bool | None
    words: str = ""


def write_model_blessing(
    blessing: Artifact,
    is_blessed: bool,
    model: tuple[str, int] | None = None,
    baseline: tuple[str, int] | None = None,
    component_id: str = "",
) -> None:
    """Write what an Evaluator decided.

    Args:
        blessing: Where to.
        is_blessed: What was decided.
        model: URI and id of the model, where there is one.
        baseline: Those of the model it was compared with.
        component_id: The component that decides, as the pipeline names it.
    """
    for name, one in ((_CURRENT_MODEL, model), (_BASELINE_MODEL, baseline)):
        if one is not None:
            uri, artifact_id = one
            blessing.set_string_custom_property(name, uri)
            blessing.set_int_custom_property(f"{name}_id", artifact_id)
    if component_id:
        blessing.set_string_custom_property(_COMPONENT_ID, component_id)
    _write(blessing, _MODEL_FILES[is_blessed], is_blessed)


def write_infra_blessing(blessing: Artifact, is_blessed: bool, *, has_model: bool) -> None:
    """Write what an InfraValidator decided, and whether it left the model with its warm-up requests beside."""
    if has_model:
        blessing.set_int_custom_property(_HAS_MODEL_PROPERTY, 1)
    _write(blessing, _INFRA_FILES[is_blessed], is_blessed)


def in_words(is_blessed: bool) -> str:
    """Return what is said of a model, as the file says it: `"BLESSED"` or `"NOT BLESSED"`."""
    return _MODEL_FILES[is_blessed].replace("_", " ")


def _write(blessing: Artifact, name: str, is_blessed: bool) -> None:
    os.makedirs(blessing.uri, exist_ok=True)
    with create_file(os.path.join(blessing.uri, name)):
        pass
    blessing.set_int_custom_property(BLESSED_PROPERTY, int(is_blessed))


def allows(blessing: Artifact) -> bool:
    """Whether a model may be used, as TFX's own components look at it."""
    return int(blessing.get_int_custom_property(BLESSED_PROPERTY)) == 1


def has_model(blessing: Artifact) -> bool:
    """Whether an InfraValidator left the model with its warm-up requests in the blessing."""
    return bool(blessing.get_int_custom_property(_HAS_MODEL_PROPERTY))


def read(blessing: Artifact) -> Blessing:
    """Return what the file of a blessing says."""
    names = set(names_in(blessing.uri)) if is_folder(blessing.uri) else set()
    for files in (_MODEL_FILES, _INFRA_FILES):
        for is_blessed, name in files.items():
            if name in names:
                return Blessing(is_blessed, name.replace("_", " "))
    return Blessing(None)
