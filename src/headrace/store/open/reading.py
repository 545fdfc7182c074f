"""A store that is opened to read alone: nothing of it is made, mended, locked or written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.authoring.light import authoring
from headrace.errors import StoreError
from headrace.store.open import relocation, sqlite_files, strangers
from headrace.store.open.store import Store, insisting
from headrace.store.open.write_queue import WriteQueue

with authoring():
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2


class ReadStore(Store):
    """One store, opened by one process to read; safe to use from its threads.

    It takes the arguments of `Store`, and needs neither the right to write nor any lock: other processes may write
    meanwhile, and what they write is seen. SQLite keeps files of its own beside the database, `metadata.db-shm` and
    `metadata.db-wal`. A store that this user cannot write is read from a copy of the database, as it is at opening.
    Of one that was moved since it was opened to write, whose records name old places, the places of today are told.
    """

    _how_to_open = "use it inside `with headrace.open_store(...) as store:`."

    @contextlib.contextmanager
    def open(self) -> Iterator[Store]:
        """Connect, and disconnect at the end.

        Raises:
            StoreError: If there is no store, nothing is recorded in it, it is from elsewhere and has links where files
                belong, or its database cannot be read.
        """
        self.check_exists()
        if self._is_read_only():
            with self._copy() as copied_path:
                yield from self._opened(copied_path)
            return
        try:
            strangers.refuse_links(self.path, is_read=True)
        except OSError as error:
            raise StoreError(
                f"the store {self.path} cannot be read: {error}.", "make its folder readable."
            ) from error
        yield from self._opened("")

    def _connect(self, copied_path: str) -> Any:
        path = "" if self.connection_config is not None else copied_path or self.database_path
        queue = WriteQueue(os.path.join(self.path, "write.lock"), path, lambda text: self.report(text))
        try:
            # Only its reading methods are called: none of them waits for the lock.
            mlmd_store = queue.call(
                "GetStore", lambda: insisting(lambda: mlmd.MetadataStore(self._config(path)))
            )
        except RuntimeError as error:
            if path:
                self._explain(error)
            raise
        queue.attach(mlmd_store)
        if path and not copied_path and (moved := relocation.moves(self.path)):
            relocation.follow(mlmd_store, moved)
        return _Handle(mlmd_store)

    def _explain(self, error: RuntimeError) -> None:
        """Raise what is wrong with the SQLite file, where the words of ML Metadata tell."""
        for words in ("file is not a database", "database disk image is malformed"):
            if words in str(error):
                raise sqlite_files.damage_error(self.database_path, words) from error
        # It makes the tables that it misses, and some are there while the first run makes them.
        if "readonly" in str(error) or "subset of tables" in str(error):
            raise StoreError(
                f"nothing is recorded in the store {self.path} yet.",
                "wait until the first run has begun, or start one: headrace run taxi",
            ) from error

    def _config(self, path: str) -> metadata_store_pb2.ConnectionConfig:
        if self.connection_config is not None:
            return self.connection_config
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = path
        config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
        return config


@dataclass
class _Handle:
    """As much of TFX's metadata handle as readers use.

    Attributes:
        store: ML Metadata's store.
    """

    store: Any

    def __exit__(self, *_: object) -> None:
        self.store = None
