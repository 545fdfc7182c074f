"""Executor of FeatureImportance: draws rows, mixes one feature after another, and asks the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tfx.utils import path_utils

from headrace.components.feature_importance import scoring
from headrace.components.feature_importance.component import (
    DEFAULT_MAX_ROWS,
    DEFAULT_REPEATS,
    DEFAULT_SEED,
    DEFAULT_SPLIT,
)
from headrace.errors import DefinitionError, EmptyDataError, did_you_mean, listed
from headrace.formats import artifacts, importances, model_labels
from headrace.formats.examples import examples as examples_io
from headrace.formats.importances import Importance, Importances
from headrace.models import model as models
from headrace.models.model import Model
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor

# So that no batch is large for the model; the rows are few.
_BATCH_ROWS = 2000


class Executor(BaseExecutor):
    """Measures importances; see `headrace.components.feature_importance.component.FeatureImportance`."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill `importances`.

        Raises:
            UnknownSplitError: If the examples lack the split.
            DefinitionError: If there is no such feature or label, or the metric does not fit the label.
            ModelError: If the model does not load or does not answer.
        """
        split = context.parameter("split", DEFAULT_SPLIT)
        seed = context.parameter("seed", DEFAULT_SEED)
        rows = _drawn(context, split, context.parameter("max_rows", DEFAULT_MAX_ROWS), seed)
        artifact = context.input("model")
        path = str(path_utils.serving_model_path(artifact.uri, path_utils.is_old_model_artifact(artifact)))
        with models.load(path, where=f"{context.node_id}: the model") as model:
            labels, name = scoring.read_labels(model, rows, _label(context, path), context.node_id)
            score = scoring.choose(
                context.parameter("metric"), labels, _predict(model, rows), context.node_id
            )
            base = score.of(_predict(model, rows))
            groups = _groups(context.json_parameter("features"), rows, name, context.node_id)
            repeats = context.parameter("repeats", DEFAULT_REPEATS)
            found = []
            for number, group in enumerate(groups, 1):
                context.progress.report(f"feature {number}/{len(groups)} {' + '.join(group)}")
                losses = [
                    score.loss(base, score.of(_predict(model, _mixed(rows, group, [seed, repeat]))))
                    for repeat in range(repeats)
                ]
                found.append(Importance(" + ".join(group), float(np.mean(losses)), float(np.std(losses))))
        found.sort(key=lambda one: (-one.mean, one.name))
        content = Importances(score.name, base, score.is_lower_better, rows.num_rows, repeats, split, found)
        importances.write(context.output("importances"), content)
        context.summarize("importances", importances.summary(content))


def _label(context: ExecutionContext, path: str) -> str | None:
    """The label that is given, else the one that was left beside the model."""
    given = context.parameter("label")
    known = None if given else model_labels.read(path)
    return given if known is None else known.name


def _drawn(context: ExecutionContext, split: str, most: int, seed: int) -> pa.RecordBatch:
    """Draw rows evenly from a split, reading it once and holding no more than twice as many."""
    generator = np.random.default_rng(seed)
    kept: list[pa.RecordBatch] = []
    tickets = np.zeros(0)
    num_read = 0
    for artifact in context.inputs["examples"]:
        artifacts.check_splits(artifact, [split], context.node_id, "split")
        for batch in examples_io.read_record_batches(artifact, split):
            num_read += batch.num_rows
            context.progress.add_rows(batch.num_rows)
            drawn = generator.random(batch.num_rows)
            bound = np.sort(np.concatenate([tickets, drawn]))[: most + 1][-1]
            is_in = drawn <= bound
            kept.append(batch.filter(pa.array(is_in)))
            tickets = np.concatenate([tickets, drawn[is_in]])
            if len(tickets) > 2 * most:
                kept, tickets = _least(kept, tickets, most)
    if not len(tickets):
        raise EmptyDataError(f"{context.node_id}: split '{split}' has no rows.", "name another split.")
    (batch,), _ = _least(kept, tickets, most)
    return batch


def _least(
    kept: list[pa.RecordBatch], tickets: NDArray[Any], most: int
) -> tuple[list[pa.RecordBatch], NDArray[Any]]:
    """The rows with the least tickets, in their order."""
    table = pa.Table.from_batches(_alike(kept))
    places = np.sort(np.argsort(tickets, kind="stable")[:most])
    chosen = table.take(pa.array(places)).combine_chunks()
    return chosen.to_batches(), tickets[places]


def _alike(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """With the columns of all, in one order: a batch lacks a feature that none of its rows has."""
    fields = {
        field.name: field for batch in batches for field in batch.schema if not pa.types.is_null(field.type)
    }
    schema = pa.schema(list(fields.values()))
    return [
        pa.RecordBatch.from_arrays(
            [
                batch.column(batch.schema.names.index(name))
                if name in batch.schema.names and batch.schema.field(name).type == field.type
                else pa.nulls(batch.num_rows, field.type)
                for name, field in fields.items()
            ],
            schema=schema,
        )
        for batch in batches
    ]


def _groups(given: list[list[str]] | None, rows: pa.RecordBatch, label: str, node_id: str) -> list[list[str]]:
    known = [name for name in rows.schema.names if name != label]
    if given is None:
        return [[name] for name in known]
    for name in (name for group in given for name in group):
        if name not in known:
            raise DefinitionError(
                f"{node_id}: features has '{name}', and the examples have {listed(known)}.",
                f"{did_you_mean(name, known)}Correct the name.",
            )
    return given


def _mixed(rows: pa.RecordBatch, group: list[str], seed: list[int]) -> pa.RecordBatch:
    """The rows with the values of some features in another order, the same for all of them."""
    order = pa.array(np.random.default_rng(seed).permutation(rows.num_rows))
    columns = [
        column.take(order) if name in group else column
        for name, column in zip(rows.schema.names, rows.columns)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def _predict(model: Model, rows: pa.RecordBatch) -> Mapping[str, NDArray[Any]]:
    parts = [model.predict(rows.slice(first, _BATCH_ROWS)) for first in range(0, rows.num_rows, _BATCH_ROWS)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
