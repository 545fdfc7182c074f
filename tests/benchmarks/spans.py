"""What a new span of data costs: ten spans, then an eleventh, in one window of all of them.

::

    make bench STAGES=spans                      ten spans of 15,002 rows, and one more
    make bench STAGES=spans ROWS=100000

CsvExampleGen reads the new span; StatisticsGen and Transform work on the window of all spans that there are.
Printed: the seconds of each node, once the libraries are loaded, with nothing known of the data, for the eleventh
span on top of ten, and for the same eleven spans with nothing known. Transform analyzes the new span alone, but what it learned from
it changes the graph, so it transforms all rows of the window again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

from taxi_data import write_csv

NUM_SPANS = 10
_NODES = ("CsvExampleGen", "StatisticsGen", "Transform")
_WINDOW = ("StatisticsGen", "SchemaGen", "Transform")
_TAXI_FUNCTION = "headrace.pipelines.taxi.features:preprocessing_fn"


def table(folder: str, num_rows: int) -> str:
    """Run the pipelines in a folder and return the table as Markdown."""
    for span in range(1, NUM_SPANS + 2):
        # Other rows in each span, as in a stream of data.
        write_csv(os.path.join(folder, "spans", f"span-{span}"), num_rows, seed=span)
    store = os.path.join(folder, "store")
    shutil.rmtree(store, ignore_errors=True)
    with _workers() as workers:

        def run(span: int, only: Sequence[str] = (), cache: bool | None = None) -> dict[str, float]:
            pipeline = _pipeline(os.path.join(folder, "spans"), span)
            return _run(pipeline, workers, store=store, only=only, cache=cache)

        for span in range(1, NUM_SPANS):
            run(span, only=_NODES[:1])
        rows = [(f"{NUM_SPANS} spans, nothing known", run(NUM_SPANS))]
        rows.append((f"span {NUM_SPANS + 1} on top", run(NUM_SPANS + 1)))
        shutil.rmtree(os.path.join(store, "kept"))
        again = run(NUM_SPANS + 1, only=_WINDOW, cache=False)
        read = {name: rows[-1][1][name] if name == _NODES[0] else again[name] for name in _NODES}
        rows.append((f"{NUM_SPANS + 1} spans, nothing known", read))
    return _render(rows, num_rows)


def _workers() -> Any:
    """Workers for all runs, so that libraries are loaded before anything is timed."""
    from headrace.orchestration.runners.local.workers import Workers

    executors = ("example_gen.csv_executor", "statistics_gen.executor", "transform.executor")
    return Workers(lambda: ["apache_beam", *(f"headrace.components.{name}" for name in executors)])


def _run(pipeline: Any, workers: Any, **options: Any) -> dict[str, float]:
    """Run a pipeline, or some of its nodes; return the seconds of each."""
    from headrace.orchestration.engine import start as engine
    from headrace.run_options import RunOptions

    result = engine.run(pipeline, RunOptions(**options), pool=workers)
    result.raise_for_failure()
    return {node.node_id: node.seconds for node in result.nodes}


def _pipeline(data: str, span: int) -> Any:
    """Read one span, and work on all that were read."""
    from headrace.authoring import Channel, Pipeline, Resolver, standard_artifacts
    from headrace.authoring.light import authoring
    from headrace.components import CsvExampleGen, SchemaGen, StatisticsGen, Transform

    with authoring():
        from tfx.dsl.input_resolution.strategies.span_range_strategy import SpanRangeStrategy
        from tfx.proto import example_gen_pb2, range_config_pb2

    def exactly(first: int, last: int) -> Any:
        static = range_config_pb2.StaticRange(start_span_number=first, end_span_number=last)
        return range_config_pb2.RangeConfig(static_range=static)

    splits = [example_gen_pb2.Input.Split(name="all", pattern="span-{SPAN}/*")]
    read = CsvExampleGen(
        input_base=data,
        input_config=example_gen_pb2.Input(splits=splits),
        range_config=exactly(span, span),
    )
    window = Resolver(
        strategy_class=SpanRangeStrategy,
        config={"range_config": exactly(1, span)},
        examples=Channel(type=standard_artifacts.Examples, producer_component_id=read.id),
    ).with_id("Window")
    window.add_upstream_node(read)
    statistics = StatisticsGen(examples=window.outputs["examples"])
    schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=True)
    transform = Transform(
        examples=window.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn=_TAXI_FUNCTION,
    )
    return Pipeline("spans", components=[read, window, statistics, schema, transform])


def _render(rows: Sequence[tuple[str, dict[str, float]]], num_rows: int) -> str:
    lines = [
        f"| spans of {num_rows:,} rows | {' | '.join(f'{name} s' for name in _NODES)} | all s |",
        f"|---|{'---:|' * (len(_NODES) + 1)}",
    ]
    for title, seconds in rows:
        cells = [f"{seconds[name]:.2f}" for name in _NODES]
        lines.append(f"| {title} | {' | '.join(cells)} | {sum(seconds.values()):.2f} |")
    return "\n".join(lines)
