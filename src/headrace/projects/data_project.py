"""A project made of what is known of data: what stands in each of its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from headrace.projects import literals, notebook
from headrace.projects.look import folders
from headrace.projects.look.labels import Label
from headrace.projects.look.looking import Column, Look
from headrace.projects.look.roles import MAX_CATEGORIES
from headrace.projects.look.sources import Source
from headrace.projects.rendering import render

FEATURES = ("number", "category", "text", "date")
_MAX_WORDS = 2000
_GAP = 0.05
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
_TASK_TEXTS = {
    "regression": "a number",
    "binary": "one of two classes",
    "classes": "one of several classes",
    "labels": "several labels, of which each may be there or not",
}


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


@dataclass(frozen=True)
class _Judged:
    """What a model is asked for."""

    metric: str
    config: str
    bound: float
    change: float
    reason: str
    text: str
    others: tuple[str, ...]


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
        f"{literals.markdown(values['data_text'])}: {_TASK_TEXTS[label.task]}."
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
    source = look.source
    component = _COMPONENTS[source.kind]
    judged = _judged(label)
    is_small = look.is_whole and look.num_rows < 5000
    epochs, batch_size = (300, 16) if is_small else (50, 128)
    split_function, split_call, split_text = _split(look)
    number_texts = [column for column in look.named("number") if column.profile.stored == "text"]
    has_number_texts = bool(number_texts) or (label.task == "regression" and label.is_text)
    database = source.database
    *size, channels = folders.picture_size(source) if source.kind == "images" else (0, 0, 0)
    parameters = {"url": database.url, "query": database.query} if database else {"data": place.path}
    return {
        "name": name,
        "version": version,
        "label": label,
        "label_text": ", ".join(label.names),
        "task": label.task,
        "task_text": _TASK_TEXTS[label.task],
        "data_text": os.path.basename(source.given.rstrip("/")) if not database else "a database",
        "component": component,
        "components": sorted((component, *_OTHERS), key=lambda one: (one[0].islower(), one)),
        "database": database,
        "data": place.path,
        "data_is_inside": place.is_inside,
        "is_single": source.is_single and not place.is_inside,
        "parameters": parameters
        | {"epochs": epochs, "batch_size": batch_size, "seed": 1, "push_to": "serving"},
        "epochs": epochs,
        "batch_size": batch_size,
        "patience": 40 if is_small else 10,
        "short_epochs": 2,
        "epochs_name": "epochs",
        "line_length": literals.WIDTH,
        "split_function": split_function,
        "split_call": split_call,
        "split_text": split_text,
        "class_balance": "weights" if label.is_imbalanced and label.task in ("binary", "classes") else "",
        "columns": look.columns,
        "date_formats": {
            column.name: column.profile.date_format
            for column in look.named("date")
            if column.profile.date_format not in (None, "%Y-%m-%d")
        },
        "gaps": [
            column.name
            for column in look.named("number")
            if (column.profile.num_missing + _num_words(column)) > _GAP * column.profile.num_rows
        ],
        "has_number_texts": has_number_texts,
        "max_categories": MAX_CATEGORIES,
        "max_words": _MAX_WORDS,
        "classes": label.classes,
        "label_mean": f"{label.mean:.6g}",
        "label_deviation": f"{label.deviation:.6g}",
        "label_call": _label_call(label, look),
        "label_of_row": _label_of_row(label, look),
        "imports": _imports(label, has_number_texts),
        "model_imports": _model_imports(label),
        "feature_imports": _test_imports(label, source),
        "image": source.kind == "images",
        "quarantine": source.kind in ("images", "texts"),
        "size": size,
        "channels": channels,
        "units": (64, 32),
        "dropout": 0.1,
        "learning_rate": 0.001 if is_small else 0.002,
        "weight_decay": 0.3 if is_small else 0.01,
        "output_text": _output_text(label),
        "loss": _LOSSES[label.task][0],
        "metric": _LOSSES[label.task][1],
        "asked": judged.metric,
        "asked_config": judged.config,
        "lower_bound": judged.bound,
        "change": judged.change,
        "bound_reason": judged.reason,
        "bound_text": judged.text,
        "other_metrics": judged.others,
        "slices": _slices(look),
        "notes": look.notes,
        "place_text": place.text,
        "looked_text": f"{'All' if look.is_whole else 'The first'} {look.num_rows:,} rows were looked at.",
    }


_LOSSES = {
    "regression": ("mean_squared_error", "mean_absolute_error"),
    "binary": ("binary_crossentropy", "binary_accuracy"),
    "classes": ("sparse_categorical_crossentropy", "sparse_categorical_accuracy"),
    "labels": ("binary_crossentropy", "binary_accuracy"),
}


def _judged(label: Label) -> _Judged:
    if label.task == "regression":
        return _Judged(
            "R2Score",
            "",
            0.0,
            -0.02,
            "An R2 of 0 is what the mean of the labels reaches.",
            "It has to predict better than the mean of the labels does (R2 above 0), and its R2 may be at most 0.02 "
            "below that of the latest model that was pushed.",
            ("MeanAbsoluteError", "MeanSquaredError", "ExampleCount"),
        )
    if label.task == "labels" or (label.is_imbalanced and label.task == "binary"):
        return _Judged(
            "AUC",
            "",
            0.5,
            -0.01,
            "An AUC of 0.5 is that of a coin.",
            "Its AUC has to be above 0.5, that of a coin, and may be at most 0.01 below that of the latest model that "
            "was pushed.",
            ("BinaryAccuracy", "Precision", "Recall", "AUCPrecisionRecall", "ExampleCount"),
        )
    bound = round(label.majority, 3) if not label.is_imbalanced else round(1 / len(label.classes), 3)
    reason = (
        "The bound is the share of the most frequent class: who always says it is right as often."
        if not label.is_imbalanced
        else "The bound is what a guess among the classes reaches: rare classes cost accuracy."
    )
    accuracy = "BinaryAccuracy" if label.task == "binary" else "SparseCategoricalAccuracy"
    others = (
        ("AUC", "Precision", "Recall", "ConfusionMatrixPlot", "ExampleCount")
        if label.task == "binary"
        else ("MultiClassConfusionMatrixPlot", "ExampleCount")
    )
    return _Judged(
        accuracy,
        "",
        bound,
        -0.01,
        reason,
        f"It has to be right in at least {bound:.1%} of the rows, and may be at most 0.01 below the latest model that "
        f"was pushed. {reason}",
        others,
    )


def _split(look: Look) -> tuple[str, str, str]:
    """Return the function, the call and a sentence of how rows are divided."""
    way, column = look.split
    thirds = "Of nine parts of the rows, five are for training, one says when to stop, and three are for evaluation"
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


def _imports(label: Label, has_number_texts: bool) -> list[str]:
    names = {"date_parts", "impute", "is_missing", "one_hot", "tf_idf", "z_score"}
    if label.task != "labels":
        names.add("label")
    if has_number_texts or label.task == "labels":
        names.add("dense")
    return sorted(names)


def _model_imports(label: Label) -> list[str]:
    names = {
        "regression": ["LABEL", "LABEL_DEVIATION", "LABEL_MEAN"],
        "binary": ["LABEL"],
        "classes": ["CLASSES", "LABEL"],
        "labels": ["LABEL", "LABELS"],
    }
    return names[label.task]


def _test_imports(label: Label, source: Source) -> list[str]:
    names = {"LABEL"} if source.kind == "images" else {"DATE_FORMATS", "LABEL", "ROLES"}
    if label.task in ("binary", "classes"):
        names.add("CLASSES")
    if label.task == "labels":
        names.add("LABELS")
        if len(label.names) == 1:
            names.add("COLUMN")
    return [*sorted(names), "preprocessing_fn"]


def _output_text(label: Label) -> str:
    return {
        "regression": "and one number",
        "binary": "and the probability of the second class",
        "classes": "and a probability for each class",
        "labels": "and a probability for each label",
    }[label.task]


def _slices(look: Look) -> list[str]:
    """Return categories of few values, by which the evaluation is divided."""
    few = [
        column.name
        for column in look.named("category")
        if 2 <= column.profile.num_distinct <= _MOST_VALUES_OF_SLICE
    ]
    return few[:_MOST_SLICES]
