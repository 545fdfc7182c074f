"""The declaration of DataFrameExampleGen. Light: libraries of tables are imported where a table is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike
from headrace.components.example_gen.component import ParquetExampleGen
from headrace.errors import DefinitionError, listed
from headrace.sources.frames import frame_features, frame_files, frame_tables
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2

_SINGLE = "single_split"


class DataFrameExampleGen(ParquetExampleGen):
    """Read a table in memory into `tf.train.Example` records, divided into splits.

    The table is written once, when the component is made, to `{folder}/{SHA-256}.parquet`, a file named by its content;
    from there the run reads it, in any process and under any of TFX's runners. So the same table is found in the cache,
    one changed cell is new, and a run can be resumed by a process that does not have the table: by making the component
    again, or as long as the file is there. Files are never changed; the folder can be removed when no run needs it, and
    `headrace gc`, which looks after artifacts, leaves it alone. Like that of the library that wrote the file, a new
    version of pyarrow may make other bytes of the same table, which then is new.

    Integers, booleans and nullable integers become integers; floats become 32-bit floats; texts, bytes and categories
    bytes; lists and numpy arrays lists, in row-major order. Dates and times become texts or seconds, see `dates`;
    durations, seconds as floats; decimals, floats. A missing value is a feature without a value.

    Outputs:
        examples: `Examples`, one folder for each split; see `CsvExampleGen`.

    Args:
        frame: A DataFrame of pandas or polars, an Arrow table, a record batch or a list of them, or a mapping of column
            names to arrays, columns or lists; or a mapping of split names to such tables, of which each becomes a split.
            The index of pandas is left out, which is said where it has a name.
        output_config: See `CsvExampleGen`.
        dates: What dates and times become: `"iso"`, texts such as `"2024-05-01T08:30:00+02:00"`, or `"unix"`, whole seconds
            since 1970 in UTC, as integers (a tf.Example's floats are too coarse for them).
        nan: `"missing"`, or `"keep"` as a value. By default what the table's library means: missing in pandas and numpy, a
            value in polars and Arrow, which have null.
        folder: Where the file is kept: on this machine, writable, and reachable from where the run reads.
        output_data_format: See `CsvExampleGen`.
        num_shards: See `CsvExampleGen`.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`.

    Raises:
        DefinitionError: If a parameter cannot be used as given.
        UnsupportedColumnError: If a column holds values of two types, naming both rows, or of one without a form.
        DataError: If two columns have one name, columns differ in length, or there are no rows.
        SetupError: If the folder cannot be written.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"fare": [1.5, 7.25], "paid": ["cash", None]})
        >>> example_gen = DataFrameExampleGen(frame, folder=tmp_folder)  # doctest: +SKIP
    """

    def __init__(
        self,
        frame: object,
        output_config: ProtoLike | None = None,
        *,
        dates: str = frame_features.ISO,
        nan: str | None = None,
        folder: str = frame_files.DEFAULT_FOLDER,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        name = type(self).__name__
        if dates not in frame_features.DATES:
            raise DefinitionError(
                f"{name}: dates is {dates!r}; it is one of {listed(frame_features.DATES)}.", "correct dates."
            )
        if nan not in (None, "missing", "keep"):
            raise DefinitionError(
                f"{name}: nan is {nan!r}; it is 'missing' or 'keep'.", "correct nan, or leave it out."
            )
        given: Mapping[Any, Any] = {_SINGLE: frame}
        is_of_splits = False
        if isinstance(frame, Mapping) and frame and all(map(frame_tables.is_frame, frame.values())):
            given, is_of_splits = frame, True
        tables = []
        for split, one in given.items():
            where = f"{name}: the table of split '{split}'" if is_of_splits else f"{name}: the table"
            keeps_nan = None if nan is None else nan == "keep"
            file = frame_files.keep(one, folder, dates=dates, keeps_nan=keeps_nan, where=where)
            tables.append({"name": str(split), "pattern": file})
        super().__init__(
            folder,
            {"splits": tables},
            output_config,
            output_data_format=output_data_format,
            num_shards=num_shards,
            splits=splits,
            split_by=split_by,
        )
