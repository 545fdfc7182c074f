"""What one execution of a Cleaner is asked to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.components.cleaner.component import PLACES, check
from headrace.errors import UnknownSplitError
from headrace.formats import artifacts, protos
from headrace.formats.cleaning_reports import (
    CONFLICT,
    DUPLICATE,
    NEAR_DUPLICATE,
    OFF_SCHEMA,
    UNDECODABLE,
)
from headrace.quality import near, survey
from headrace.quality.near import Measure
from headrace.quality.parts import Part, parts_of
from headrace.quality.row_digests import Compared
from headrace.quality.survey import Survey
from headrace.runtime.context import ExecutionContext

_PARAMETERS = {
    UNDECODABLE: "undecodable",
    OFF_SCHEMA: "off_schema",
    CONFLICT: "on_conflict",
    DUPLICATE: "duplicates",
    NEAR_DUPLICATE: "near_duplicates",
}


@dataclass(frozen=True)
class Request:
    """What is to be done, with what was found out of the examples before.

    Attributes:
        splits: The splits, in the artifact's order.
        parts: Their files.
        actions: By reason, what is to be done; without those that are not looked for.
        label: The feature of the label; `None` where there is none.
        compared: The features that rows are compared by.
        survey: What the features hold.
        schema: The schema, serialized; empty where there is none.
        measures: What near rows are.
        first: Features that tell a row, before others.
    """

    splits: Sequence[str]
    parts: Sequence[Part]
    actions: Mapping[str, str]
    label: str | None
    compared: Compared
    survey: Survey
    schema: bytes
    measures: Sequence[Measure]
    first: Sequence[str]

    @property
    def words(self) -> str:
        """What rows are compared by, in words."""
        names = self.compared.names
        ignored = [name for name in self.compared.ignored if name in self.survey.kinds]
        text = f"features {', '.join(names)}" if names else "all features"
        if ignored and not names:
            text += f" but {', '.join(ignored)}"
        if self.measures:
            text += f"; near: {' or '.join(measure.words for measure in self.measures)}"
        return text


def read(context: ExecutionContext) -> Request:
    """Return what the parameters ask for.

    Raises:
        DefinitionError: If they ask for what there is not.
        UnknownSplitError: If the examples have no split.
    """
    where, examples = context.node_id, context.input("examples")
    schema_artifact = context.optional_input("schema")
    schema = None if schema_artifact is None else protos.read_schema(schema_artifact)
    actions = {reason: context.parameter(name) for reason, name in _PARAMETERS.items()}
    label = context.parameter("label")
    specs = check(
        {_PARAMETERS[reason]: action for reason, action in actions.items()},
        label=label,
        has_schema=schema is not None,
        near=context.json_parameter("near"),
    )
    splits = artifacts.split_names(examples)
    if not splits:
        raise UnknownSplitError(
            f"{where}: Examples artifact {examples.id} names no split.", "give the examples of an ExampleGen."
        )
    parts = parts_of(examples, splits)
    found = survey.look(parts, schema=schema, named=_named(context), where=where)
    keys = context.json_parameter("keys")
    found.check_names([*(keys or []), *([label] if label else [])], where)
    compared = _compared(keys, label, context.json_parameter("ignore", list(PLACES)))
    measures = near.measures(specs, found, compared, where) if actions[NEAR_DUPLICATE] else []
    return Request(
        splits,
        parts,
        {reason: str(action) for reason, action in actions.items() if action is not None},
        label,
        compared,
        found,
        b"" if schema is None else schema.SerializeToString(),
        measures,
        [*(keys or []), *([label] if label else [])],
    )


def _named(context: ExecutionContext) -> dict[str, Sequence[str] | None]:
    return {
        survey.IMAGE: context.json_parameter("images"),
        survey.TEXT: context.json_parameter("texts"),
        survey.SOUND: context.json_parameter("sounds"),
    }


def _compared(keys: Sequence[str] | None, label: str | None, ignored: Sequence[Any]) -> Compared:
    if keys is None:
        return Compared(None, tuple(str(name) for name in ignored))
    # Rows of equal keys and another label are in conflict, and no copies.
    return Compared(tuple(dict.fromkeys([*keys, *([label] if label else [])])))
