"""What Headrace builds on of the private parts of Beam, TensorFlow, Keras, ML Metadata and TFT's loader of graphs."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from apache_beam.transforms import combiners as beam_combiners
from apache_beam.utils import interactive_utils
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from planted import anew
from tensorflow.python.saved_model import fingerprinting_utils, path_helpers

from headrace.components.evaluator import tfma_internals
from headrace.errors import StoreError, UnsupportedFeatureError
from headrace.formats import tensorflow_internals
from headrace.internals import UnknownForm
from headrace.models import tft_internals
from headrace.models.exporters import keras_exporter as export
from headrace.runtime import beam_internals
from headrace.store.garbage.inventory import take_inventory
from headrace.store.open import mlmd_internals, relocation, sqlite_files
from headrace.store.open.relocation import Move
from headrace.store.open.store import Store


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A store's database, with nothing in it."""
    store = Store(str(tmp_path / "store"))
    with store.open():
        pass
    return store.database_path


def test_beams_parts_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the in-process runner nothing runs, and the import says so."""
    combined = beam_combiners.SingleInputTupleCombineFn(sum, max)
    assert len(tfma_internals.combiners_of(combined) or []) == 2
    assert callable(interactive_utils.is_in_ipython)
    monkeypatch.delattr("apache_beam.runners.portability.fn_api_runner.FnApiRunner")

    with pytest.raises(UnknownForm, match=r"^Beam 2\.\d+\.\d+ is another one: .*FnApiRunner"):
        anew(beam_internals)


def test_combiners_that_beam_keeps_elsewhere_are_set_up_by_it() -> None:
    """Not none of them, as if there were none."""
    combined = beam_combiners.SingleInputTupleCombineFn(sum, max)
    vars(combined)["_renamed"] = vars(combined).pop("_combiners")

    assert tfma_internals.combiners_of(combined) is None


def test_tensorflows_parts_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where one is renamed, TensorFlow does as it does without Headrace."""
    replaced: list[Any] = []
    own = path_helpers.get_variables_path
    assert tensorflow_internals.replace_variables_path(lambda given: replaced.append(given) or given)
    assert replaced == [own]
    tf.saved_model.save(tf.Module(), str(tmp_path / "model"))
    assert tensorflow_internals.write_fingerprint(str(tmp_path / "model"))
    monkeypatch.delattr(path_helpers, "get_variables_path")
    monkeypatch.delattr(fingerprinting_utils, "write_fingerprint")

    assert not tensorflow_internals.replace_variables_path(lambda given: given)
    assert not tensorflow_internals.write_fingerprint(str(tmp_path / "model"))


def test_keras_tells_whether_a_loss_expects_logits() -> None:
    """Through its configuration, as every loss of Keras and any made of them."""

    class Own(keras.losses.BinaryCrossentropy):
        pass

    for kind in (keras.losses.BinaryCrossentropy, keras.losses.SparseCategoricalCrossentropy, Own):
        assert export._expects_logits(kind(from_logits=True))
        assert not export._expects_logits(kind())
    assert not export._expects_logits("mse")


def test_the_loader_of_transform_graphs_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that needs more than it says would fail in serving."""

    class Loader:
        def __init__(self, path: str) -> None:
            self._imported = self._structured_inputs = self._func_graph = None

    monkeypatch.setattr(tft_internals.saved_transform_io_v2, "SavedModelLoader", Loader)

    with pytest.raises(UnsupportedFeatureError, match=r"^TFT 1\..* without _output_to_inputs_map"):
        tft_internals.TransformLoader("")


def test_mlmds_calls_wait_in_the_queue(tmp_path: Path) -> None:
    """As long as they have the form that is known."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.db")
    mlmd, names = MetadataStore(config), []

    def queue(name: str, ask: Any) -> Any:
        names.append(name)
        return ask()

    assert mlmd_internals.queue_calls(mlmd, queue)
    assert mlmd.get_artifacts() == []
    assert names == ["GetArtifacts"]


@pytest.mark.parametrize("name", ["_call", "_call_method"])
def test_mlmds_calls_of_another_form_do_not_wait(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLMD tries five times, as without Headrace; a store that was moved and can only be read is refused."""
    monkeypatch.setattr(MetadataStore, name, lambda self, request: None)
    found, mlmd = anew(mlmd_internals), type("Store", (), {})()

    assert not found.queue_calls(mlmd, lambda name, ask: ask())
    assert not found.change_calls(mlmd, lambda name, request: None, lambda response: None)
    assert vars(mlmd) == {}
    monkeypatch.setattr(relocation, "mlmd_internals", found)
    with pytest.raises(StoreError, match="moved here from /old"):
        relocation.follow(mlmd, [Move("/old/store", "/new/store")])


def test_mlmds_tables_have_the_columns_that_are_read(database: str) -> None:
    """In a store that is new, and in one that is read."""
    with sqlite_files.connect(database) as connection:
        assert mlmd_internals.has_columns(connection, mlmd_internals.COLUMNS)
        assert mlmd_internals.has_columns(connection, mlmd_internals.PLACES)
    assert sqlite_files.read(database, lambda connection: 1) == 1


def test_tables_of_another_form_are_read_through_mlmd(database: str) -> None:
    """What garbage collection knows is the same; a store that was moved is refused."""
    store = Store(str(Path(database).parent))
    usual = take_inventory(store)
    read: list[Any] = []

    class Renamed(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> Any:
            return super().execute(
                statement.replace("PRAGMA table_info(Artifact)", "PRAGMA table_info(Artifacts)"), *values
            )

    with pytest.MonkeyPatch.context() as patch:
        original = sqlite3.connect
        patch.setattr(sqlite3, "connect", lambda *a, **k: original(*a, **{**k, "factory": Renamed}))
        assert sqlite_files.read(database, read.append) is None
        assert take_inventory(store) == usual
        with (
            sqlite_files.connect(database) as connection,
            pytest.raises(StoreError, match="moved here from /old"),
        ):
            relocation._correct(connection, Move("/old/store", "/new/store"))
    assert read == []
