"""What a store tells, one question at a time: `headrace.open_store` for tests that ask once."""

from __future__ import annotations

from typing import Any

from headrace.store.session import (
    ArtifactRecord,
    Explanation,
    Lineage,
    RunComparison,
    RunResult,
    RunSummary,
    open_store,
)


def read_run(store: str | None = None, run_id: str = "latest") -> RunResult:
    with open_store(store) as stored:
        return stored.run(run_id)


def list_runs(store: str | None = None, **options: Any) -> list[RunSummary]:
    with open_store(store) as stored:
        return list(stored.runs(**options))


def list_artifacts(store: str | None = None, **options: Any) -> list[ArtifactRecord]:
    with open_store(store) as stored:
        return list(stored.artifacts(**options))


def read_lineage(store: str, artifact: int | str, **options: Any) -> Lineage:
    with open_store(store) as stored:
        return stored.lineage(artifact, **options)


def explain(store: str, run_id: str, node_id: str) -> Explanation:
    with open_store(store) as stored:
        return stored.explain(run_id, node_id)


def compare_runs(store: str, old: str, new: str) -> RunComparison:
    with open_store(store) as stored:
        return stored.compare(old, new)
