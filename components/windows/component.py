"""The declaration of `Windows`. Light: Arrow and pandas load with its executor."""

from __future__ import annotations

import json
from collections.abc import Mapping

from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
    system_executions,
)
from headrace.errors import DefinitionError
from headrace.features import series
from headrace.splits.shares import parse_shares


class WindowsSpec(ComponentSpec):
    """Keys and types of `Windows`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "windows": ExecutionParameter(type=str),
        "splits": ExecutionParameter(type=str),
    }
    INPUTS = {"examples": ChannelParameter(type=standard_artifacts.Examples)}  # noqa: RUF012
    OUTPUTS = {"windowed_examples": ChannelParameter(type=standard_artifacts.Examples)}  # noqa: RUF012
    TYPE_ANNOTATION = system_executions.Process


class WindowsOutputs(Outputs):
    """What `Windows` makes."""

    windowed_examples: OutputOf[standard_artifacts.Examples]


class Windows(Component[WindowsOutputs]):
    """Rows of a series as what was known at each time and what came after, divided by time.

    The raw rows of all splits are put together, whatever split they were in. Each time whose window is whole becomes a
    row, and the first part of them is to train on, the next to evaluate on. What lies between is left out, so that no
    row of a later split uses a time, in its window or its target, at or before the last target of an earlier one.

    Inputs:
        examples: Channel of `Examples`, one value in each row for time and value; several spans count together. Of
            all rows the times, values and groups are in memory, some 150 bytes each; the rest lies on the disk.

    Outputs:
        windowed_examples: `Examples` of tf.Examples in the order of time, one file in each split, gzipped TFRecords. The
            features of a row: the other columns as they are at its time, `{value}_lag_{k}`, `{value}_{mean}_{n}` and
            the label `{value}_ahead_{horizon}`. The artifact's property `windows` holds what `headrace.features.series.
            read` makes `windows` of again, whose `latest` gives the same features of raw rows when it serves.

    Args:
        examples: See above.
        windows: Of `headrace.features.windows`, or a mapping of its arguments.
        splits: The share of each split by name, in the order of time; such as `{"train": 3, "valid": 1, "eval": 1}`.

    Raises:
        DefinitionError: If the windows are none, or a share is not above 0.

    Example:
        >>> rows = Windows(
        ...     example_gen.outputs["examples"],
        ...     windows=windows(time="time", value="temp", lags=range(48), horizon=24),
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = WindowsSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.windows.executor.Executor")
    INPUT_FILES = ()

    def __init__(
        self,
        examples: BaseChannel,
        windows: series.Windows | Mapping[str, object],
        splits: Mapping[str, float] | None = None,
    ) -> None:
        if splits is not None and not isinstance(splits, Mapping):
            raise DefinitionError(
                f"Windows: splits is {splits!r}.", "give the share of each: splits={'train': 3, 'eval': 1}."
            )
        shares = {"train": 3, "eval": 1} if splits is None else dict(splits)
        # Names of folders, and shares above 0; what is recorded stays as it is given.
        parse_shares(shares, "Windows: splits")
        super().__init__(
            spec=WindowsSpec(
                examples=examples,
                windows=series.read(windows).to_text(),
                splits=json.dumps(shares),
                windowed_examples=Channel(type=standard_artifacts.Examples),
            )
        )
