"""A project made of what is known of data: what stands in each of its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from headrace.projects import imported_names, literals, notebook
from headrace.projects.aims import OUTPUT_TEXTS, TASK_TEXTS, aim_of
from headrace.projects.look import folders
from headrace.projects.look.databases import with_labels
from headrace.projects.look.labels import Label
from headrace.projects.look.looking import Column, Look
from headrace.projects.look.roles import MAX_CATEGORIES
from headrace.projects.rendering import render

FEATURES = ("number", "category", "text", "date")
_MAX_WORDS = 2000
_GAP = 0.05
# Rows below which a table is small.
_SMALL = 5000
# Numbers above which they are scaled together.
_WIDE = 100
_MOST_SLICES = 2
_MOST_VALUES_OF_SLICE = 10
_COMPONENTS = {
    "csv": "CsvExampleGen",
    "parquet": "ParquetExampleGen",
    "json": "JsonExampleGen",
    "images": "ImageFolderExampleGen",
    "texts": "TextExampleGen",
    "database": "SqlExampleGen",
}
_OTHERS = (
    "Evaluator",
    "ExampleValidator",
    "Pusher",
    "SchemaGen",
    "StatisticsGen",
    "Trainer",
    "Transform",
    "latest_blessed_model",
)


@dataclass(frozen=True)
class DataPlace:
    """Where the project finds the data.

    Attributes:
        path: As `pipeline.py` names it, relative to the project or absolute; empty for a database.
        is_inside: Whether they are copied into the project.
        text: What was done, and why, as a sentence.
    """

    path: str
    is_inside: bool
    text: str


def project_texts(name: str, look: Look, label: Label, place: DataPlace, version: str) -> dict[str, str]:
    """Return the text of each file of a project, by its path inside.

    Args:
        name: Of the project.
        look: What is known of the data.
        label: What is to be predicted.
        place: Where the data are.
        version: Of Headrace, which the project asks for.
    """
    values = _values(name, look, label, place, version)
    about = (
        f"Predicts **{literals.markdown(values['label_text'])}** from "
        f"{literals.markdown(values['data_text'])}: {TASK_TEXTS[label.task]}."
    )
    cells = notebook.pipeline_cells(name, about, values["component"])
    templates = {
        "pipeline.py": "pipeline.py",
        "features.py": "features.py",
        "model.py": "model.py",
        "headrace.yaml": "headrace.yaml",
        "pyproject.toml": "pyproject.toml",
        "tests/test_pipeline.py": "test_pipeline.py",
        "README.md": "README.md",
        "requirements.txt": "requirements.txt",
        ".gitignore": "gitignore",
        ".github/workflows/pipeline.yml": "workflow.yml",
    }
    if values["image"]:
        templates["features.py"] = "features_image.py"
    texts = {path: render(template, values) for path, template in templates.items()}
    return texts | {"notebook.ipynb": notebook.write_notebook(cells)}


def _values(name: str, look: Look, label: Label, place: DataPlace, version: str) -> dict[str, Any]:
    """Return what the templates ask for."""
    values = {
        "name": name,
        "version": version,
        "line_length": literals.WIDTH,
        "notes": look.notes,
        "place_text": place.text,
        "looked_text": f"{'All' if look.is_whole else 'The first'} {look.num_rows:,} rows were looked at.",
        **_of_reading(look, label, place),
        **_of_features(look, label),
        **_of_training(look, label),
        **_of_judging(look, label),
    }
    database = values["database"]
    where = {"url": database.url, "query": database.query} if database else {"data": place.path}
    own = {"epochs": values["epochs"], "batch_size": values["batch_size"], "seed": 1, "push_to": "serving"}
    return values | {"parameters": where | own}


def _of_reading(look: Look, label: Label, place: DataPlace) -> dict[str, Any]:
    """Where the rows come from, and how they are divided."""
    source = look.source
    component = _COMPONENTS[source.kind]
    database = with_labels(source.database, label) if source.database else None
    split_function, split_call, split_text = _split(look)
    return {
        "component": component,
        "components": sorted((component, *_OTHERS), key=lambda one: (one[0].islower(), one)),
        "data_text": os.path.basename(source.given.rstrip("/")) if not database else "a database",
        "database": database,
        "data": place.path,
        "data_is_inside": place.is_inside,
        "pattern": "" if place.is_inside else source.pattern,
        "quarantine": source.kind in ("images", "texts"),
        "split_function": split_function,
        "split_call": split_call,
        "split_text": split_text,
        "stop_split": "valid" if "valid" in source.splits.values() or not source.splits else "eval",
    }


def _of_features(look: Look, label: Label) -> dict[str, Any]:
    """What columns become."""
    source = look.source
    is_text = any(column.profile.stored == "text" for column in look.named("number"))
    has_number_texts = is_text or (label.task == "regression" and label.is_text)
    # Each column by itself would be two passes of its own over the rows, and a part of the graph.
    is_wide = len(look.named("number")) > _WIDE
    *size, channels = folders.picture_size(source) if source.kind == "images" else (0, 0, 0)
    return {
        "columns": look.columns,
        "date_formats": {
            column.name: column.profile.date_format
            for column in look.named("date")
            if column.profile.date_format not in (None, "%Y-%m-%d")
        },
        "gaps": [
            column.name
            for column in look.named("number")
            if column.profile.num_missing + _num_words(column) > _GAP * column.profile.num_rows
        ],
        "has_number_texts": has_number_texts,
        "is_wide": is_wide,
        "max_categories": MAX_CATEGORIES,
        "max_words": _MAX_WORDS,
        "image": source.kind == "images",
        "size": size,
        "channels": channels,
        # Each halves the picture: what is left of it has 8 x 8 places at most.
        "filters": (32, 64, 128) if max(size) <= 64 else (32, 64, 128, 128),
        "imports": imported_names.of_features(label, has_number_texts, is_wide=is_wide),
        "feature_imports": imported_names.of_tests(label, source),
        "label": label,
        "label_text": ", ".join(label.names),
        "classes": label.classes,
        "label_mean": f"{label.mean:.6g}",
        "label_deviation": f"{label.deviation:.6g}",
        "label_call": _label_call(label, look),
        "label_of_row": _label_of_row(label, look),
    }


def _of_training(look: Look, label: Label) -> dict[str, Any]:
    """The network, and how long it learns.

    Measured over a dozen divisions of small tables: a decay of the weights this strong takes what a network learns by
    heart of a thousand rows, and costs large ones accuracy.
    """
    is_image = look.source.kind == "images"
    is_small = look.num_rows < _SMALL and (is_image or look.is_whole)
    epochs, batch_size = (60 if is_image else 300, 16) if is_small else (50, 128)
    is_decayed = is_small and not is_image
    return {
        "epochs": epochs,
        "epochs_name": "epochs",
        "short_epochs": 2,
        "batch_size": batch_size,
        "patience": 40 if is_decayed else 12 if is_small else 10,
        "class_balance": "weights" if label.is_weighted else "",
        "model_imports": imported_names.of_model(label),
        "units": (64, 32),
        "dropout": 0.3 if is_image else 0.1,
        "learning_rate": 0.001 if is_small else 0.002,
        "weight_decay": 0.3 if is_decayed else 0.01,
        "output_text": OUTPUT_TEXTS[label.task],
    }


def _of_judging(look: Look, label: Label) -> dict[str, Any]:
    """What is measured, and asked for."""
    return {
        "task": label.task,
        "task_text": TASK_TEXTS[label.task],
        "aim": aim_of(label),
        "slices": _slices(look),
    }


def _split(look: Look) -> tuple[str, str, str]:
    """Return the function, the call and a sentence of how rows are divided."""
    way, column = look.split
    thirds = "Of nine parts of the rows, five are for training, one says when to stop, and three are for evaluation"
    if way == "folders":
        names = look.source.splits
        changed = {name: split for name, split in names.items() if name != split}
        call = f"folders(names={literals.python(changed)})" if changed else "folders()"
        text = ", ".join(f"{literals.markdown(name)} is `{split}`" for name, split in names.items())
        valid = (
            ""
            if "valid" in names.values()
            else " What says when to stop is `eval`, too: a folder `valid` beside them would be fairer."
        )
        return way, call, f"As the folders are: {text}.{valid}"
    if way == "hash":
        return "", "", f"{thirds}, by a hash of the row: equal rows stay together."
    call = f"{way}({literals.python(column)})"
    shown = literals.markdown(column)
    if way == "time":
        column_format = next(one.profile.date_format for one in look.columns if one.name == column)
        if column_format not in (None, "%Y-%m-%d"):
            call = f"time({literals.python(column)}, format={literals.python(column_format)})"
        return way, call, f"{thirds}, in the order of {shown}: later rows are predicted from earlier ones."
    if way == "group":
        return way, call, f"{thirds}; rows with the same {shown} stay in one part."
    return way, call, f"{thirds}; each class has its share in each part."


def _num_words(column: Column) -> int:
    words = set(column.profile.missing_words)
    return sum(count for value, count in column.profile.top if value in words)


def _label_call(label: Label, look: Look) -> str:
    column = "inputs[LABEL]"
    if label.task == "regression":
        return (
            f"label(as_number({column}), classes=False)"
            if label.is_text
            else f"label({column}, classes=False)"
        )
    if label.task == "labels":
        return "labels(inputs)"
    stored = next(one.profile.stored for one in look.columns if one.name == label.name)
    if stored == "float":
        least = int(float(label.classes[0]))
        return f"label({column}, classes=False)" + (f" - {least}" if least else "")
    return f"label({column}, classes=CLASSES)"


def _label_of_row(label: Label, look: Look) -> str:
    one = "CLASSES[number % len(CLASSES)]"
    stored = next((column.profile.stored for column in look.columns if column.name == label.name), "text")
    return {"integer": f"int({one})", "float": f"float({one})"}.get(stored, one)


def _slices(look: Look) -> list[str]:
    """Return categories of few values, by which the evaluation is divided."""
    few = [
        column.name
        for column in look.named("category")
        if 2 <= column.profile.num_distinct <= _MOST_VALUES_OF_SLICE
    ]
    return few[:_MOST_SLICES]
