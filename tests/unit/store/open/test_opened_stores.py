"""One store that a process opens under two names, or again."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.authoring.light import authoring
from headrace.errors import StoreError
from headrace.store.open.store import Store

with authoring():
    from ml_metadata import errors as mlmd_errors
    from ml_metadata.proto import metadata_store_pb2


def test_a_store_is_the_same_under_a_links_name(tmp_path: Path):
    """Python's SQLite must not touch what ML Metadata has open: closing it would drop ML Metadata's locks."""
    (tmp_path / "link").symlink_to(tmp_path / "project")

    with Store(str(tmp_path / "project" / "store")).open():
        linked = Store(str(tmp_path / "link" / "store"))
        assert linked.read_sqlite(lambda connection: 1) is None

    assert linked.read_sqlite(lambda connection: 1) == 1


def test_a_disk_that_was_full_is_not_full_for_ever(tmp_path: Path):
    """A notebook's store is opened again when there is space."""
    store = Store(str(tmp_path / "store"))
    with store.open():
        with pytest.raises(StoreError, match="cannot be written"), store.handle():
            raise mlmd_errors.InternalError("database or disk is full")
        with pytest.raises(StoreError, match="cannot be written"), store.handle():
            raise mlmd_errors.AbortedError("cannot start a transaction within a transaction")

    with store.open(), pytest.raises(mlmd_errors.NotFoundError), store.handle():
        raise mlmd_errors.NotFoundError("no such context")


def test_a_database_that_was_there_before_the_folder_is_used(tmp_path: Path):
    """A pipeline that ran under TFX names its database; the store's folder is made at its first run here."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "tfx.db")
    with Store(str(tmp_path / "first"), config).open():
        pass

    with Store(str(tmp_path / "second"), config).open() as store:
        store.check_writable()

    assert (tmp_path / "second" / "metadata_at").exists()
