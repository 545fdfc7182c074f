"""What Headrace builds on of TFX's private parts: what it overrides, replaces and reads is there, in the known form."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from tfx.components.evaluator import executor as tfx_evaluator
from tfx.components.transform import executor as tfx_transform
from tfx.dsl.components.base import base_driver, base_executor
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.portable.input_resolution import channel_resolver
from tfx.types import component_spec

from headrace.authoring import Component, ComponentSpec, Pipeline, tfx_internals
from headrace.components import CsvExampleGen
from headrace.components.evaluator import stock as evaluator_stock
from headrace.components.example_gen import driver
from headrace.components.transform import stock as transform_stock
from headrace.errors import UnsupportedFeatureError
from headrace.store.read import input_queries

# Methods that TFX calls, of a class of ours and the one of TFX that it is made of.
OVERRIDDEN: list[tuple[type, type, str]] = [
    (ComponentSpec, component_spec.ComponentSpec, "_parse_parameters"),
    (Pipeline, tfx_pipeline.Pipeline, "_set_components"),
    (Component, Component.__base__, "get_class_type"),
    (driver.Driver, base_driver.BaseDriver, "resolve_exec_properties"),
    (driver.Driver, base_driver.BaseDriver, "_prepare_output_artifacts"),
    (evaluator_stock._StockExecutor, tfx_evaluator.Executor, "_make_beam_pipeline"),
    (transform_stock._StockExecutor, tfx_transform.Executor, "_make_beam_pipeline"),
    (transform_stock._StockExecutor, tfx_transform.Executor, "_GetPreprocessingFn"),
    (transform_stock._StockExecutor, tfx_transform.Executor, "_GetStatsOptionsUpdaterFn"),
    (transform_stock._Processor, tfx_transform.TransformProcessor, "_CreateTFXIO"),
]
# Modules in which TFX's light form asks whether a heavy library is there, in what `headrace.authoring` imports.
_GUARDS = """
import ast, inspect, sys
import headrace.authoring, headrace.authoring.compiler
with headrace.authoring.light.authoring():
    import tfx.dsl.component.experimental.decorators
found = []
for name, module in sorted(sys.modules.items()):
    if name.startswith("tfx.") and getattr(module, "__file__", None):
        for node in ast.parse(inspect.getsource(module)).body:
            parts = list(ast.walk(node)) if isinstance(node, ast.Try) else []
            imports = [part for part in parts if isinstance(part, ast.Import)]
            names = {alias.name.split(".")[0] for part in imports for alias in part.names}
            if names & {"tensorflow", "apache_beam"}:
                found.append(name)
print(" ".join(found))
"""


@pytest.mark.parametrize(("ours", "theirs", "name"), OVERRIDDEN)
def test_what_is_overridden_is_there_and_takes_the_same(ours: type, theirs: type, name: str) -> None:
    """A renamed method would not be called any more, and nothing would say so."""
    wanted = list(inspect.signature(getattr(theirs, name)).parameters.values())
    given = inspect.signature(getattr(ours, name))

    given.bind(*[parameter.name for parameter in wanted])


def test_what_is_replaced_and_read_is_there() -> None:
    """In stock Transform, in executors' contexts, and in the resolution of inputs."""
    assert inspect.isclass(tfx_transform.TransformProcessor)
    assert callable(tfx_transform.io_utils.all_files_pattern)
    context = base_executor.BaseExecutor.Context(tmp_dir="/t", unique_id="1")
    assert context.get_tmp_path() == "/t/1/"
    assert context.pipeline_node is None
    input_queries.install()
    assert channel_resolver._get_executions_by_all_contexts is input_queries.executions_in_all


def test_another_query_of_tfx_stays() -> None:
    """Renamed, or with another parameter: TFX's own answers, if slowly."""
    other = ModuleType("channel_resolver")
    assert not tfx_internals.find_executions_with(input_queries.executions_in_all, other)
    other._get_executions_by_all_contexts = kept = lambda store, contexts, states: []  # type: ignore[attr-defined]

    assert not tfx_internals.find_executions_with(input_queries.executions_in_all, other)
    assert other._get_executions_by_all_contexts is kept  # type: ignore[attr-defined]


def test_nodes_tell_their_arguments_and_edges() -> None:
    """As a notebook exports them, and lends them to a pipeline of their own."""
    examples = CsvExampleGen(input_base="data")

    assert tfx_internals.construction_of(examples) == ((), {"input_base": "data"})
    assert tfx_internals.edges_of(examples) == (examples.upstream_nodes, examples.downstream_nodes)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("_upstream_nodes", tfx_internals.edges_of),
        ("_CONSTRUCT_KWARGS", tfx_internals.construction_of),
    ],
)
def test_nodes_of_another_form_are_refused(name: str, read: Callable[[Any], Any]) -> None:
    """In one sentence that names the version."""
    examples = CsvExampleGen(input_base="data")
    del vars(examples)[name]

    with pytest.raises(UnsupportedFeatureError, match=r"^TFX 1\.\d+\.\d+ does not"):
        read(examples)


def test_tfxs_light_form_asks_for_heavy_libraries_where_it_is_known_to() -> None:
    """A module that remembers it was loaded without them, and that nobody mends, fails much later."""
    done = subprocess.run([sys.executable, "-c", _GUARDS], capture_output=True, text=True, check=True)
    known: dict[str, Any] = {
        **tfx_internals.GUARDED_BEAM,
        **tfx_internals.GUARDED_TENSORFLOW,
        **dict.fromkeys(tfx_internals.COMPARES_BEAM_PIPELINE),
    }

    assert set(done.stdout.split()) == set(known)
