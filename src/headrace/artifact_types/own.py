"""The artifact types that Headrace knows: TFX's own. One entry here is all that a type needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headrace.artifact_types.artifact_type import ArtifactType, Headline
from headrace.formats.changes import DATA, Change


def _at(place: str) -> Callable[..., Any]:
    """Return a function that is imported, with all that it needs, when it is called: `"module:function"`."""
    module, _, name = place.partition(":")

    def call(*arguments: Any) -> Any:
        return getattr(importlib.import_module(f"headrace.{module}"), name)(*arguments)

    return call


def _verdict_tone(summary: str) -> str:
    """Bad where a model was refused, a warning where nothing was asked of it, good where it passed."""
    verdict = summary.partition(":")[0].upper()
    if "NOT BLESSED" in verdict:
        return "bad"
    return "warning" if "NOT VALIDATED" in verdict else "good"


def _statistics_changes(old: Any, new: Any) -> Iterable[Change]:
    from headrace.formats.statistics_changes import compare_statistics

    for change in compare_statistics(old, new):
        name = f"{change.feature} {change.measure}" if change.feature else change.measure
        name = change.feature if change.measure == "feature" else name
        yield Change(DATA, change.split, name, change.old, change.new)


_BLESSING = ArtifactType[Any](
    read=_at("formats.blessings:read"),
    summarize=lambda blessing: blessing.words,
    page=_at("reports.artifacts.verdicts:render_blessing"),
    headline=Headline("Verdict", _verdict_tone),
)

# In the order in which the reader of a run's page asks: how good, how learned, on what.
OWN: Mapping[str, ArtifactType[Any]] = {
    "ModelEvaluation": ArtifactType(
        read=_at("formats.evaluations.changes:read"),
        changes=_at("formats.evaluations.changes:compare"),
        page=_at("reports.artifacts.evaluations:render"),
        overlay=_at("reports.artifacts.evaluations:render"),
        is_open=True,
    ),
    "ModelBlessing": _BLESSING,
    "InfraBlessing": _BLESSING,
    "ModelRun": ArtifactType(
        page=_at("reports.artifacts.training:render"),
        overlay=_at("reports.artifacts.training:render"),
        is_open=True,
    ),
    "Model": ArtifactType(page=_at("reports.artifacts.models:render")),
    "PushedModel": ArtifactType(
        page=_at("reports.artifacts.verdicts:render_pushed"),
        headline=Headline("Model", is_alone=False, otherwise="pushed: {uri}"),
    ),
    "HyperParameters": ArtifactType(page=_at("reports.artifacts.tuning:render_hyperparameters")),
    "TunerResults": ArtifactType(page=_at("reports.artifacts.tuning:render_results")),
    "ExampleAnomalies": ArtifactType(page=_at("reports.artifacts.anomalies:render")),
    "ExampleStatistics": ArtifactType(
        read=_at("formats.protos:statistics_by_split"),
        changes=_statistics_changes,
        page=_at("reports.artifacts.statistics:render"),
        overlay=_at("reports.artifacts.statistics:render"),
    ),
    "Schema": ArtifactType(
        read=_at("formats.protos:read_schema"),
        summarize=_at("formats.protos:schema_summary"),
        page=_at("reports.artifacts.schemas:render"),
        overlay=_at("reports.artifacts.schemas:render"),
    ),
    "TransformGraph": ArtifactType(page=_at("reports.artifacts.transforms:render")),
    "Examples": ArtifactType(page=_at("reports.artifacts.examples:render")),
    "InferenceResult": ArtifactType(page=_at("reports.artifacts.inferences:render")),
}
