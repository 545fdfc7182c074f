"""All splits are read from one span and one version of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.authoring.light import authoring
from headrace.errors import DataError
from headrace.sources import spans

with authoring():
    from tfx.proto import example_gen_pb2


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["train-1-1", "eval-1-1"], (1, 1)),
        (["train-1-2", "eval-1-2", "train-1-1", "eval-1-1"], (1, 2)),
        (["train-1-1", "train-1-2", "eval-1-1"], "span 1 version 2 .* span 1 version 1"),
        (["train-1-1", "eval-1-1", "eval-1-2"], "span 1 version 1 .* span 1 version 2"),
        (["train-1-1", "train-2-1", "eval-1-1"], "span 2 version 1 .* span 1 version 1"),
        (["train-2-1", "eval-1-1", "eval-1-2"], "span 2 version 1 .* span 1 version 2"),
    ],
)
def test_a_split_that_lacks_the_latest_is_named(
    tmp_path: Path, files: list[str], found: tuple[int, int] | str
):
    """Rows of a correction beside rows that were not corrected would pass for one set of data."""
    for name in files:
        (tmp_path / name).touch()
    splits = [
        example_gen_pb2.Input.Split(name=name, pattern=f"{name}-{{SPAN}}-{{VERSION}}")
        for name in ("train", "eval")
    ]

    if isinstance(found, str):
        with pytest.raises(DataError, match=found):
            spans.resolve(str(tmp_path), splits, None)
        return
    resolved = spans.resolve(str(tmp_path), splits, None)
    assert (resolved.span, resolved.version) == found
