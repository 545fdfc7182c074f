"""Run TFT's analysis graph: the few operations that see rows in one Beam stage per phase, the rest here.

A phase is a pass over the data: an analyzer that works on another analyzer's result needs one more. Within
a phase all analyzers of all splits share one reading of each file.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.components.transform import analyzers, tft_internals
from headrace.components.transform.accumulators import Gatherer, gatherer
from headrace.components.transform.analyzers import Elements, Surroundings
from headrace.components.transform.model import FunctionSource
from headrace.components.transform.tft_internals import beam_nodes, nodes
from headrace.components.transform.tft_library import analyzer_cache
from headrace.components.transform.tracing import AnalysisGraph, FinishedModel, TracedFunction


@dataclass(frozen=True)
class Stream:
    """The tensors of one phase over one dataset, or over all of them, before any analyzer has seen them.

    Attributes:
        label: The operation that makes it, unique in the analysis graph.
        phase: Number of the pass, from 0.
        dataset: The dataset; `None` for all of them.
    """

    label: str
    phase: int
    dataset: analyzer_cache.DatasetKey | None


@dataclass(frozen=True)
class Pass:
    """One pass over the data.

    Attributes:
        function: Computes what the analyzers work on; `None` where none looks at rows.
        gatherers: For each stream, the analyzers by operation label.
    """

    function: FunctionSource | None
    gatherers: Mapping[Stream, Mapping[str, Gatherer]]

    def streams_of(self, dataset: analyzer_cache.DatasetKey) -> list[Stream]:
        """The streams that rows of `dataset` belong to."""
        return [stream for stream in self.gatherers if stream.dataset in (None, dataset)]


Gathered = Mapping[str, Mapping[str, Any]]  # accumulators by stream label and operation label
RunPass = Callable[[int, Pass], Gathered]


@dataclass
class AnalysisPlan:
    """What the analysis graph asks of the data.

    Attributes:
        gatherers: For each stream, what gathers from it, by operation label.
        unsupported: Names of the operations that only TFT's own Beam transforms can run.
    """

    gatherers: dict[Stream, dict[str, Gatherer]] = field(
        default_factory=lambda: collections.defaultdict(dict)
    )
    unsupported: list[str] = field(default_factory=list)

    def of_phase(self, phase: int) -> dict[Stream, dict[str, Gatherer]]:
        """The part that one pass over the data serves."""
        return {stream: parts for stream, parts in self.gatherers.items() if stream.phase == phase}


@dataclass(frozen=True)
class _Columns:
    """A value that stands for tensors of a stream, before rows are read."""

    stream: Stream
    keys: tuple[str, ...] | None


def plan(analysis: AnalysisGraph) -> AnalysisPlan:
    """Walk the graph and note what reads rows."""
    planner = _Planner()
    _walk(analysis, planner)
    return planner.plan


@dataclass(frozen=True)
class Analysis:
    """What an analysis found.

    Attributes:
        model: The function with what was found in it.
        cache: Encoded elements that belong into the analyzer cache.
    """

    model: FinishedModel
    cache: Mapping[analyzer_cache.DatasetKey, Mapping[bytes, list[bytes]]] | None


def execute(
    analysis: AnalysisGraph,
    planned: AnalysisPlan,
    traced: TracedFunction,
    surroundings: Surroundings,
    run_pass: RunPass,
) -> Analysis:
    """Compute every operation of the graph.

    Args:
        analysis: The graph.
        planned: What `plan` returned for it, without unsupported operations.
        traced: The function that it belongs to.
        surroundings: What operations need beside their inputs.
        run_pass: Reads the data once and returns the accumulators.
    """
    final = analysis.result.parent_operation.operation_def.label
    runner = _Runner(planned, traced, surroundings, run_pass, final)
    model, cache = _walk(analysis, runner)
    return Analysis(model, cache)


def _walk(analysis: AnalysisGraph, visitor: nodes.Visitor) -> tuple[Any, Any]:
    traverser = nodes.Traverser(visitor)
    result = traverser.visit_value_node(analysis.result)
    entries = analysis.cache_entries
    cache = entries and {
        dataset: {key: traverser.visit_value_node(node) for key, node in nodes_by_key.items()}
        for dataset, nodes_by_key in entries.items()
    }
    return result, cache


def _stream(operation: beam_nodes.ApplySavedModel, dataset: analyzer_cache.DatasetKey) -> Stream:
    known = None if dataset.is_flattened_dataset_key() else dataset
    return Stream(operation.label, operation.phase, known)


class _Planner(nodes.Visitor):
    """Finds what reads rows; a value is a `_Columns`, a dataset key, or `None`."""

    def __init__(self) -> None:
        self.plan = AnalysisPlan()

    def visit(self, operation: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if not tft_internals.is_known(operation):
            self.plan.unsupported.append(tft_internals.told(operation))
            return (None,) * operation.num_outputs
        if isinstance(operation, beam_nodes.ExtractInputForSavedModel):
            return (operation.dataset_key,)
        if isinstance(operation, beam_nodes.ApplySavedModel):
            return (_Columns(_stream(operation, inputs[1]), None),)
        streaming = [value for value in inputs if isinstance(value, _Columns)]
        if not streaming:
            if not (analyzers.is_supported(operation) or _is_structural(operation)):
                self.plan.unsupported.append(type(operation).__name__)
            return (None,) * operation.num_outputs
        if isinstance(operation, beam_nodes.ExtractFromDict):
            return (_Columns(streaming[0].stream, tuple(operation.keys)),)
        found = gatherer(operation, streaming[0].keys) if len(inputs) == 1 else None
        if found is None:
            self.plan.unsupported.append(type(operation).__name__)
        else:
            self.plan.gatherers[streaming[0].stream][operation.label] = found
        return (None,) * operation.num_outputs

    def validate_value(self, value: Any) -> None:
        """Any value may stand for an output here."""


def _is_structural(operation: Any) -> bool:
    return isinstance(operation, (beam_nodes.CreateSavedModel, beam_nodes.ExtractInputForSavedModel))


class _Runner(nodes.Visitor):
    """Computes values: lists of elements, and stand-ins for models and for rows not yet read."""

    def __init__(
        self,
        planned: AnalysisPlan,
        traced: TracedFunction,
        surroundings: Surroundings,
        run_pass: RunPass,
        final: str,
    ) -> None:
        self._plan = planned
        self._traced = traced
        self._surroundings = surroundings
        self._run_pass = run_pass
        self._final = final
        self._functions: dict[int, FunctionSource] = {}
        self._gathered: dict[int, Gathered] = {}

    def visit(self, operation: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if isinstance(operation, beam_nodes.ExtractInputForSavedModel):
            return (operation.dataset_key,)
        if isinstance(operation, beam_nodes.CreateSavedModel):
            return (self._model(operation, inputs),)
        if isinstance(operation, beam_nodes.ApplySavedModel):
            self._functions[operation.phase] = inputs[0]
            return (_Columns(_stream(operation, inputs[1]), None),)
        if inputs and isinstance(inputs[0], _Columns):
            if isinstance(operation, beam_nodes.ExtractFromDict):
                return (_Columns(inputs[0].stream, tuple(operation.keys)),)
            return (self._elements(operation.label, inputs[0].stream),)
        return analyzers.run(operation, list(inputs), self._surroundings)

    def _model(
        self, operation: beam_nodes.CreateSavedModel, inputs: tuple[Elements, ...]
    ) -> FinishedModel | FunctionSource:
        """The finished model, or what a phase works on."""
        replacements = dict(element for elements in inputs for element in elements)
        if operation.label == self._final:
            return self._traced.write_model(replacements)
        return self._traced.phase_function(replacements, operation.output_signature)

    def _elements(self, label: str, stream: Stream) -> Elements:
        """What an analyzer gathered; the first one asked for makes the whole phase's pass happen."""
        phase = stream.phase
        gatherers = self._plan.of_phase(phase)
        if phase not in self._gathered:
            self._gathered[phase] = self._run_pass(phase, Pass(self._functions[phase], gatherers))
        return gatherers[stream][label].elements(self._gathered[phase][stream.label][label])

    def validate_value(self, value: Any) -> None:
        """Values are what `visit` returned."""
