"""Options of one node: what may be asked, and where it goes."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

import headrace
from headrace.authoring import Importer, Pipeline, compiler, standard_artifacts
from headrace.authoring.light import authoring
from headrace.authoring.node_options import NO_OPTIONS, NodeOptions, find_options, options_of
from headrace.authoring.resources import Resources
from headrace.errors import DefinitionError, OptionError
from headrace.orchestration.engine.exit_handlers import plan_exit_handlers
from headrace.orchestration.node.live_run import LiveNode
from headrace.orchestration.plan.pipeline_graph import plan_nodes
from headrace.orchestration.plan.plan import PlannedNode

with authoring():
    from tfx.dsl.compiler import compiler as tfx_compiler
    from tfx.dsl.experimental.node_execution_options import utils
    from tfx.proto.orchestration import pipeline_pb2


def node(name: str = "Files") -> Importer:
    return Importer(source_uri="files", artifact_type=standard_artifacts.Schema).with_id(name)


def test_the_node_is_returned_and_what_is_left_out_stays():
    one = node()

    assert headrace.options(one, retries=2, cpus=4) is one
    headrace.options(one, retries=3, cache=False)

    assert options_of(one) == NodeOptions(cache=False, retries=3, cpus=4)
    assert options_of(node()) == NO_OPTIONS


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"retries": -1}, "retries=-1"),
        ({"retries": 1.5}, "a whole number from 0"),
        ({"timeout_seconds": 0}, "a whole number from 1"),
        ({"timeout_seconds": True}, "timeout_seconds=True"),
        ({"cpus": 0}, "a number above 0"),
        ({"memory_gb": -1}, "a number from 0"),
        ({"cpus": float("nan")}, "cpus=nan"),
        ({"cache": "off"}, "True or False"),
        ({"exclusive": 1}, "exclusive=1"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any], words: str):
    """With the node, and what the option takes."""
    with pytest.raises(DefinitionError, match=rf"^Files: .*{re.escape(words)}"):
        headrace.options(node(), **asked)


@pytest.mark.parametrize("thing", [Pipeline("inner", components=[node()]), Importer, "Trainer"])
def test_only_a_node_has_options(thing: Any):
    """Of an inner pipeline nobody would hear them."""
    with pytest.raises(DefinitionError, match="options"):
        headrace.options(thing, retries=1)


def test_the_former_name_works_and_warns():
    one = node()
    with pytest.warns(DeprecationWarning, match=r"headrace\.options") as caught:
        assert headrace.with_resources(one, cpus=8, memory_gb=16) is one

    assert caught[0].filename == __file__
    assert options_of(one).resources == Resources(cpus=8, memory_gb=16, exclusive=False)


# TFX's: one node is in both pipelines.
@pytest.mark.filterwarnings("ignore:Component Files is not found from the registry:UserWarning")
def test_what_tfx_has_a_place_for_is_written_into_the_plan_and_nothing_into_the_node():
    """TFX's own runners compile the node as it was."""
    one = node()
    before = tfx_compiler.Compiler().compile(Pipeline("p", components=[one]))
    headrace.options(one, retries=2, timeout_seconds=60, cache=False, cpus=8)
    pipeline = Pipeline("p", components=[one])

    assert tfx_compiler.Compiler().compile(pipeline) == before
    [planned] = plan_nodes(compiler.compile_pipeline(pipeline), dict(find_options(pipeline.components)))
    written = planned.ir.execution_options
    assert (written.max_execution_retries, written.execution_timeout_sec) == (2, 60)
    assert (planned.options.cache, planned.options.resources.cpus) == (False, 8)


def test_an_exit_handler_has_options_too():
    [planned] = plan_exit_handlers([headrace.options(node("Clean"), retries=2)], "p", [])

    assert planned.ir.execution_options.max_execution_retries == 2


@pytest.mark.parametrize(
    ("of_tfx", "asked", "is_refused"),
    [
        ({"max_execution_retries": 3}, {"retries": 2}, True),
        ({"max_execution_retries": 0}, {"retries": 2}, True),
        ({"execution_timeout_sec": 5}, {"timeout_seconds": 6}, True),
        ({"max_execution_retries": 3}, {"retries": 3}, False),
        ({"max_execution_retries": 3}, {"timeout_seconds": 6}, False),
        ({"success_optional": True}, {"retries": 2, "timeout_seconds": 6}, False),
    ],
)
def test_options_of_tfx_that_say_otherwise_are_refused(
    of_tfx: dict[str, Any], asked: dict[str, Any], is_refused: bool
):
    """Whichever came first; what agrees, or speaks of something else, goes together."""
    one = headrace.options(node(), **asked)
    one.node_execution_options = utils.NodeExecutionOptions(**of_tfx)

    if is_refused:
        with pytest.raises(DefinitionError, match="node_execution_options say"):
            dict(find_options([one]))
    else:
        assert dict(find_options([one])) == {"Files": NodeOptions(**asked)}


@pytest.mark.parametrize(
    ("of_run", "of_node", "of_pipeline", "off"),
    [
        (None, None, True, ""),
        (None, None, False, "for this node, by the pipeline"),
        (None, False, True, "for this node"),
        (None, True, False, ""),
        (True, None, False, ""),
        (True, False, True, "for this node"),
        (False, None, True, "for this run"),
        (False, True, True, "for this run"),
    ],
)
def test_the_node_goes_before_the_pipeline_and_no_cache_for_the_run_before_all(
    of_run: bool | None, of_node: bool | None, of_pipeline: bool, off: str
):
    """A node that reads a clock is not served from the cache because somebody asked for the cache."""
    ir = pipeline_pb2.PipelineNode()
    ir.execution_options.caching_options.enable_cache = of_pipeline
    run: Any = SimpleNamespace(cache=of_run)
    context = LiveNode(run, PlannedNode("Clock", ir, (), options=NodeOptions(cache=of_node)))

    assert (context.cache_off, context.uses_cache) == (off, not off)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (NodeOptions(cache=False), ""),
        (NodeOptions(retries=1, cpus=1), "1 retry, 1 processor"),
        (
            NodeOptions(retries=2, timeout_seconds=60, cpus=8, memory_gb=1.5, exclusive=True),
            "2 retries, at most 60 s, 8 processors, 1.5 GB, alone",
        ),
    ],
)
def test_a_plan_says_in_words_what_was_asked(asked: NodeOptions, words: str):
    assert asked.in_words == words


def test_an_option_that_there_is_not_is_answered_with_the_nearest():
    with pytest.raises(OptionError, match=r"headrace\.options has no option 'timeout_second'") as caught:
        headrace.options(node(), timeout_second=3)  # type: ignore[call-arg]

    assert "'timeout_seconds'" in caught.value.fix
