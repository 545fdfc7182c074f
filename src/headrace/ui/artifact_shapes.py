"""What `headrace show ARTIFACT --json` prints: what stands around an artifact, and by its type what it holds.

As in `json_shapes`: each has a number, which stands in it as `format`. Numbers that JSON does not have are texts: `"nan"`,
`"inf"`, `"-inf"`.
"""

from __future__ import annotations

from typing import TypedDict

from headrace.store.records import Json
from headrace.ui.json_shapes import ArtifactLine


class ShownArtifact(ArtifactLine):
    """An artifact: the keys of `headrace artifacts`, what it holds by its type, and of which lists only the first is told."""

    holds: dict[str, object]
    cut: list[str]


class TensorData(TypedDict):
    """An input or output of a signature; of the shape -1 stands for a size that is not fixed."""

    name: str
    type_name: str
    shape: list[int] | None


class SignatureData(TypedDict):
    """What of a model can be called."""

    name: str
    inputs: list[TensorData]
    outputs: list[TensorData]


class ModelFeatureData(TypedDict):
    """What a model reads of Examples; a shape is null where rows may have any number of values."""

    name: str
    type_name: str
    shape: list[int] | None
    is_required: bool


class LayerData(TypedDict):
    """A layer, as it serves."""

    name: str
    operations: list[str]
    shape: list[int] | None
    num_parameters: int
    inputs: list[str]


class WeightData(TypedDict):
    """A weight; `values` is null for more than 20, `features` name what its rows are multiplied with, where that is known."""

    name: str
    type_name: str
    shape: list[int]
    values: Json
    features: list[str]


class ModelData(TypedDict):
    """What a Model holds."""

    format: int
    num_parameters: int
    num_trainable: int
    tensorflow_version: str
    class_names: list[str]
    features: list[ModelFeatureData]
    signatures: list[SignatureData]
    layers: list[LayerData]
    weights: list[WeightData]


class PushedModelData(TypedDict):
    """What a PushedModel says."""

    format: int
    is_pushed: bool
    destination: str
    version: str


class SplitData(TypedDict):
    """A split, and its first rows: feature to values."""

    name: str
    num_files: int
    num_rows: int
    size_bytes: int
    rows: list[dict[str, Json]]


class ExamplesData(TypedDict):
    """What Examples hold: TFX's names for what a record is and how files are packed; `quarantine` has the number of items that could not be read, by reason."""

    format: int
    payload: str
    files: str
    splits: list[SplitData]
    quarantine: dict[str, int]


# "25%" is no name of Python's.
NumberData = TypedDict(
    "NumberData",
    {
        "name": str,
        "count": int,
        "missing": int,
        "mean": "float | str | None",
        "std": "float | str | None",
        "min": "float | str | None",
        "25%": "float | str | None",
        "50%": "float | str | None",
        "75%": "float | str | None",
        "max": "float | str | None",
        "rank_error": "float | None",
    },
)


class CategoryData(TypedDict):
    """A feature that is no number, as pandas' `describe()` has it."""

    name: str
    count: int
    missing: int
    unique: int | None
    top: str | None
    freq: int | None


class SplitStatisticsData(TypedDict):
    """Statistics of a split."""

    name: str
    num_rows: int
    numbers: list[NumberData]
    categories: list[CategoryData]


class StatisticsData(TypedDict):
    """What ExampleStatistics hold."""

    format: int
    splits: list[SplitStatisticsData]


class FeatureData(TypedDict):
    """A feature of a schema; what it does not say is null."""

    name: str
    type_name: str
    min_fraction: float
    shape: list[int] | None
    values: list[str] | None
    low: float | None
    high: float | None


class SchemaData(TypedDict):
    """What a Schema holds."""

    format: int
    features: list[FeatureData]


class AnomalyData(TypedDict):
    """An anomaly; the feature is empty for the split as a whole, reasons are TFDV's names."""

    split: str
    feature: str
    problem: str
    description: str
    severity: str
    reasons: list[str]


class DriftData(TypedDict):
    """A feature, measured against the baseline."""

    split: str
    feature: str
    measure: str
    value: float | str | None
    noise: float | str | None
    threshold: float | str | None
    is_over: bool


class AnomaliesData(TypedDict):
    """What ExampleAnomalies hold."""

    format: int
    is_anomalous: bool
    num_anomalies: int
    anomalies: list[AnomalyData]
    checks: list[str]
    drift: list[DriftData]


class VocabularyData(TypedDict):
    """A vocabulary, by the name of its file."""

    name: str
    size: int
    terms: list[str]


class TransformGraphData(TypedDict):
    """What a TransformGraph holds."""

    format: int
    inputs: list[FeatureData]
    outputs: list[FeatureData]
    vocabularies: list[VocabularyData]


