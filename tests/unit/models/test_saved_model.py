"""The files of a model, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_models

from headrace.errors import ModelError
from headrace.models import saved_model
from headrace.models.description import describe
from headrace.models.saved_model import SavedModel

SIGNATURE = (small_models.EXAMPLES, small_models.SCORES)


def test_no_model_says_where_one_was_looked_for(tmp_path: Path):
    with pytest.raises(ModelError) as caught:
        SavedModel(str(tmp_path), "node: model")

    assert caught.value.problem == f"node: model: there is no SavedModel in {tmp_path} (no saved_model.pb)."


def test_a_damaged_model_says_so(tmp_path: Path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff\xff")

    with pytest.raises(ModelError, match=f"node: {tmp_path}/saved_model.pb is damaged: "):
        SavedModel(str(tmp_path), "node")


def test_a_model_that_was_cut_off_to_nothing_is_damaged(tmp_path: Path):
    (tmp_path / "saved_model.pb").touch()

    with pytest.raises(
        ModelError, match=f"node: {tmp_path}/saved_model.pb is damaged: there is no graph in it"
    ):
        SavedModel(str(tmp_path), "node")


def test_signatures_are_those_of_the_graph_with_the_tags(tmp_path: Path):
    """TensorFlow's own, which initialize the model, are none; a graph with more tags is another one."""
    small_models.write(
        tmp_path,
        (["serve"], {"serving_default": SIGNATURE, "__saved_model_init_op": SIGNATURE}),
        (["serve", "gpu"], {"fast": SIGNATURE}),
        (["eval"], {"eval": SIGNATURE}),
    )
    files = SavedModel(str(tmp_path), "node")

    assert sorted(files.signatures) == ["eval", "fast", "serving_default"]
    assert sorted(files.tagged_signatures([], "tag")) == ["serving_default"]
    assert sorted(files.tagged_signatures(["gpu", "serve"], "tag")) == ["fast"]


def test_tags_that_no_graph_has_name_those_there_are(tmp_path: Path):
    files = SavedModel(small_models.serving(tmp_path), "node")

    with pytest.raises(ModelError) as caught:
        files.tagged_signatures(["tpu"], "tag in model_spec")

    assert str(caught.value) == (
        f"node: the model ({tmp_path}) has no graph with the tags 'tpu'. It has graphs with [['serve']].\n"
        "  Fix: correct tag in model_spec."
    )


def test_a_model_without_signatures_has_none(tmp_path: Path):
    """It can be loaded all the same."""
    files = SavedModel(small_models.write(tmp_path, (["serve"], {})), "node")

    assert files.tagged_signatures([], "tag") == {}


def test_models_are_found_wherever_they_lie(tmp_path: Path):
    for name in ("b", "a/deep"):
        small_models.serving(tmp_path / name)

    assert list(saved_model.folders(str(tmp_path))) == [f"{tmp_path}/a/deep", f"{tmp_path}/b"]


def test_a_description_tells_signatures_size_and_assets(tmp_path: Path):
    path = small_models.write(tmp_path, (["serve"], {"b": SIGNATURE, "a": SIGNATURE}))
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "words").write_bytes(b"12345")

    found = describe(SavedModel(path, "node"))

    assert [signature.name for signature in found.signatures] == ["a", "b"]
    assert found.assets == ["words"]
    assert found.size_bytes == (tmp_path / "saved_model.pb").stat().st_size + 5
    assert (found.variables, found.layers, found.tensorflow_version) == ([], [], "")
