"""What a model is trained and judged by, for each kind of problem."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.projects.look.labels import Label, Task


@dataclass(frozen=True)
class Aim:
    """What a model is trained for, and asked for before it is pushed.

    Attributes:
        loss: Keras's name of the loss.
        metric: Keras's name of what is shown of each epoch.
        asked: The Evaluator's metric that has to reach the bound.
        bound: The least that it has to be.
        change: The least that it may differ from the latest model that was pushed.
        reason: Why this bound, as a sentence.
        others: What is measured beside it.
    """

    loss: str
    metric: str
    asked: str
    bound: float
    change: float
    reason: str
    others: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is asked for, as sentences."""
        return (
            f"Its {self.asked} has to be at least {self.bound:g}. {self.reason} It may also be at most "
            f"{-self.change:g} below that of the latest model that was pushed."
        )


TASK_TEXTS: dict[Task, str] = {
    "regression": "a number",
    "binary": "one of two classes",
    "classes": "one of several classes",
    "labels": "several labels, of which each may be there or not",
}

OUTPUT_TEXTS: dict[Task, str] = {
    "regression": "and one number",
    "binary": "and the probability of the second class",
    "classes": "and a probability for each class",
    "labels": "and a probability for each label",
}

_COIN = "0.5 is what a coin reaches."
_OF_SCORES = ("BinaryAccuracy", "Precision", "Recall", "AUCPrecisionRecall", "ExampleCount")


def aim_of(label: Label) -> Aim:
    """Return what a model of this label is trained and judged by."""
    others: tuple[str, ...]
    if label.task == "regression":
        reason = "An R2 of 0 is what the mean of the labels reaches."
        others = ("MeanAbsoluteError", "MeanSquaredError", "ExampleCount")
        return Aim("mean_squared_error", "mean_absolute_error", "R2Score", 0.0, -0.02, reason, others)
    if label.task == "labels" or (label.is_imbalanced and label.task == "binary"):
        return Aim("binary_crossentropy", "binary_accuracy", "AUC", 0.5, -0.01, _COIN, _OF_SCORES)
    if label.is_weighted:
        bound = round(1 / len(label.classes), 3)
        reason = "That is what a guess among the classes reaches: care for rare classes costs accuracy."
    else:
        bound = round(label.majority, 3)
        reason = "That is the share of the most frequent class: who always says it is right as often."
    if label.task == "binary":
        others = ("AUC", "Precision", "Recall", "ConfusionMatrixPlot", "ExampleCount")
        return Aim("binary_crossentropy", "binary_accuracy", "BinaryAccuracy", bound, -0.01, reason, others)
    name = "sparse_categorical"
    others = ("MultiClassConfusionMatrixPlot", "ExampleCount")
    return Aim(
        f"{name}_crossentropy", f"{name}_accuracy", "SparseCategoricalAccuracy", bound, -0.01, reason, others
    )
