"""The file of quartiles beside a split's statistics."""

from __future__ import annotations

import math

import pytest

from headrace.errors import MalformedFileError
from headrace.formats import quartiles


def test_what_an_earlier_version_wrote_is_read(tmp_path):
    """Infinite ones too; a folder without the file has none."""
    assert quartiles.read(str(tmp_path)) == {}

    (tmp_path / quartiles.QUARTILES_FILE).write_text('{"a": [-1.0, 2.0], "b": [0.5, Infinity]}')

    assert quartiles.read(str(tmp_path)) == {"a": (-1.0, 2.0), "b": (0.5, math.inf)}


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"a": 1}', '{"a": [1]}', '{"a": ["x", 2]}', '{"a": [1, null]}']
)
def test_a_file_of_another_form_is_named(tmp_path, content):
    """It may come from elsewhere."""
    path = tmp_path / quartiles.QUARTILES_FILE
    path.write_text(content)

    with pytest.raises(MalformedFileError) as caught:
        quartiles.read(str(tmp_path))

    assert caught.value.problem.startswith(f"{path} is not a file of quartiles: ")
