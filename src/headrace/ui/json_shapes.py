"""What `--json` prints: the shapes, key by key. `src/README.md` lists them for their readers.

Each has a number, which stands in it as `format`: of a list in each of its items. A key may be added; where one goes, or
means something else, the number of the shape is raised.
"""

from __future__ import annotations

from typing import TypedDict

from headrace.store.records import Json


class RunLine(TypedDict):
    """A line of `headrace runs`: as `RunSummary`, times in ISO 8601."""

    format: int
    run_id: str
    pipeline_name: str
    started: str
    seconds: float
    state: str
    num_nodes: int
    num_cached: int
    num_failed: int


class BoardLine(RunLine):
    """A line of `headrace runs --metrics`: the metrics asked for, null where a run has none, text for `"nan"`, `"inf"`."""

    metrics: dict[str, float | str | None]


class ErrorData(TypedDict):
    """What stopped a node: the name of a class of `headrace.errors`, and its texts."""

    type: str
    problem: str
    fix: str


class OutputData(TypedDict):
    """An artifact that a node made or reused: as `OutputRecord`."""

    key: str
    type_name: str
    artifact_id: int
    uri: str
    summary: str


class ImplementationData(TypedDict):
    """What did a node's work: as `Implementation`."""

    name: str
    reason: str


class NodeData(TypedDict):
    """A node of a run: as `NodeResult`."""

    node_id: str
    state: str
    seconds: float
    reason: str
    execution_id: int
    log_path: str
    implementation: ImplementationData | None
    error: ErrorData | None
    outputs: list[OutputData]


class RunData(TypedDict):
    """`headrace show RUN` and `headrace run`: as `RunResult`; `parameters` holds what was recorded of how it was started."""

    format: int
    run_id: str
    pipeline_name: str
    seconds: float
    store_path: str
    is_success: bool
    is_plan: bool
    parameters: dict[str, object]
    nodes: list[NodeData]


class ArtifactLine(TypedDict):
    """A line of `headrace artifacts`: as `ArtifactRecord`, times in ISO 8601."""

    format: int
    artifact_id: int
    type_name: str
    uri: str
    state: str
    summary: str
    digest: str
    created: str
    pipeline_name: str
    node_id: str
    run_id: str
    key: str
    size_bytes: int
    properties: dict[str, Json]
    splits: list[str]
    span: int | None
    version: int | None


class ArtifactData(TypedDict):
    """An artifact of a lineage: as `ArtifactInfo`, times in ISO 8601."""

    artifact_id: int
    type_name: str
    uri: str
    state: str
    summary: str
    digest: str
    created: str


class LineageArtifact(ArtifactData):
    """An artifact in a tree: as `ArtifactNode`."""

    key: str
    is_repeated: bool
    num_hidden: int
    executions: list[LineageExecution]


class LineageExecution(TypedDict):
    """An execution in a tree: as `ExecutionNode`."""

    execution_id: int
    pipeline_name: str
    node_id: str
    run_id: str
    artifacts: list[LineageArtifact]


class LineageData(TypedDict):
    """`headrace lineage`: a direction that was not asked for is null."""

    format: int
    artifact: ArtifactData
    up: list[LineageExecution] | None
    down: list[LineageExecution] | None


class FileChangeData(TypedDict):
    """A source file that changed: as `FileChange`."""

    name: str
    change: str
    lines: list[str]


class DifferenceData(TypedDict):
    """What an output depends on and differs: as `Difference`."""

    kind: str
    name: str
    old: Json
    new: Json
    files: list[FileChangeData]
    note: str


class ExplanationData(TypedDict):
    """`headrace explain`: as `Explanation`."""

    format: int
    run_id: str
    node_id: str
    state: str
    outcome: str
    text: str
    compared_run: str
    compared_execution: int
    differences: list[DifferenceData]
    implementation: ImplementationData | None


class SettingChangeData(TypedDict):
    """What differs in how two runs were started: as `SettingChange`."""

    name: str
    old: Json
    new: Json


