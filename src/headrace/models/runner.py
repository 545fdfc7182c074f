"""What runs a SavedModel: the form that each implementation has. TensorFlow is the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from headrace.models.inputs import Arrays, Inputs
from headrace.models.signatures import Signature

_NO_CALLBACK = "Could not find callback"


class Refused(Exception):
    """What runs the model did not load it, or did not answer.

    Args:
        kind: The library's name for what happened, such as `"InvalidArgumentError"`.
        text: The library's own words.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text

    @property
    def is_about_input(self) -> bool:
        """Whether what was given is at fault, not the model."""
        # TensorFlow calls it an invalid argument when the Python function behind an operation is not there.
        return (
            self.kind in ("InvalidArgumentError", "TypeError", "ValueError") and _NO_CALLBACK not in self.text
        )


class Runner(Protocol):
    """A loaded model, as it takes and gives tensors."""

    def run(self, signature: Signature, inputs: Inputs) -> Arrays:
        """Call a signature.

        Args:
            signature: One that the model has.
            inputs: All that it takes: arrays of its types, or a sequence of serialized Examples.

        Returns:
            All that it gives, by name; sparse and ragged outputs dense, padded with 0 and empty strings.

        Raises:
            Refused: If it fails.
        """

    def close(self) -> None:
        """Let go of the model."""


# Loads the model of a folder, the graph with these tags; raises `Refused`.
OpenRunner: TypeAlias = Callable[[str, Sequence[str]], Runner]
