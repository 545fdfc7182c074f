"""Executor of an ExampleValidator that is given checks: rows are looked at, and statistics too where they are given."""

from __future__ import annotations

import dataclasses
import os
import tempfile

import apache_beam as beam
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from headrace.components.example_validator import executor as of_statistics
from headrace.components.example_validator import findings
from headrace.components.example_validator.component import check_fail_on
from headrace.components.example_validator.findings import Finding
from headrace.components.example_validator.row_checks import anomalies as row_anomalies
from headrace.components.example_validator.row_checks import making
from headrace.components.example_validator.row_checks.check import RowCheck
from headrace.components.example_validator.row_checks.scan import AllRows, PartScan, ScanPart
from headrace.errors import AnomaliesError, DefinitionError, HeadraceError, UnknownSplitError, listed
from headrace.files import remove_folder
from headrace.formats import artifacts, protos
from headrace.formats import findings as findings_format
from headrace.formats.findings import RowFinding, RowFindings
from headrace.quality import parts as part_files
from headrace.quality import survey
from headrace.quality.survey import Survey
from headrace.runtime.context import SUMMARY_PROPERTY, ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread

_MAX_IN_SUMMARY = 3


class Executor(BeamExecutor):
    """Writes `Split-{name}/SchemaDiff.pb` and `RowFindings.json` for each kept split."""

    def execute(self, context: ExecutionContext) -> None:
        """Validate statistics where they are given, check the rows, then raise if `fail_on` says so.

        Raises:
            UnknownSplitError: If a parameter names a split that there is not.
            DefinitionError: If a check is malformed, or names a feature that there is not.
            MalformedFileError: If a file is damaged.
            AnomaliesError: If something was found that `fail_on` does not let pass.
            HeadraceError: What validating the statistics raises.
        """
        fail_on = context.parameter("fail_on", "never")
        check_fail_on(fail_on, context.node_id)
        of_schema = self._validate_statistics(context)
        found, checks = self._check_rows(context)
        _publish(context, of_schema, found, checks)
        _raise_for(context, fail_on, of_schema, found)

    def _validate_statistics(self, context: ExecutionContext) -> dict[str, anomalies_pb2.Anomalies]:
        """Return the anomalies of the statistics by split; none where there are no statistics."""
        if context.optional_input("statistics") is None:
            return {}
        # What stops the pipeline is decided when all is known.
        quiet = dataclasses.replace(context, parameters={**context.parameters, "fail_on": "never"})
        of_statistics.Executor(self._given).execute(quiet)
        output = context.output("anomalies")
        return {split: protos.read_anomalies(output, split) for split in artifacts.split_names(output)}

    def _check_rows(self, context: ExecutionContext) -> tuple[dict[str, list[RowFinding]], list[RowCheck]]:
        """Return the findings of each kept split, and the checks."""
        examples = context.input("examples")
        splits = _kept(context)
        files = part_files.parts_of(examples, splits)
        context.progress.report("looking at the features")
        looked = survey.look(files, schema=_schema(context), where=context.node_id)
        checks = making.make(context.json_parameter("checks") or [], looked, context.node_id)
        os.makedirs(context.tmp_path, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="checks-", dir=context.tmp_path)
        scans = self._scan(context, files, checks, looked, folder)
        context.progress.report("comparing rows")
        rows = AllRows(splits, files, scans, folder, looked)
        found: dict[str, list[RowFinding]] = {split: [] for split in splits}
        for number, check in enumerate(checks):
            for split, finding in check.conclude(rows.of(number, check)):
                found[split].append(finding)
        # What is worse is told first.
        found = {split: sorted(several, key=lambda one: not one.is_error) for split, several in found.items()}
        remove_folder(folder, is_tried=True)
        return found, checks

    def _scan(
        self,
        context: ExecutionContext,
        files: list[part_files.Part],
        checks: list[RowCheck],
        looked: Survey,
        folder: str,
    ) -> list[PartScan]:
        stage = f"{context.node_id}: Beam stage 'CheckRows'"
        results: SharedFolder[PartScan] = SharedFolder.make(context.tmp_path, stage, len(files))
        look = ScanPart(checks, looked, folder, results, context.progress)
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            _ = (
                pipeline
                | "Parts" >> beam.Create(files, reshuffle=len(files) > 1)
                | "CheckRows" >> beam.ParDo(Spread(look, context.side_processes))
            )
        scans = list(results.read())
        for scan in scans:
            if isinstance(scan.error, HeadraceError):
                problem = scan.error.problem
                if not problem.startswith(f"{context.node_id}: "):
                    problem = f"{context.node_id}: {problem}"
                raise type(scan.error)(problem, scan.error.fix)
            if scan.error is not None:
                raise scan.error
        return scans


