"""Which rows a sample takes: others of each file, the same ones each time."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
import tensorflow_data_validation as tfdv

from headrace.components.statistics_gen.parts import Part, ReadPart
from headrace.formats.examples import tfrecord
from headrace.runtime.progress import Progress

_NUM_ROWS = 200


def _write(path: Path) -> str:
    """A file of rows that are numbered."""
    rows = []
    for number in range(_NUM_ROWS):
        example = tf.train.Example()
        example.features.feature["row"].int64_list.value.append(number)
        rows.append(example.SerializeToString())
    with tfrecord.Writer(str(path)) as writer:
        writer.write(rows)
    return str(path)


def _sampled(paths: list[str], first_file: int) -> list[list[int]]:
    """The rows that were taken of each file of a part."""
    options = {"train": tfdv.StatsOptions(sample_rate=0.5)}
    found = []
    for offset, _ in enumerate(paths):
        parts = [
            Part("train", 0, 0, first_file, tuple(paths[: offset + count]), "FORMAT_TF_EXAMPLE")
            for count in (0, 1)
        ]
        before, after = (
            [
                value
                for batch in ReadPart(options, Progress()).process(part)
                for [value] in batch.column(batch.schema.get_field_index("row")).to_pylist()
            ]
            for part in parts
        )
        found.append(after[len(before) :])
    return found


def test_files_of_equal_rows_give_different_samples(tmp_path: Path):
    """Files are often parts of one list: the same places of each would be no sample of it."""
    paths = [_write(tmp_path / f"data-{number}.gz") for number in range(3)]

    first, second, third = _sampled(paths, 0)

    assert first != second != third != first
    assert all(_NUM_ROWS * 0.3 < len(rows) < _NUM_ROWS * 0.7 for rows in (first, second, third))
    assert _sampled(paths, 0) == [first, second, third]
    assert _sampled(paths[1:], 1) == [second, third], "how files are dealt out to parts does not matter"
