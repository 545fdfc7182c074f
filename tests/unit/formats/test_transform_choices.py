"""The file of what `default_preprocessing` took features for, in a TransformGraph."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.errors import MalformedFileError
from headrace.formats import transform_graphs


def test_choices_are_read_as_they_were_written(tmp_path: Path):
    """In the order of the schema; a graph of the user's own function has none, and no file."""
    transform_graphs.write_choices(str(tmp_path), [])
    assert (list(tmp_path.iterdir()), transform_graphs.read_choices(str(tmp_path))) == ([], [])

    choices = [
        ("größe", "number", "numbers with fractions"),
        ("id", "id", "nearly every row has a value of its own"),
    ]
    transform_graphs.write_choices(str(tmp_path), choices)

    assert transform_graphs.read_choices(str(tmp_path)) == choices


@pytest.mark.parametrize(
    "text", ["[]", '{"format": 1}', '{"format": 1, "features": [{"feature": "x"}]}', '{"format": 9}']
)
def test_another_content_is_named(tmp_path: Path, text: str):
    """The file, and what it should hold."""
    (tmp_path / transform_graphs.CHOICES_FILE).write_text(text)

    with pytest.raises(MalformedFileError, match=r"TakenFor\.json .*what features were taken for"):
        transform_graphs.read_choices(str(tmp_path))
