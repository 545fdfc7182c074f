"""Compares statistics with a schema, with another span and with another split, by TFDV."""

from __future__ import annotations

import logging
from typing import Any

import tensorflow_data_validation as tfdv
from google.protobuf.message import Message
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from headrace.components.example_validator import baselines, findings, validation_config
from headrace.components.example_validator.component import check_fail_on
from headrace.components.example_validator.drift_check import DriftCheck
from headrace.errors import AnomaliesError, DefinitionError, UnknownSplitError, listed
from headrace.formats import artifacts, protos
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as ExecutorBase

_log = logging.getLogger(__name__)


class Executor(ExecutorBase):
    """Writes `Split-{name}/SchemaDiff.pb` for each kept split."""

    def execute(self, context: ExecutionContext) -> None:
        """Validate each kept split; then raise if `fail_on` says so.

        Raises:
            UnknownSplitError: If a parameter names a split that the statistics do not have, or the
                baseline statistics lack a split.
            DefinitionError: If a parameter is malformed, or no split is left.
            MissingFileError: If the schema, or the statistics of a split, have no file.
            MalformedFileError: If such a file does not parse.
            AnomaliesError: If there are anomalies that `fail_on` does not let pass.
            UnsupportedFeatureError: If a `custom_validation_config` is given and the installed TFDV has none.
        """
        statistics, output = context.input("statistics"), context.output("anomalies")
        fail_on = context.parameter("fail_on", "never")
        check_fail_on(fail_on, context.node_id)
        kept = _kept_splits(context)
        schema = protos.read_schema(context.input("schema"))
        config = _custom_validation_config(context)
        drift = DriftCheck(context, kept)
        schema = drift.schema(schema)
        notes = [*drift.notes(), *_notes_on_comparators(context, schema, is_drift_asked=drift.is_asked)]
        found: dict[str, anomalies_pb2.Anomalies] = {}
        for split in kept:
            context.progress.report(f"validating {split}")
            baseline = None if drift.is_new(split) else _drift_baseline(context, split)
            anomalies = _validate(context, split, schema, config, baseline)
            folder = artifacts.new_split_folder(output.uri, split)
            if drift.is_itself(has_comparator=findings.has_comparator(schema, "drift_comparator")):
                baselines.add_anomaly(anomalies, statistics)
            else:
                notes += drift.add(split, anomalies, folder)
            protos.write_anomalies(folder, anomalies)
            found[split] = anomalies
        output.split_names = artifacts.encode_split_names(kept)
        output.span = statistics.span
        output.set_json_value_custom_property(
            "blessed", {split: int(not findings.of(anomalies)) for split, anomalies in found.items()}
        )
        empty = [split for split, anomalies in found.items() if anomalies.data_missing]
        if empty:
            notes.append(f"nothing validated in {listed(empty)}: no row")
        for note in notes:
            _log.warning("%s: %s.", context.node_id, note)
        context.summarize("anomalies", "; ".join([findings.summary(found), *notes]))
        _raise_for(context, fail_on, found, drift.remedy())


def _kept_splits(context: ExecutionContext) -> list[str]:
    statistics = context.input("statistics")
    exclude: Any = context.json_parameter("exclude_splits") or []
    where = f"{context.node_id}: exclude_splits"
    if not isinstance(exclude, list):
        raise DefinitionError(f"{where} is a {type(exclude).__name__}: {exclude!r}.", "give a list of names.")
    if not artifacts.split_names(statistics):
        raise UnknownSplitError(
            f"{context.node_id}: statistics {baselines.has_no_splits(statistics)}", baselines.NO_SPLITS_FIX
        )
    kept = artifacts.keep_splits(statistics, exclude, where)
    if not kept:
        raise DefinitionError(
            f"{context.node_id}: no split is left to validate. The statistics have splits "
            f"{listed(artifacts.split_names(statistics))}, and exclude_splits names {listed(exclude)}.",
            "take a split out of exclude_splits.",
        )
    return kept


def _custom_validation_config(context: ExecutionContext) -> Any | None:
    """The config as TFDV's own class; `None` where there is none."""
    value = context.parameter("custom_validation_config")
    if value is None or value == "":
        return None
    proto_class = validation_config.class_of_tfdv(context.node_id)
    if isinstance(value, Message):
        # Protobuf makes one class per import of a generated file; TFDV takes only its own.
        return proto_class.FromString(value.SerializeToString())
    return context.proto_parameter("custom_validation_config", proto_class)


def _notes_on_comparators(
    context: ExecutionContext, schema: schema_pb2.Schema, *, is_drift_asked: bool
) -> list[str]:
    """Say in words that a baseline is given which nothing in the schema compares with."""
    baseline_split = context.parameter("baseline_split")
    if baseline_split:
        artifacts.check_splits(
            context.input("statistics"), [baseline_split], f"{context.node_id}: baseline_split"
        )
    notes = []
    if (
        context.optional_input("baseline_statistics")
        and not is_drift_asked
        and not findings.has_comparator(schema, "drift_comparator")
    ):
        notes.append("drift not checked: the schema has no drift_comparator")
    if baseline_split and not findings.has_comparator(schema, "skew_comparator"):
        notes.append("skew not checked: the schema has no skew_comparator")
    return notes


def _validate(
    context: ExecutionContext,
    split: str,
    schema: schema_pb2.Schema,
    config: Any | None,
    baseline: statistics_pb2.DatasetFeatureStatisticsList | None,
) -> anomalies_pb2.Anomalies:
    statistics = context.input("statistics")
    baseline_split = context.parameter("baseline_split")
    skew_baseline = None
    if baseline_split and baseline_split != split:
        skew_baseline = protos.read_statistics(statistics, baseline_split)
    try:
        return tfdv.validate_statistics(
            statistics=protos.read_statistics(statistics, split),
            schema=schema,
            previous_statistics=baseline,
            # TFDV measures a distance that is the same in both directions.
            serving_statistics=skew_baseline,
            **({"custom_validation_config": config} if config is not None else {}),
        )
    except RuntimeError as error:
        if config is None:
            raise
        raise DefinitionError(
            f"{context.node_id}: custom_validation_config cannot be applied to split '{split}': {error}",
            "correct its SQL expressions, dataset names and feature paths.",
        ) from error


def _drift_baseline(
    context: ExecutionContext, split: str
) -> statistics_pb2.DatasetFeatureStatisticsList | None:
    baseline = context.optional_input("baseline_statistics")
    if baseline is None:
        return None
    baselines.check_split(baseline, split, context.node_id)
    return protos.read_statistics(baseline, split)


def _raise_for(
    context: ExecutionContext, fail_on: str, found: dict[str, anomalies_pb2.Anomalies], remedy: str
) -> None:
    if fail_on == "never":
        return
    stopping = [
        finding
        for split, anomalies in found.items()
        for finding in findings.of(anomalies, split)
        if fail_on == "any" or finding.is_error
    ]
    if stopping:
        raise AnomaliesError(
            f"{context.node_id}: {findings.count(len(stopping), 'anomaly', 'anomalies')} stopped the pipeline "
            f"(fail_on='{fail_on}'):\n{findings.as_list(findings.new_columns_last(stopping))}",
            "correct the data; or, where the data is right, change the schema to allow it (relax presence, "
            f"type, domain or comparator of the feature){remedy}; or pass fail_on='never' to go on.",
        )
