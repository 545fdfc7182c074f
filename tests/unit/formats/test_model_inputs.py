"""What the matrix of a model is made of, beside the SavedModel."""

from __future__ import annotations

import pytest

from headrace.errors import MalformedFileError
from headrace.formats import model_inputs


def test_the_order_of_the_columns_is_kept_with_the_model(tmp_path):
    model_inputs.write(str(tmp_path), [("pH", 1), ("pixels", 784), ("alcohol", 1)])
    assert model_inputs.read(str(tmp_path)) == (("pH", 1), ("pixels", 784), ("alcohol", 1))
    assert (tmp_path / "assets.extra" / "headrace_inputs.json").exists()


def test_of_a_model_that_takes_features_by_name_nothing_is_known(tmp_path):
    assert model_inputs.read(str(tmp_path)) == ()


def test_another_content_is_told(tmp_path):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "headrace_inputs.json").write_text('{"format": 1, "matrix": [3]}')
    with pytest.raises(MalformedFileError, match="is not the inputs of a model"):
        model_inputs.read(str(tmp_path))