class HyperParametersData(TypedDict):
    """What HyperParameters hold."""

    format: int
    values: dict[str, Json]


class TrialData(TypedDict):
    """A trial of a Tuner."""

    trial_id: str
    score: float | str | None
    values: dict[str, Json]


class TunerResultsData(TypedDict):
    """What TunerResults hold, the best first."""

    format: int
    trials: list[TrialData]


class ModelRunData(TypedDict):
    """What a ModelRun holds; epochs count from 1, `best` has the metrics of the best one."""

    format: int
    num_epochs: int
    best_epoch: int | None
    best: dict[str, float | str | None]
    history: dict[str, list[float | str | None]]


class ThresholdData(TypedDict):
    """What a threshold said."""

    metric: str
    slice: str
    kind: str
    lower_bound: float | str | None
    upper_bound: float | str | None
    value: float | str | None
    baseline_value: float | str | None
    compared: float | str | None
    passed: bool | None
    note: str


class EvaluationData(TypedDict):
    """What a ModelEvaluation holds: slice to metric to value; the whole data is the slice `"Overall"`."""

    format: int
    is_blessed: bool | None
    metrics: dict[str, dict[str, float | str | None]]
    baseline_metrics: dict[str, dict[str, float | str | None]]
    differences: dict[str, dict[str, float | str | None]]
    intervals: dict[str, dict[str, list[float | str | None]]]
    thresholds: list[ThresholdData]
    class_names: list[str]


class BlessingData(TypedDict):
    """What a ModelBlessing or an InfraBlessing says."""

    format: int
    is_blessed: bool | None
    words: str


class PredictionData(TypedDict):
    """A prediction: what it was made from, and what the model gave."""

    row: dict[str, Json]
    outputs: dict[str, Json]


class InferenceResultData(TypedDict):
    """What an InferenceResult holds, the first predictions."""

    format: int
    num_predictions: int
    predictions: list[PredictionData]


class CleaningCountData(TypedDict):
    """How many rows of a split something was found in, for one reason."""

    split: str
    reason: str
    kept: int
    dropped: int
    quarantined: int


class FoundRowData(TypedDict):
    """A row that something was found in; `of_split` and `of_row` name the row that it is a copy of."""

    split: str
    row: int
    action: str
    reason: str
    detail: str
    of_split: str | None
    of_row: int | None


class CleaningReportData(TypedDict):
    """What a CleaningReport holds."""

    format: int
    rows_in: dict[str, int]
    rows_out: dict[str, int]
    num_removed: int
    looked_for: dict[str, str]
    compared: str
    remarks: list[str]
    counts: list[CleaningCountData]
    rows: list[FoundRowData]


class CandidateData(TypedDict):
    """A model that could be chosen; `value` is null where its evaluation has none."""

    name: str
    value: float | str | None
    num_bytes: int
    is_blessed: bool | None
    model_id: int
    metrics: dict[str, float | str]


class ModelSelectionData(TypedDict):
    """What a ModelSelection holds, the best candidate first."""

    format: int
    chosen: str
    reason: str
    metric: str
    slice: str
    is_lower_better: bool
    candidates: list[CandidateData]
    remarks: list[str]


class ImportanceData(TypedDict):
    """What a score loses without a feature: mean and standard deviation over the repeats."""

    name: str
    mean: float | str
    deviation: float | str


class FeatureImportancesData(TypedDict):
    """What FeatureImportances hold, the most important feature first."""

    format: int
    metric: str
    score: float | str
    is_lower_better: bool
    num_rows: int
    num_repeats: int
    split: str
    features: list[ImportanceData]


class OtherData(TypedDict):
    """What an artifact of a type holds that others registered, where JSON has it."""

    format: int
    content: Json


# The number of each shape, by artifact type; and that of a type that Headrace does not know.
HELD: dict[str, tuple[type, int]] = {
    "CleaningReport": (CleaningReportData, 1),
    "ExampleAnomalies": (AnomaliesData, 1),
    "Examples": (ExamplesData, 1),
    "ExampleStatistics": (StatisticsData, 1),
    "FeatureImportances": (FeatureImportancesData, 1),
    "HyperParameters": (HyperParametersData, 1),
    "InferenceResult": (InferenceResultData, 1),
    "InfraBlessing": (BlessingData, 1),
    "Model": (ModelData, 1),
    "ModelBlessing": (BlessingData, 1),
    "ModelEvaluation": (EvaluationData, 1),
    "ModelRun": (ModelRunData, 1),
    "ModelSelection": (ModelSelectionData, 1),
    "PushedModel": (PushedModelData, 1),
    "Schema": (SchemaData, 1),
    "TransformGraph": (TransformGraphData, 1),
    "TunerResults": (TunerResultsData, 1),
}
SHOWN = (ShownArtifact, 1)
OTHER = (OtherData, 1)
