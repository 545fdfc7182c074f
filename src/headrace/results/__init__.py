"""What `headrace.load` returns: an artifact as a Python object, one class for each artifact type.

Files are read when they are asked for, tables are DataFrames of pandas, and TensorFlow is loaded when a model predicts.
A class of your own for a type of your own derives from `Result` (`headrace.artifact_types.ArtifactType`, `result`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.results.choices import FeatureImportances, ModelSelection
    from headrace.results.cleaning import CleaningReport
    from headrace.results.descriptions import Anomalies, Schema, Statistics, TransformGraph
    from headrace.results.evaluations import Evaluation
    from headrace.results.examples import Examples
    from headrace.results.models import Model, PushedModel
    from headrace.results.predictions import InferenceResult
    from headrace.results.result import Bounds, Result
    from headrace.results.training import HyperParameters, ModelRun, TunerResults
    from headrace.results.verdicts import Blessing

_PLACES = {
    "Anomalies": "descriptions",
    "Blessing": "verdicts",
    "Bounds": "result",
    "CleaningReport": "cleaning",
    "Evaluation": "evaluations",
    "Examples": "examples",
    "FeatureImportances": "choices",
    "HyperParameters": "training",
    "InferenceResult": "predictions",
    "Model": "models",
    "ModelRun": "training",
    "ModelSelection": "choices",
    "PushedModel": "models",
    "Result": "result",
    "Schema": "descriptions",
    "Statistics": "descriptions",
    "TransformGraph": "descriptions",
    "TunerResults": "training",
}

__all__ = [
    "Anomalies",
    "Blessing",
    "Bounds",
    "CleaningReport",
    "Evaluation",
    "Examples",
    "FeatureImportances",
    "HyperParameters",
    "InferenceResult",
    "Model",
    "ModelRun",
    "ModelSelection",
    "PushedModel",
    "Result",
    "Schema",
    "Statistics",
    "TransformGraph",
    "TunerResults",
]


def __dir__() -> list[str]:
    """Name what is public, loaded or not."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})


def __getattr__(name: str) -> Any:
    """Load a class on first use."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