class NodeComparisonData(TypedDict):
    """A node in two runs: as `NodeComparison`."""

    node_id: str
    old_state: str | None
    new_state: str | None
    old_seconds: float
    new_seconds: float
    differences: list[DifferenceData]
    is_equal: bool | None


class PayloadPairData(TypedDict):
    """Artifacts whose contents differ: as `PayloadPair`."""

    node_id: str
    key: str
    type_name: str
    old_uri: str
    new_uri: str


class NumberChangeData(TypedDict):
    """A number of each run; text for what JSON has no number for: `"nan"`, `"inf"`."""

    where: str
    part: str
    name: str
    old: float | str | None
    new: float | str | None


class VerdictChangeData(TypedDict):
    """A verdict, or a threshold of one, in each run."""

    name: str
    old: str
    new: str


class OtherChangeData(NumberChangeData):
    """What differs in an artifact of a type that others registered; `table` is what it is listed under."""

    type_name: str
    table: str


class RunDifferenceData(TypedDict):
    """`headrace diff`: in `runs`, `pipelines` and `seconds` the first run's and the second's."""

    format: int
    runs: list[str]
    pipelines: list[str]
    seconds: list[float]
    settings: list[SettingChangeData]
    nodes: list[NodeComparisonData]
    payloads: list[PayloadPairData]
    statistics: list[NumberChangeData]
    metrics: list[NumberChangeData]
    verdicts: list[VerdictChangeData]
    others: list[OtherChangeData]
    unread: list[str]


class CollectedData(TypedDict):
    """`headrace gc`: what was removed."""

    format: int
    num_artifacts: int
    num_runs: int
    size_bytes: int


class GarbageSize(TypedDict):
    """What of one artifact type would be removed."""

    num_artifacts: int
    size_bytes: int


class GarbageData(TypedDict):
    """`headrace gc --dry-run`: what would be removed; `types` by artifact type."""

    format: int
    types: dict[str, GarbageSize]
    artifact_ids: list[int]
    run_ids: list[str]
    log_bytes: int
    num_kept_artifacts: int
    num_kept_runs: int


class CheckLine(TypedDict):
    """A finding of `headrace doctor`; `outcome` is `"good"`, `"warning"` or `"bad"`."""

    format: int
    name: str
    outcome: str
    text: str
    advice: str


class DamageLine(TypedDict):
    """A damaged artifact that `headrace doctor --verify` found, and the command that makes it again."""

    format: int
    artifact_id: int
    type_name: str
    uri: str
    made_by: str
    damage: str
    fix: str


class PipelineParameter(TypedDict):
    """A parameter of a ready pipeline, as it is written; a default is empty where it is required."""

    name: str
    type_text: str
    default_text: str
    meaning: str


class PipelineLine(TypedDict):
    """A line of `headrace list`: a ready pipeline."""

    format: int
    name: str
    description: str
    folder: str
    parameters: list[PipelineParameter]


class ServerLine(TypedDict):
    """A line of `headrace server status`: as `ServerStatus`."""

    format: int
    pid: int
    prefix: str
    python: str
    age_seconds: float
    idle_seconds: float
    most_idle_seconds: float
    num_runs: int
    num_running: int
    num_loaded: int
    memory_bytes: int
    is_silent: bool


# The number of each shape, and the command that prints it.
FORMATS: dict[type, tuple[int, str]] = {
    RunLine: (1, "headrace runs --json"),
    BoardLine: (1, "headrace runs --metrics --json"),
    RunData: (1, "headrace show RUN --json"),
    ArtifactLine: (1, "headrace artifacts --json"),
    LineageData: (1, "headrace lineage --json"),
    ExplanationData: (1, "headrace explain --json"),
    RunDifferenceData: (1, "headrace diff --json"),
    CollectedData: (1, "headrace gc --json"),
    GarbageData: (1, "headrace gc --dry-run --json"),
    CheckLine: (1, "headrace doctor --json"),
    DamageLine: (1, "headrace doctor --verify --json"),
    PipelineLine: (1, "headrace list --json"),
    ServerLine: (1, "headrace server status --json"),
}


def number_of(shape: type) -> int:
    """Return the number of a shape: what its `format` holds."""
    return FORMATS[shape][0]