def _kept(context: ExecutionContext) -> list[str]:
    """Return the splits of the examples that are checked.

    Raises:
        UnknownSplitError: If the examples have none, or not one that is left out.
        DefinitionError: If none is left.
    """
    examples = context.input("examples")
    known = artifacts.split_names(examples)
    if not known:
        raise UnknownSplitError(
            f"{context.node_id}: Examples artifact {examples.id} names no split.",
            "give the examples of an ExampleGen.",
        )
    exclude = context.json_parameter("exclude_splits") or []
    kept = artifacts.keep_splits(examples, exclude, f"{context.node_id}: exclude_splits")
    if not kept:
        raise DefinitionError(
            f"{context.node_id}: no split is left to check. The examples have splits {listed(known)}, and "
            f"exclude_splits names {listed(exclude)}.",
            "take a split out of exclude_splits.",
        )
    return kept


def _schema(context: ExecutionContext) -> schema_pb2.Schema | None:
    schema = context.optional_input("schema")
    return None if schema is None else protos.read_schema(schema)


def _publish(
    context: ExecutionContext,
    of_schema: dict[str, anomalies_pb2.Anomalies],
    found: dict[str, list[RowFinding]],
    checks: list[RowCheck],
) -> None:
    """Write the anomalies of all, the rows, and the properties of the artifact."""
    output = context.output("anomalies")
    names = [str(check.spec["check"]) for check in checks]
    merged: dict[str, anomalies_pb2.Anomalies] = {}
    for split in dict.fromkeys([*of_schema, *found]):
        anomalies = anomalies_pb2.Anomalies()
        if split in of_schema:
            anomalies.CopyFrom(of_schema[split])
        else:
            anomalies.anomaly_name_format = anomalies_pb2.Anomalies.SERIALIZED_PATH
        row_anomalies.add(anomalies, found.get(split, []))
        folder = artifacts.new_split_folder(output.uri, split)
        protos.write_anomalies(folder, anomalies)
        if split in found:
            findings_format.write(folder, RowFindings(names, found[split]))
        merged[split] = anomalies
    output.split_names = artifacts.encode_split_names(merged)
    output.span = artifacts.span_of(context.input("examples"))
    output.set_json_value_custom_property(
        "blessed", {split: int(not findings.of(anomalies)) for split, anomalies in merged.items()}
    )
    context.summarize("anomalies", _summary(context, of_schema, found))


def _summary(
    context: ExecutionContext,
    of_schema: dict[str, anomalies_pb2.Anomalies],
    found: dict[str, list[RowFinding]],
) -> str:
    """Return one line: what the statistics said, and what the rows did."""
    parts = []
    if of_schema:
        # With its notes, such as on a baseline that nothing is compared with.
        said = str(context.output("anomalies").get_string_custom_property(SUMMARY_PROPERTY))
        parts.append(f"statistics: {said}")
    texts = []
    for split, several in found.items():
        named = ", ".join(
            f"{one.feature or 'rows'} ({one.problem}{f': {one.num_rows:,}' if one.num_rows else ''})"
            for one in several[:_MAX_IN_SUMMARY]
        )
        more = f" and {len(several) - _MAX_IN_SUMMARY} more" if len(several) > _MAX_IN_SUMMARY else ""
        number = findings.count(len(several), "finding", "findings")
        texts.append(f"{split} {number}: {named}{more}" if several else f"{split} none")
    has_some = any(found.values())
    words = ", ".join(texts) if has_some else "no findings"
    parts.append(f"rows: {words}" if of_schema or not has_some else words)
    return "; ".join(parts)


def _raise_for(
    context: ExecutionContext,
    fail_on: str,
    of_schema: dict[str, anomalies_pb2.Anomalies],
    found: dict[str, list[RowFinding]],
) -> None:
    stopping = [
        finding
        for split, anomalies in of_schema.items()
        for finding in findings.of(anomalies, split)
        if fail_on == "any" or (fail_on == "error" and finding.is_error)
    ]
    of_schema_too = bool(stopping)
    stopping += [
        Finding(
            split,
            one.feature or "the dataset",
            one.problem,
            one.description,
            is_error=one.is_error,
            is_new_column=False,
        )
        for split, several in found.items()
        for one in several
        if one.stops(fail_on)
    ]
    if stopping:
        schema = ", or the schema to allow it" if of_schema_too else ""
        raise AnomaliesError(
            f"{context.node_id}: {findings.count(len(stopping), 'anomaly', 'anomalies')} stopped the pipeline "
            f"(fail_on='{fail_on}'):\n{findings.as_list(findings.new_columns_last(stopping))}",
            "correct the data, or take such rows out with a Cleaner; or, where the data is right, change the "
            f"thresholds of the check{schema}; or pass fail_on='never' to go on.",
        )
