"""The declaration of `Cleaner`. Light: TensorFlow and Beam load with its executor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedBeamExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
    system_executions,
)
from headrace.authoring.own_artifacts import CleaningReport
from headrace.checks import near as near_specs
from headrace.checks import values
from headrace.checks.values import Spec
from headrace.errors import DefinitionError

ACTIONS = ("keep", "drop", "quarantine")
PLACES = ("path", "line")
EXAMPLES = "cleaned_examples"


class CleanerSpec(ComponentSpec):
    """Keys and types of `Cleaner`. What is left out is not recorded; lists and mappings are JSON text."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads plain dicts here
        name: ExecutionParameter(type=str, optional=True)
        for name in (
            "duplicates",
            "near_duplicates",
            "on_conflict",
            "undecodable",
            "off_schema",
            "label",
            "keys",
            "ignore",
            "near",
            "images",
            "texts",
            "sounds",
        )
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "schema": ChannelParameter(type=standard_artifacts.Schema, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        # TFX wants another key than that of the input.
        EXAMPLES: ChannelParameter(type=standard_artifacts.Examples),
        "report": ChannelParameter(type=CleaningReport),
    }
    TYPE_ANNOTATION = system_executions.Process


class CleanerOutputs(Outputs):
    """What `Cleaner` makes; `outputs.examples` is `outputs.cleaned_examples`, as the examples of other components."""

    cleaned_examples: OutputOf[standard_artifacts.Examples]
    report: OutputOf[CleaningReport]

    @property
    def examples(self) -> OutputOf[standard_artifacts.Examples]:
        """The examples, as a node behind an ExampleGen names its output."""
        return self.cleaned_examples

    def __missing__(self, key: str) -> Any:
        if key == "examples":
            return self[EXAMPLES]
        return super().__missing__(key)


class Cleaner(Component[CleanerOutputs]):
    """Examples without what should not be learned from, and a report of each row that something was found in.

    Five things are looked for, in this order; a row is removed for the first that says so, and what is removed counts
    no more for those that follow. What is done about each is `"keep"` (report only), `"drop"`, or `"quarantine"`: out
    of the examples, and kept as records beside the report. `None` does not look for it.

    Rows are numbered by the order of splits, files and places in a file. Of copies the first stays, so a row of `eval`
    that `train` has too is taken out of `eval`.

    Outputs:
        cleaned_examples: `Examples` of the same splits, files and format. A file without a finding is copied as it is. Where a
            schema is given, values that say a number of another type exactly, such as the text `1.5`, become that.
        report: `CleaningReport`: `report.json` counts, `rows.jsonl` lists each row with reason and place,
            `quarantine/Split-{name}/` holds records that an ImportExampleGen reads. Rows in = out + removed.

    Args:
        examples: Channel of `Examples`, of tf.Examples or Parquet.
        schema: Channel of `Schema`, for `off_schema`.
        undecodable: Pictures that Pillow or TensorFlow cannot decode, sounds, and texts that are no UTF-8.
        off_schema: Rows with a type, presence, number of values or domain that the schema does not allow; quarantine
            where a schema is given and nothing else is said.
        on_conflict: Rows with equal features and another `label`, all of them, as none is known to be right; keep where
            a label is given and nothing else is said.
        duplicates: Rows equal to an earlier one, in all features or in `keys`, in whatever split. With a `label`, that
            has to be equal as well.
        near_duplicates: Rows that are near to an earlier one, as `near` says; not looked for unless asked.
        label: The feature of the label.
        keys: The features that rows are compared by.
        ignore: Features that rows are not compared by: by default those that say where a row comes from.
        near: What is near: `headrace.checks.near_texts`, `near_images` or `near_numbers`, or a list of these; where it
            is left out, pictures within 4 bits, else texts similar by 0.8, else numbers equal in 3 digits.
        images: Features of encoded pictures; where left out, those that the schema names and those that look so.
        texts: Features of texts; where left out, those that look so.
        sounds: Features of encoded sounds; where left out, those that look so.

    Raises:
        DefinitionError: If an argument has a value that it cannot have, or lacks what it needs.

    Example:
        >>> clean = Cleaner(
        ...     examples=rows.outputs.examples, label="quality", duplicates="drop", on_conflict="quarantine"
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = CleanerSpec
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.cleaner.executor.Executor")
    INPUT_FILES = ()

    def __init__(
        self,
        examples: BaseChannel,
        schema: BaseChannel | None = None,
        *,
        undecodable: str | None = "quarantine",
        off_schema: str | None = None,
        on_conflict: str | None = None,
        duplicates: str | None = "drop",
        near_duplicates: str | None = None,
        label: str | None = None,
        keys: Sequence[str] | str | None = None,
        ignore: Sequence[str] = PLACES,
        near: Spec | Sequence[Spec] | None = None,
        images: Sequence[str] | str | None = None,
        texts: Sequence[str] | str | None = None,
        sounds: Sequence[str] | str | None = None,
    ) -> None:
        if schema is not None and off_schema is None:
            off_schema = "quarantine"
        if label is not None and on_conflict is None:
            on_conflict = "keep"
        actions = {
            "undecodable": undecodable,
            "off_schema": off_schema,
            "on_conflict": on_conflict,
            "duplicates": duplicates,
            "near_duplicates": near_duplicates,
        }
        check(actions, label=label, has_schema=schema is not None, near=near)
        lists = {
            name: values.names("Cleaner", name, value)
            for name, value in (("keys", keys), ("images", images), ("texts", texts), ("sounds", sounds))
        }
        ignored = values.names("Cleaner", "ignore", ignore)
        spec = CleanerSpec(
            examples=examples,
            **({"schema": schema} if schema is not None else {}),
            **_given({**actions, "label": values.text("Cleaner", "label", label)}),
            **_json({**lists, "near": near_specs.checked(near, "Cleaner")}),
            **_json({"ignore": None if ignored == list(PLACES) else ignored}),
            **{EXAMPLES: Channel(type=standard_artifacts.Examples)},
            report=Channel(type=CleaningReport),
        )
        super().__init__(spec=spec)


def check(actions: Mapping[str, str | None], *, label: Any, has_schema: bool, near: Any) -> list[Spec] | None:
    """Check what is to be done, and that it can be.

    Args:
        actions: By parameter, one of `ACTIONS` or `None`.
        label: The feature of the label.
        has_schema: Whether there is a schema.
        near: Measures of nearness.

    Returns:
        The measures, with all defaults.

    Raises:
        DefinitionError: If an action is none of these, or a parameter lacks another.
    """
    for name, action in actions.items():
        values.chosen("Cleaner", name, action, ACTIONS)
    if actions["off_schema"] is not None and not has_schema:
        raise DefinitionError(
            f"Cleaner: off_schema is {actions['off_schema']!r}, and there is no schema.",
            "give one, schema=schema_gen.outputs.schema, or leave off_schema out.",
        )
    if actions["on_conflict"] is not None and label is None:
        raise DefinitionError(
            f"Cleaner: on_conflict is {actions['on_conflict']!r}, and no feature is named as the label.",
            "name it, label=..., or leave on_conflict out.",
        )
    if near is not None and actions["near_duplicates"] is None:
        raise DefinitionError(
            "Cleaner: near is given, and near_duplicates does not say what is to be done.",
            'add near_duplicates="keep", "drop" or "quarantine", or leave near out.',
        )
    return near_specs.checked(near, "Cleaner")


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _json(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in arguments.items() if value is not None}
