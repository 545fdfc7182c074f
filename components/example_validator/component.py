"""The declaration of `ExampleValidator`. Light: TFDV loads with its executor."""

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
    NamedExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
)
from headrace.authoring.generations import HAS_CUSTOM_VALIDATION
from headrace.authoring.plain_values import ProtoLike, as_names
from headrace.checks import rows as row_specs
from headrace.checks.values import Spec
from headrace.components.example_validator import drift_settings, validation_config
from headrace.errors import DefinitionError, did_you_mean, listed

FAIL_ON = ("never", "error", "any")

_CUSTOM_VALIDATION = "custom_validation_config"


class ExampleValidatorSpec(ComponentSpec):
    """Keys and types of `ExampleValidator`: those of the stock component, and what Headrace adds."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads plain dicts here
        "exclude_splits": ExecutionParameter(type=str, optional=True),
        "baseline_split": ExecutionParameter(type=str, optional=True),
        "fail_on": ExecutionParameter(type=str, optional=True),
        "baseline": ExecutionParameter(type=str, optional=True),
        "drift": ExecutionParameter(type=str, optional=True),
        "drift_measure": ExecutionParameter(type=str, optional=True),
        "checks": ExecutionParameter(type=str, optional=True),
    }
    if HAS_CUSTOM_VALIDATION:  # where it does not, stock TFX does not declare the parameter either
        PARAMETERS[_CUSTOM_VALIDATION] = ExecutionParameter(
            type=validation_config.CustomValidationConfig, optional=True, use_proto=True
        )
    INPUTS = {  # noqa: RUF012
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "baseline_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
    }


class RowChecksSpec(ExampleValidatorSpec):
    """Keys and types of an `ExampleValidator` that looks at rows, for which statistics are not needed."""

    INPUTS = {  # noqa: RUF012
        **ExampleValidatorSpec.INPUTS,
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
        "schema": ChannelParameter(type=standard_artifacts.Schema, optional=True),
    }


class ExampleValidatorOutputs(Outputs):
    """What `ExampleValidator` makes."""

    anomalies: OutputOf[standard_artifacts.ExampleAnomalies]


class ExampleValidator(Component[ExampleValidatorOutputs]):
    """Anomalies of each split: where its statistics contradict the schema, or moved from a baseline; and of its rows.

    It is given statistics and a schema, as in TFX, or examples and checks of their rows, or all of these.

    Outputs:
        anomalies: `ExampleAnomalies`, one `Split-{name}/SchemaDiff.pb` (a serialized `Anomalies`) per kept
            split. Its property `blessed` maps each split to 1, or to 0 where it has anomalies. Where rows were
            checked, `RowFindings.json` beside it holds some of those in which something was found.

    Args:
        statistics: Channel of `ExampleStatistics`.
        schema: Channel of `Schema`.
        exclude_splits: The split to leave out, such as `"eval"`, or several.
        custom_validation_config: A mapping or TFDV's `CustomValidationConfig`: SQL conditions on statistics.
            Only where the installed TFDV has it: that of TFX 1.16 does, that of TFX 1.21 does not.
        baseline_statistics: Channel of `ExampleStatistics` of another span. A split is compared with the
            split of the same name there: drift, for features whose `drift_comparator` the schema sets.
        baseline: `"previous"`: the statistics of the newest span before the one at hand, which the same node of this
            pipeline made; the same when a span is run again or resumed. The first span has none, and the summary
            says so. Instead of `baseline_statistics`.
        drift: How far a feature may move from the baseline: a distance from 0 to 1 for all features, or for those that
            are named, `{"alcohol": 0.2}`. By default 0.1 where `baseline` is given (0.01 for `"bins"`). A feature has
            drifted where its distance is above this and above what chance reaches with so many rows: one false alarm
            in a hundred comparisons of a split, over all features. The share of missing values is measured beside.
            Anomalies are TFX's `COMPARATOR_..._HIGH`; `Drift.json` beside `SchemaDiff.pb` holds all that was measured.
        drift_measure: `"ks"` (by default): Kolmogorov and Smirnov's distance of numbers, total variation of other
            values. `"bins"`: Jensen-Shannon divergence of bins that the baseline fixes, its deciles and values.
            `"tfdv"`: TFDV's own, L-infinity and Jensen-Shannon, without a noise level; on few rows with long tails
            it finds drift where there is none.
        baseline_split: A split of `statistics`, such as `"train"`. The others are compared with it: skew,
            for features whose `skew_comparator` the schema sets.
        fail_on: `"never"` (as TFX does): anomalies are written and shown, and stop nothing. `"error"`:
            anomalies of severity ERROR stop the pipeline, warnings do not. `"any"`: each anomaly does. A check
            may say otherwise of its own.
        examples: Channel of `Examples`, whose rows are checked.
        checks: What is looked for in rows: what functions of `headrace.checks` return.

    Raises:
        DefinitionError: If `fail_on`, `baseline`, `drift` or `drift_measure` has a value that it cannot have, or there is
            nothing to compare with.
        UnsupportedFeatureError: If `custom_validation_config` is given and the installed TFDV has none.

    Example:
        >>> anomalies = ExampleValidator(
        ...     statistics=statistics.outputs["statistics"],
        ...     schema=schema.outputs["schema"],
        ...     baseline_split="train",
        ...     fail_on="error",
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = ExampleValidatorSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.example_validator.executor.Executor")
    TFX_TYPE = "tfx.components.example_validator.component.ExampleValidator"
    INPUT_FILES = ()

    def __init__(
        self,
        statistics: BaseChannel | None = None,
        schema: BaseChannel | None = None,
        exclude_splits: str | Sequence[str] | None = None,
        custom_validation_config: ProtoLike | None = None,
        *,
        baseline_statistics: BaseChannel | None = None,
        baseline_split: str | None = None,
        fail_on: str = "never",
        baseline: str | None = None,
        drift: float | Mapping[str, float] | None = None,
        drift_measure: str | None = None,
        examples: BaseChannel | None = None,
        checks: Sequence[Spec] | None = None,
    ) -> None:
        check_fail_on(fail_on, "ExampleValidator")
        of_rows = row_inputs(examples, checks, statistics, schema)
        if statistics is None and any(one is not None for one in (baseline, drift, drift_measure)):
            raise DefinitionError(
                "ExampleValidator: drift is asked for, and there are no statistics of which it could be told.",
                "give statistics and schema as well.",
            )
        drift_parameters = drift_settings.parameters(
            baseline,
            drift,
            drift_measure,
            has_channel=baseline_statistics is not None,
            where="ExampleValidator",
        )
        custom_validation = {}
        if custom_validation_config is not None:
            custom_validation[_CUSTOM_VALIDATION] = validation_config.convert(custom_validation_config)
        spec = (RowChecksSpec if of_rows else ExampleValidatorSpec)(
            statistics=statistics,
            schema=schema,
            baseline_statistics=baseline_statistics or drift_settings.channel(baseline, statistics),
            exclude_splits=json.dumps(as_names(exclude_splits, "ExampleValidator: exclude_splits")),
            **custom_validation,
            baseline_split=baseline_split,
            fail_on=fail_on,
            **drift_parameters,
            **of_rows,
            anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
        )
        super().__init__(spec=spec, custom_executor_spec=_of_rows() if of_rows else None)


def _of_rows() -> NamedBeamExecutorSpec:
    return NamedBeamExecutorSpec("headrace.components.example_validator.checks_executor.Executor")


def row_inputs(
    examples: BaseChannel | None,
    checks: Sequence[Spec] | None,
    statistics: BaseChannel | None,
    schema: BaseChannel | None,
) -> dict[str, Any]:
    """Return what checks of rows add to the arguments of the specification; nothing where there are none.

    Raises:
        DefinitionError: If checks have no examples or the other way round, one of them is malformed, or statistics
            have no schema.
    """
    if examples is None and checks is None:
        return {}
    if examples is None or checks is None:
        given, missing = ("checks", "examples") if examples is None else ("examples", "checks")
        raise DefinitionError(
            f"ExampleValidator: {given} is given, and {missing} is not: checks look at the rows of examples.",
            f"give {missing} as well: examples=rows.outputs.examples, checks=[headrace.checks.duplicates()].",
        )
    if statistics is not None and schema is None:
        raise DefinitionError(
            "ExampleValidator: statistics is given, and the schema that they are compared with is not.",
            "give schema as well, or leave statistics out.",
        )
    return {"examples": examples, "checks": json.dumps(row_specs.checked(checks, "ExampleValidator"))}


def check_fail_on(value: Any, where: str) -> None:
    """Check the parameter `fail_on`.

    Raises:
        DefinitionError: If the value is none of `FAIL_ON`.
    """
    if value not in FAIL_ON:
        raise DefinitionError(
            f"{where}: fail_on is {value!r}. It can be {listed(FAIL_ON)}.",
            f"{did_you_mean(str(value), FAIL_ON)}Leave it out, and anomalies stop nothing.",
        )
