"""The artifact types that Headrace knows: TFX's and its own. One entry here is all that a type needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.artifact_types.artifact_type import ArtifactType, Headline
from headrace.formats.changes import DATA, Change


@dataclass(frozen=True)
class At:
    """A function that is imported, with all that it needs, when it is called.

    Attributes:
        place: `"module:function"`, the module below `headrace`.
    """

    place: str

    def load(self) -> Callable[..., Any]:
        """Return the function."""
        module, _, name = self.place.partition(":")
        function: Callable[..., Any] = getattr(importlib.import_module(f"headrace.{module}"), name)
        return function

    def __call__(self, *arguments: Any) -> Any:
        return self.load()(*arguments)


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


def _result(name: str) -> Callable[[], Any]:
    """What `headrace.load` gives, named as `module:Class` below `headrace.results`."""
    return At(f"results.{name}").load


_BLESSING = ArtifactType[Any](
    result=_result("verdicts:Blessing"),
    read=At("formats.blessings:read"),
    summarize=lambda blessing: blessing.words,
    page=At("reports.artifacts.verdicts:render_blessing"),
    headline=Headline("Verdict", _verdict_tone),
)

# In the order in which the reader of a run's page asks: how good, how learned, on what.
OWN: Mapping[str, ArtifactType[Any]] = {
    "ModelEvaluation": ArtifactType(
        result=_result("evaluations:Evaluation"),
        read=At("formats.evaluations.changes:read"),
        changes=At("formats.evaluations.changes:compare"),
        page=At("reports.artifacts.evaluations:render"),
        overlay=At("reports.artifacts.evaluations:render"),
        is_open=True,
    ),
    "ModelBlessing": _BLESSING,
    "InfraBlessing": _BLESSING,
    "ModelSelection": ArtifactType(
        read=At("formats.selections:read"),
        summarize=At("formats.selections:summary"),
        changes=At("formats.selections:compare"),
        page=At("reports.artifacts.selections:render"),
        result=_result("choices:ModelSelection"),
        headline=Headline("Chosen", lambda summary: "good"),
        is_open=True,
    ),
    "FeatureImportances": ArtifactType(
        read=At("formats.importances:read"),
        summarize=At("formats.importances:summary"),
        changes=At("formats.importances:compare"),
        page=At("reports.artifacts.importances:render"),
        result=_result("choices:FeatureImportances"),
        is_open=True,
    ),
    "ModelRun": ArtifactType(
        result=_result("training:ModelRun"),
        page=At("reports.artifacts.training:render"),
        overlay=At("reports.artifacts.training:render"),
        is_open=True,
    ),
    "Model": ArtifactType(
        result=_result("models:Model"),
        page=At("reports.artifacts.models:render"),
        overlay=At("reports.artifacts.model_differences:render"),
    ),
    "PushedModel": ArtifactType(
        result=_result("models:PushedModel"),
        page=At("reports.artifacts.verdicts:render_pushed"),
        headline=Headline("Model", is_alone=False, otherwise="pushed: {uri}"),
    ),
    "HyperParameters": ArtifactType(
        result=_result("training:HyperParameters"), page=At("reports.artifacts.tuning:render_hyperparameters")
    ),
    "TunerResults": ArtifactType(
        result=_result("training:TunerResults"), page=At("reports.artifacts.tuning:render_results")
    ),
    "ExampleAnomalies": ArtifactType(
        result=_result("descriptions:Anomalies"), page=At("reports.artifacts.anomalies:render")
    ),
    "CleaningReport": ArtifactType(
        result=_result("cleaning:CleaningReport"),
        read=At("formats.cleaning_reports:read"),
        summarize=At("formats.cleaning_reports:summary"),
        changes=At("formats.cleaning_reports:compare"),
        page=At("reports.artifacts.cleaning:render"),
    ),
    "ExampleStatistics": ArtifactType(
        result=_result("descriptions:Statistics"),
        read=At("formats.protos:statistics_by_split"),
        changes=_statistics_changes,
        page=At("reports.artifacts.statistics:render"),
        overlay=At("reports.artifacts.statistics:render"),
    ),
    "Schema": ArtifactType(
        result=_result("descriptions:Schema"),
        read=At("formats.protos:read_schema"),
        summarize=At("formats.protos:schema_summary"),
        page=At("reports.artifacts.schemas:render"),
        overlay=At("reports.artifacts.schemas:render"),
    ),
    "TransformGraph": ArtifactType(
        result=_result("descriptions:TransformGraph"), page=At("reports.artifacts.transforms:render")
    ),
    "Examples": ArtifactType(
        result=_result("examples:Examples"), page=At("reports.artifacts.examples:render")
    ),
    "InferenceResult": ArtifactType(
        result=_result("predictions:InferenceResult"), page=At("reports.artifacts.inferences:render")
    ),
}
