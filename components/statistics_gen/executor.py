"""Computes feature statistics with TensorFlow Data Validation."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

import tensorflow_data_validation as tfdv

from headrace.authoring import Artifact
from headrace.components.statistics_gen import parts, stock
from headrace.components.statistics_gen.options import read_options, read_sample_rates
from headrace.errors import DefinitionError, UnknownSplitError, listed
from headrace.formats import artifacts, protos
from headrace.internals import UnknownForm
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.shared_folder import SharedFolder

_log = logging.getLogger(__name__)

_OWN_PAYLOADS = {"FORMAT_TF_EXAMPLE", "FORMAT_PARQUET"}
# Why TFDV's own transform does all of the work; empty where Headrace's does what it can.
NEEDS_STOCK = ""
try:
    from headrace.components.statistics_gen import computation
    from headrace.statistics import accumulation
except UnknownForm as unknown:
    NEEDS_STOCK = str(unknown)


class Executor(BeamExecutor):
    """Writes `Split-{name}/FeatureStats.pb` for each kept split."""

    def execute(self, context: ExecutionContext) -> None:
        """Compute and write the statistics of each kept split.

        Raises:
            DefinitionError: If a parameter is malformed, or no split is left.
            UnknownSplitError: If a parameter names a split that the examples do not have, or the spans have
                different splits.
            DataError: If a feature has values of two types.
        """
        examples, statistics = _spans(context), context.output("statistics")
        kept = _kept_splits(context, examples[0])
        options = read_options(context)
        rates = read_sample_rates(context, examples[0], options, kept)
        is_sharded = bool(context.parameter("sharded_stats_output", False))
        if is_sharded and not tfdv.default_sharded_output_supported():
            raise DefinitionError(
                f"{context.node_id}: sharded_stats_output is not supported by this build of TFDV.",
                "leave sharded_stats_output out.",
            )
        payloads = {artifacts.payload_format(span) for span in examples}
        sampled = {split: parts.with_sample_rate(options, rate) for split, rate in rates.items()}
        needed = _needs_tfdv(payloads, options, is_sharded=is_sharded)
        if needed:
            context.ran_stock(needed)
        written: SharedFolder[None] | None = None
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            if not needed:
                written = computation.compute(pipeline, context, examples, statistics, sampled)
            else:
                stock.compute(
                    pipeline,
                    context,
                    examples,
                    statistics,
                    sampled,
                    is_sharded=is_sharded,
                    is_own_payload=payloads <= _OWN_PAYLOADS,
                )
        if written is not None:
            written.check()
        _describe(context, statistics, kept)
        # Set last: an artifact must not name a split whose file was never written.
        statistics.split_names = artifacts.encode_split_names(kept)
        statistics.span = max(artifacts.span_of(span) for span in examples)
        statistics.set_string_custom_property("stats_dashboard_link", "")
        # JSON text inside a JSON value, as TFX 1.16 records it.
        statistics.set_json_value_custom_property("sample_rate_by_split", json.dumps(rates, sort_keys=True))


def _needs_tfdv(payloads: set[str], options: tfdv.StatsOptions, *, is_sharded: bool) -> str:
    """Why TFDV's own transform is needed; empty where it is not."""
    if others := payloads - _OWN_PAYLOADS:
        return f"payload {', '.join(sorted(others))}"
    if is_sharded:
        return "sharded_stats_output is on"
    return NEEDS_STOCK or accumulation.why_not(options)


def _spans(context: ExecutionContext) -> Sequence[Artifact]:
    """The Examples artifacts, one or more, which must have the same splits."""
    spans = context.inputs.get("examples") or [context.input("examples")]
    names = artifacts.split_names(spans[0])
    for span in spans:
        if set(artifacts.split_names(span)) != set(names):
            raise UnknownSplitError(
                f"{context.node_id}: the input Examples have different splits: artifact {spans[0].id} has "
                f"{listed(names)}, artifact {span.id} has {listed(artifacts.split_names(span))}.",
                "write all spans with the same output splits.",
            )
    return spans


def _kept_splits(context: ExecutionContext, examples: Artifact) -> list[str]:
    exclude: Any = context.json_parameter("exclude_splits") or []
    where = f"{context.node_id}: exclude_splits"
    if not isinstance(exclude, list):
        raise DefinitionError(f"{where} is a {type(exclude).__name__}: {exclude!r}.", "give a list of names.")
    kept = artifacts.keep_splits(examples, exclude, where)
    if not kept:
        raise DefinitionError(
            f"{context.node_id}: no split is left. The examples have splits "
            f"{listed(artifacts.split_names(examples))}, and exclude_splits names {listed(exclude)}.",
            "take a split out of exclude_splits.",
        )
    return kept


def _describe(context: ExecutionContext, statistics: Artifact, kept: Sequence[str]) -> None:
    """Put rows and features into the summary, and warn of splits without rows."""
    texts, empty = [], []
    features: set[tuple[str, ...]] = set()
    for split in kept:
        dataset = protos.read_statistics(statistics, split).datasets[0]
        if not dataset.num_examples:
            empty.append(split)
        features |= {tuple(feature.path.step) for feature in dataset.features}
        texts.append(f"{split} {int(dataset.num_examples):,} rows")
    summary = f"{', '.join(texts)}; {len(features)} features"
    if empty:
        note = f"no row in {listed(empty)}: change the output splits of ExampleGen, or exclude_splits={empty}"
        _log.warning("%s: %s.", context.node_id, note)
        summary += f"; warning: {note}"
    context.summarize("statistics", summary)
