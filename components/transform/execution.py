"""One execution of Transform, from the trace of the user's function to the last file."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.authoring import Artifact
from headrace.components.transform import (
    analysis,
    application,
    cache_files,
    gathering,
    input_faults,
    kept_findings,
    samples,
    statistics,
    tracing,
)
from headrace.components.transform.analyzers import Surroundings
from headrace.components.transform.layout import InputLayout
from headrace.components.transform.outputs import StatisticsOutputs
from headrace.components.transform.request import Dataset, NeedsStock, TransformRequest
from headrace.components.transform.tft_library import tfdv
from headrace.errors import EmptyDataError, UnsupportedFeatureError, listed
from headrace.formats import transform_graphs
from headrace.runtime import beam_options, partial_results
from headrace.runtime.context import ExecutionContext
from headrace.runtime.shared_folder import SharedFolder
from headrace.statistics.accumulation import SplitAccumulator, SplitState

_OWN_PAYLOADS = samples.READABLE


class Execution:
    """The steps, and what they hand on to each other.

    Attributes:
        num_rows: Rows transformed in each split.
        notes: What the reader of the summary should know of the result.
    """

    def __init__(
        self,
        context: ExecutionContext,
        asked: TransformRequest,
        make_pipeline: Callable[[], beam.Pipeline],
    ) -> None:
        if asked.force_tf_compat_v1:
            raise NeedsStock("force_tf_compat_v1 is on")
        if not asked.payloads <= _OWN_PAYLOADS:
            raise NeedsStock(f"payload {', '.join(sorted(asked.payloads))}")
        self.num_rows: dict[str, int] = {}
        self.notes: list[str] = []
        self._context = context
        self._kept = context.partial_results
        self._asked = asked
        self._make_pipeline = make_pipeline
        self._tmp_path = os.path.join(context.tmp_path, "transform")
        os.makedirs(self._tmp_path, exist_ok=True)
        self._graph_path = context.output("transform_graph").uri
        self._outputs = StatisticsOutputs.of(context) if asked.with_statistics else None
        self._statistics_before: Any = None
        self._sizes: dict[Any, int] = {}

    def run(self) -> None:
        """Do everything; artifacts' properties are left to the caller."""
        self._context.progress.report("tracing preprocessing_fn")
        self._layout = InputLayout.from_schema(self._asked.schema)
        self._where = f"{self._context.node_id}: {tracing.place_of(self._asked.preprocessing_fn)}"
        self._traced = self._trace()
        if self._traced.holds_python:
            self.notes.append(
                "the graph calls Python functions, so no other process can apply it: it cannot be exported for serving"
            )
        self._options_before = self._options(statistics.PRE_TRANSFORM, self._asked.schema)
        finished = self._analyze().model
        tracing.publish_graph(finished, self._graph_path, self._asked.schema, self._traced.asset_map)
        transform_graphs.write_choices(self._graph_path, self._traced.choices)
        self._write_statistics_before()
        self._apply(finished)

    def _trace(self) -> tracing.TracedFunction:
        function = self._asked.preprocessing_fn
        try:
            return tracing.TracedFunction(function, self._layout, self._tmp_path, self._where)
        except Exception as error:
            datasets = {dataset.files: dataset for dataset in (*self._asked.analyze, *self._asked.transform)}
            told = input_faults.explain(
                error, self._layout, self._asked.schema, datasets.values(), self._where
            )
            if told is None:
                raise
            raise told from error

    def _options(
        self,
        stats_type: Any,
        schema: schema_pb2.Schema,
        vocabulary_paths: Mapping[str, str] | None = None,
    ) -> tfdv.StatsOptions | None:
        if not self._asked.with_statistics:
            return None
        chosen = statistics.options(self._asked, stats_type, schema, vocabulary_paths)
        if reason := statistics.why_not(chosen):
            raise NeedsStock(reason)
        return chosen

    def _analyze(self) -> analysis.Analysis:
        datasets = {dataset.key: dataset for dataset in self._asked.analyze}
        earlier = self._earlier_cache()
        updated = self._context.optional_output("updated_analyzer_cache")
        cache = cache_files.read(earlier.uri, datasets) if earlier is not None else {}
        if self._traced.holds_python:
            # The key of an entry tells graphs apart, and a Python function is no part of the graph.
            cache = {}
        is_kept = updated is not None and not self._traced.holds_python
        known = self._kept_entries(set(datasets) - set(cache)) if is_kept else {}
        cache |= known
        graph = self._traced.analysis_graph(list(datasets), cache if updated is not None else None)
        planned = analysis.plan(graph)
        if planned.unsupported:
            raise NeedsStock(f"analyzers with {', '.join(sorted(set(planned.unsupported)))}")
        surroundings = Surroundings(self._traced.graph, self._tmp_path, cache)
        found = analysis.execute(graph, planned, self._traced, surroundings, self._run_pass)
        if updated is not None:
            entries = {key: dict(kept.cache_dict) for key, kept in known.items()}
            for key, new in (found.cache or {}).items():
                entries[key] = {**entries.get(key, {}), **new}
            for key, kept in known.items():
                if kept.metadata is not None:
                    self._sizes.setdefault(key, kept.metadata.dataset_size)
            if is_kept:
                for key, by_key in entries.items():
                    kept_findings.write_entries(
                        self._kept, datasets[key], self._function_key, by_key, self._sizes.get(key)
                    )
            earlier_path = earlier.uri if earlier is not None and is_kept else None
            cache_files.write(updated.uri, entries, self._sizes, earlier_path, list(datasets))
            cache_files.sign(updated, self._kept.maker)
        return found

    def _earlier_cache(self) -> Artifact | None:
        """The input `analyzer_cache`, where it does not come from other code.

        TFT's keys tell neither an operation from another of the same types nor a file from what it held before.
        """
        earlier = self._context.optional_input("analyzer_cache")
        if earlier is None or cache_files.may_be_used(earlier, self._kept.maker):
            return earlier
        self.notes.append(
            "the input analyzer_cache was made by other code, parameters or lookup files, and is not used"
        )
        return None

    @property
    def _function_key(self) -> str:
        """Tells what is analyzed apart: the analyzers, and how rows become the tensors that they look at."""
        return f"{self._traced.fingerprint} {self._layout.identity}"

    def _kept_entries(self, keys: Collection[Any]) -> dict[Any, Any]:
        """What any earlier execution found in datasets of which the input `analyzer_cache` says nothing."""
        found = {
            dataset.key: kept_findings.read_entries(self._kept, dataset, self._function_key)
            for dataset in self._asked.analyze
            if dataset.key in keys
        }
        return {key: kept for key, kept in found.items() if kept is not None}

    def _run_pass(self, phase: int, what: analysis.Pass) -> analysis.Gathered:
        """Read the analyzed splits once; the first pass also sees to their statistics."""
        options = self._options_before if phase == 0 else None
        columns = self._traced.analyze_columns
        kept: dict[Any, str] = {}
        states: dict[Any, SplitState] = {}
        if options is not None:
            # As in TFX: statistics tell of every feature that the function uses.
            columns = columns | self._traced.transform_columns
            kept = {
                dataset.key: kept_findings.statistics_path(self._kept, dataset, options, columns)
                for dataset in self._asked.analyze
            }
            states = {
                key: state
                for key, path in kept.items()
                if isinstance(state := partial_results.load(path), SplitState)
            }
        datasets = [
            dataset
            for dataset in self._asked.analyze
            if what.streams_of(dataset.key) or (options is not None and dataset.key not in states)
        ]
        gatherers = gathering.Gatherers(what, options)
        result = self._gather(phase, datasets, columns, gatherers)
        if what.gatherers and not result.num_rows and len(datasets) == len(self._asked.analyze):
            raise EmptyDataError(
                f"{self._context.node_id}: no row in the splits to analyze, {listed(_splits(datasets))}: "
                "analyzers such as tft.scale_to_z_score have nothing to learn from.",
                "run ExampleGen on data that fills these splits, or analyze others with splits_config.",
            )
        self._sizes.update(result.sizes)
        if gatherers.statistics is not None:
            for key, state in result.statistics.items():
                partial_results.dump(kept[key], state)
            # A dataset without rows has none.
            known = [{**states, **result.statistics}.get(key, SplitState()) for key in kept]
            self._statistics_before = gatherers.statistics.extract(gatherers.statistics.merge(known))
        return result.accumulators

    def _gather(
        self,
        phase: int,
        datasets: Sequence[Dataset],
        columns: Collection[str],
        gatherers: gathering.Gatherers,
    ) -> gathering.Gathering:
        if not datasets:
            return gatherers.merge([])
        self._context.progress.report(f"analyzing {', '.join(_splits(datasets))}")
        layout = self._layout.project(columns)
        gather = functools.partial(
            gathering.gather, layout=layout, gatherers=gatherers, is_local=self._traced.holds_python
        )
        found = self._run_stage(f"pass {phase + 1}", datasets, gather)
        return gatherers.merge(found)

    def _write_statistics_before(self) -> None:
        if self._outputs is None or self._options_before is None:
            return
        if self._statistics_before is None:
            # No analyzer looked at rows: none is there, or the cache knew everything.
            self._run_pass(0, analysis.Pass(None, {}))
        self._outputs.write_before(self._statistics_before, self._options_before)

    def _apply(self, finished: tracing.FinishedModel) -> None:
        is_materialized = any(dataset.output_path for dataset in self._asked.transform)
        if not is_materialized and self._outputs is None:
            return
        options = self._options(
            statistics.POST_TRANSFORM,
            finished.early_schema,
            statistics.vocabulary_paths(self._graph_path, self._traced.asset_map),
        )
        self._context.progress.report(f"transforming {', '.join(self._asked.splits)}")
        work = application.Application(
            transform_graphs.model_path(self._graph_path),
            self._layout.project(self._traced.transform_columns),
            finished.schema.SerializeToString(),
            options,
            self._traced.holds_python,
        )
        apply = functools.partial(application.apply, application=work)
        parts = self._run_stage("apply", self._asked.transform, apply)
        result = application.merge(parts, options)
        self.num_rows = result.num_rows
        if result.displaced:
            self.notes.append(
                f"sparse outputs with gaps, {listed(sorted(result.displaced))}: records keep their values and not the "
                "places (return tf.sparse.to_dense of them to keep these)"
            )
        if self._outputs is not None and options is not None:
            found = SplitAccumulator(options).extract(result.statistics)
            self._outputs.write_after(found, options)

    def _run_stage(self, name: str, datasets: Sequence[Dataset], build: Callable[..., None]) -> Iterator[Any]:
        """Run one Beam pipeline and return the results that the files of `datasets` left."""
        num_files = sum(len(dataset.files) for dataset in datasets)
        where = f"{self._context.node_id}: Beam stage '{name}'"
        results: SharedFolder[Any] = SharedFolder.make(self._tmp_path, where, num_files)
        pipeline = self._make_pipeline()
        if self._traced.holds_python and not beam_options.runs_here(pipeline):
            raise UnsupportedFeatureError(
                f"{self._where}: the function calls Python functions (tf.py_function, tft.apply_pyfunc), which live in "
                f"this process, and Beam runner {type(pipeline.runner).__name__} works in others.",
                "write them in TensorFlow operations, or run this node with beam_pipeline_args=['--runner=DirectRunner'].",
            )
        with pipeline:
            build(pipeline, self._context, datasets, results)
        return results.read()


def _splits(datasets: Sequence[Dataset]) -> list[str]:
    """Split names, each once."""
    return list(dict.fromkeys(dataset.split for dataset in datasets))
