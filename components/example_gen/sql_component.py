"""The declaration of SqlExampleGen. Light."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.components.example_gen.component import SourceExampleGen
from headrace.errors import DefinitionError
from headrace.sources.sql import sql_text
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2

_NAME = "SqlExampleGen"


class SqlExampleGen(SourceExampleGen):
    """Read what a query of a database returns into `tf.train.Example` records, divided into splits.

    The database is one that SQLAlchemy knows; SQLite needs nothing more, others the package of their driver. It is only
    read. Integers and booleans become integers; floats and decimals, 32-bit floats; texts and bytes stay; dates and times
    become texts in ISO's form; NULL is missing. Rows come in the order of the query: without an ORDER BY it is the
    database's own.

    A database does not tell whether its content changed, so the node runs each time, unless a `version_query` tells.
    Columns that are new, gone or of another kind since the run before in the same store are said, in the run's line and on
    the artifact's page. A connection that is lost is made again, up to five times in a row after 1 to 16 seconds, and
    reading goes on where it was once the same rows came again.

    Outputs:
        examples: `Examples`, one folder for each split; see `CsvExampleGen`.

    Args:
        address: The database's address in SQLAlchemy's form, such as `"sqlite:///data/trips.db"` or
            `"postgresql://me:${DB_PASSWORD}@host/trips"`. `${NAME}` is taken from the environment where the node runs,
            `"${DB_URL}"` the whole address; a password is refused, as addresses are recorded with the run.
        query: A query, or the name of a table.
        input_config: Named splits, each with a query or table as its pattern, in the place of `query`.
        output_config: See `CsvExampleGen`.
        range_config: Which span to read. Default: the latest. Needs `span_column`.
        parameters: Values of `:name` in the queries, as plain values: they are recorded.
        span_column: A column of integers or dates: each value is a span, a date by the days since 1970 as TFX counts
            them, and only the rows of one are read.
        partition_column: A column of numbers or dates, by whose ranges the query is read in parallel, in its order. The
            ranges are asked for one by one, each on a connection of its own.
        version_query: A query whose first row changes where the content does, for the cache, such as
            `"SELECT MAX(updated_at), COUNT(*) FROM trips"`. It is asked again after reading.
        output_data_format: See `CsvExampleGen`.
        num_shards: Files per split. Default: one; with `partition_column`, by the number of rows.
        on_error: What becomes of a row with a value that tf.Example cannot hold: `"fail"` or `"quarantine"`; see
            `SourceExampleGen`.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`.

    Raises:
        DefinitionError: If a parameter cannot be used as given, or what is given is no query.

    The driver and the executor raise `SetupError` for a missing driver or variable, `MissingFileError`,
    `UnreachableError`, and `DataError` with the database's message.

    Example:
        >>> example_gen = SqlExampleGen("sqlite:///data/trips.db", "SELECT * FROM trips WHERE miles > 0")
        >>> sorted(example_gen.outputs)
        ['examples']
    """

    SOURCE = "headrace.sources.sql.sql_source:SqlSource"

    def __init__(
        self,
        address: str,
        query: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        *,
        parameters: Mapping[str, object] | None = None,
        span_column: str | None = None,
        partition_column: str | None = None,
        version_query: str | None = None,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        on_error: str = "fail",
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        sql_text.check_address(address, _NAME)
        parameters = dict(parameters or {})
        config = _input_config(query, input_config)
        for split in config.splits:
            where = (
                f"{_NAME}: query" if query is not None else f"{_NAME}: the pattern of split '{split.name}'"
            )
            sql_text.check_query(split.pattern, parameters, where)
        if version_query is not None:
            names = sql_text.placeholders(version_query) if isinstance(version_query, str) else []
            given = {name: value for name, value in parameters.items() if name in names}
            sql_text.check_query(version_query, given, f"{_NAME}: version_query")
        for key, column in (("span_column", span_column), ("partition_column", partition_column)):
            if column is not None and (not isinstance(column, str) or not column):
                raise DefinitionError(f"{_NAME}: {key} is {column!r}.", "give the name of a column.")
        given_options = {
            "parameters": parameters or None,
            "span_column": span_column,
            "partition_column": partition_column,
            "version_query": version_query,
        }
        # What is not given is not recorded: the cache keys stay where an option is added.
        options = {key: value for key, value in given_options.items() if value is not None}
        super().__init__(
            {"address": address, **options},
            None,
            config,
            output_config,
            range_config,
            output_data_format=output_data_format,
            num_shards=num_shards,
            on_error=on_error,
            splits=splits,
            split_by=split_by,
        )


def _input_config(query: str | None, input_config: ProtoLike | None) -> example_gen_pb2.Input:
    if (query is None) == (input_config is None):
        what = (
            "neither query nor input_config is given"
            if query is None
            else "query and input_config are both given"
        )
        raise DefinitionError(
            f"{_NAME}: {what}.", "give query for one split, input_config with a query for each of several."
        )
    if query is not None:
        if not isinstance(query, str):
            raise DefinitionError(f"{_NAME}: query is {query!r}.", "give a text.")
        return example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="single_split", pattern=query)])
    return to_proto(input_config, example_gen_pb2.Input, f"{_NAME}: input_config")
