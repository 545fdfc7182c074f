"""Small pipelines of the components in `nodes`, run in a store of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import nodes
import pytest
from click.testing import CliRunner, Result
from ml_metadata.proto import metadata_store_pb2

from headrace.authoring import Importer, Pipeline, standard_artifacts
from headrace.cli.main import cli
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.in_process import InProcess
from headrace.orchestration.runners.local.workers import Workers
from headrace.run_options import RunOptions
from headrace.store.results import RunResult

Run = Callable[..., RunResult]
Command = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store")


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One server for the runs of a file: to start it takes longer than these nodes do."""
    with Workers(lambda: ["nodes"]) as kept:
        yield kept


@pytest.fixture(scope="module", name="workers")
def in_process() -> NodeRunner:
    """In the place of `workers` in a file whose tests look at the run alone, and not at the processes of its nodes."""
    return InProcess()


@pytest.fixture
def run(store: str, workers: NodeRunner | None) -> Run:
    """Run components in a store of this test, on the workers of its file."""

    def run_components(
        *components: Any, name: str = "test", configuration: Mapping[str, Any] | None = None, **options: Any
    ) -> RunResult:
        pipeline = Pipeline(name, components=list(components))
        given = RunOptions(store=store, **options)
        return engine.run(pipeline, given, configuration=configuration, pool=workers)

    return run_components


@pytest.fixture
def command(store: str) -> Command:
    """Call `headrace` on the store of this test."""

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--store", store])

    return invoke


def good(name: str = "good") -> Pipeline:
    """A pipeline of one node without an executor, which finds its files in the working directory: no worker starts."""
    os.makedirs("files", exist_ok=True)
    return Pipeline(name, components=[Importer(source_uri="files", artifact_type=standard_artifacts.Schema)])


def chain(text: str = "one") -> list[Any]:
    make = nodes.Make(text=text)
    return [make, nodes.Use(given=make.outputs["out"])]


def states(result: RunResult) -> dict[str, str]:
    return {node.node_id: node.state.value for node in result.nodes}


def paths(result: RunResult) -> list[str]:
    return [output.uri for node in result.nodes for output in node.outputs]


def texts(result: RunResult, node_id: str) -> list[str]:
    return [nodes.read(output.uri) for output in result.node(node_id).outputs]


def text_of(result: RunResult, node_id: str) -> str:
    return texts(result, node_id)[0]


def open_store(store: str) -> mlmd.MetadataStore:
    """Open a store with plain ML Metadata."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = f"{store}/metadata.db"
    return mlmd.MetadataStore(config)


def run_python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with `words` in a process of its own."""
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
