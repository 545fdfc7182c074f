"""What the files of a project import of each other and of `headrace.features`."""

from __future__ import annotations

from headrace.projects.look.labels import Label
from headrace.projects.look.sources import Source


def of_features(label: Label, has_number_texts: bool, *, is_wide: bool) -> list[str]:
    """What `features.py` imports of `headrace.features`."""
    names = {"date_parts", "one_hot", "tf_idf", "z_score", *(() if is_wide else ("is_missing",))}
    if label.task != "labels":
        names.add("label")
    if has_number_texts or is_wide or label.task == "labels":
        names.add("dense")
    return sorted(names)


def of_model(label: Label) -> list[str]:
    """What `model.py` imports of `features.py`."""
    names = {
        "regression": ["LABEL", "LABEL_DEVIATION", "LABEL_MEAN"],
        "binary": ["LABEL"],
        "classes": ["CLASSES", "LABEL"],
        "labels": ["LABEL", "LABELS"],
    }
    return names[label.task]


def of_tests(label: Label, source: Source) -> list[str]:
    """What the tests import of `features.py`."""
    names = {"LABEL"} if source.kind == "images" else {"DATE_FORMATS", "LABEL", "ROLES"}
    if label.task in ("binary", "classes"):
        names.add("CLASSES")
    if label.task == "labels":
        names.add("LABELS")
        if len(label.names) == 1:
            names.add("COLUMN")
    return [*sorted(names), "preprocessing_fn"]
