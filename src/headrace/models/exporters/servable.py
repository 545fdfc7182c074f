"""The form in which an exporter hands over a model, and that of exporters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from headrace.models.features import Features


@dataclass(frozen=True)
class Servable:
    """A trained model in TensorFlow operations.

    Attributes:
        names: The features that it takes.
        call: From dense batches of these by name to outputs by name; see `features`. It is traced once, with AutoGraph
            for what it calls unless that is marked otherwise, and must call no Python for a row.
        parts: What it reads, such as variables and tables: attributes of the saved object, by name.
        matrix: Where it takes its features side by side: each and how many columns it gives, in order. Else empty.
        keeps_missing: Whether missing values come as such; see `missing`. Else as zeros and empty strings.
    """

    names: Sequence[str]
    call: Callable[[dict[str, Any]], Mapping[str, Any]]
    parts: Mapping[str, Any]
    matrix: Sequence[tuple[str, int]] = ()
    keeps_missing: bool = False


class Exporter(Protocol):
    """What a framework's module has."""

    def accepts(self, model: Any) -> bool:
        """Whether an object whose class is of the framework is a model that can be exported."""

    def check(self, model: Any, where: str) -> None:
        """Check that a model can be exported once it is trained.

        Raises:
            ModelError: If it, or what it is made of, is not covered, naming it and what is.
        """

    def servable(
        self, model: Any, features: Features, where: str, num_classes: int | None = None
    ) -> Servable:
        """Return a model in TensorFlow operations.

        Args:
            model: That `accepts`.
            features: What it may take: all but the label.
            where: For messages.
            num_classes: How many classes the label has, where that is known.

        Raises:
            TrainingError: If it takes what is no feature.
        """

    def told(self, model: Any) -> str:
        """Return the size of a trained model in words; empty where it says nothing that pages do not."""

    def start_from(self, model: Any, path: str, where: str) -> None:
        """Give a model the weights of a SavedModel; see `exporters.start_from`."""
