"""The declaration of JsonExampleGen. Light."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike
from headrace.components.example_gen.component import SourceExampleGen
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2


class JsonExampleGen(SourceExampleGen):
    """Read files of JSON objects into `tf.train.Example` records, divided into splits.

    A file holds an object in each line, or is one array of objects, which its first character tells; it may be packed by
    gzip or zstd. An object in an object becomes features with dots in their names, such as `user.age`. A list of numbers
    or texts holds several values. `null`, an empty list and a missing key are a feature without a value. Types are those
    of all files of a split: with one fraction, a feature is of 32-bit floats; true is 1; texts that look like times stay
    texts. Blank lines are passed over.

    Files of lines are cut and read side by side, in memory of a few blocks. An array is read by one worker, one object
    after the other, so in the memory of one object; after a fault in its syntax, the rest of it cannot be read.

    Outputs:
        examples: `Examples`, one folder for each split; see `CsvExampleGen`.

    Args:
        input_base: The folder that holds the files, or its address.
        input_config: See `CsvExampleGen`.
        output_config: See `CsvExampleGen`.
        range_config: See `CsvExampleGen`.
        rename: New names of features, by the old, as in `{"user.age": "age"}`.
        output_data_format: See `CsvExampleGen`.
        num_shards: See `CsvExampleGen`.
        on_error: What becomes of a line that is no JSON object, names a key twice, is longer than 64 MiB, or holds what
            no feature can hold: a value of another kind than in an object before (both lines are named), an integer beyond
            64 bits, a list with null, lists or objects in it. `"fail"` or `"quarantine"`; see `SourceExampleGen`.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`.

    Raises:
        DefinitionError: If a parameter cannot be used as given.

    Example:
        >>> example_gen = JsonExampleGen(
        ...     input_base="events", input_config={"splits": [{"name": "rows", "pattern": "*.jsonl.gz"}]}
        ... )
        >>> sorted(example_gen.outputs)
        ['examples']
    """

    SOURCE = "headrace.sources.json.json_source:JsonSource"

    def __init__(
        self,
        input_base: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        *,
        rename: Mapping[str, str] | None = None,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        on_error: str = "fail",
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        super().__init__(
            {"rename": dict(rename)} if rename else {},
            input_base,
            input_config,
            output_config,
            range_config,
            output_data_format=output_data_format,
            num_shards=num_shards,
            on_error=on_error,
            splits=splits,
            split_by=split_by,
        )
