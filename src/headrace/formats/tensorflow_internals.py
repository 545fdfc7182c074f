"""TensorFlow's internal modules that Headrace builds on, in the form in which they are known. It loads TensorFlow.

TensorFlow 2.16 and 2.21 have them. Where one has another form, TensorFlow does as it does without Headrace: it finds no
variables in folders that have `[ ] * ?` in their path, and a fingerprint is that of the model before its tables were
renamed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from headrace.internals import Library


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"tensorflow.python.saved_model.{name}")
    except ImportError:
        return None


def replace_variables_path(replaced: Callable[[Callable[[Any], str]], Callable[[Any], str]]) -> bool:
    """Let TensorFlow look for the variables of a SavedModel at the place that a function gives.

    Args:
        replaced: Takes TensorFlow's own function of a model's folder, and returns the one to use.

    Returns:
        Whether it does.
    """
    library, module = Library("TensorFlow", "tensorflow"), _module("path_helpers")
    original = library.part(module, "get_variables_path")
    if original is not None:
        module.get_variables_path = replaced(original)
    return original is not None


def write_fingerprint(model_path: str) -> bool:
    """Write the fingerprint of a SavedModel anew; return whether that was possible."""
    library = Library("TensorFlow", "tensorflow")
    write = library.part(_module("fingerprinting_utils"), "write_fingerprint")
    if write is not None:
        write(model_path)
    return write is not None
