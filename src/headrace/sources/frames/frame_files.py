"""Tables in memory, kept as Parquet files that are named by what they hold."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING, Any

from headrace import files
from headrace.errors import EmptyDataError, SetupError
from headrace.files import addresses, whole_files
from headrace.sources.frames import frame_features, frame_tables

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_FOLDER = os.path.join(".headrace", "frames")
_GROUP_BYTES = 16 << 20
_MAX_GROUP_ROWS = 250_000


def keep(frame: Any, folder: str, *, dates: str, keeps_nan: bool | None, where: str) -> str:
    """Write a frame to `{folder}/{digest}.parquet`, unless it is there; return the file's name.

    Raises:
        DataError: If the frame cannot be rows of features.
        SetupError: If the folder cannot be written.
    """
    table = frame_tables.to_table(frame, keeps_nan=keeps_nan, where=where)
    if not table.num_rows:
        raise EmptyDataError(f"{where} has no rows.", "give a table with at least one row.")
    table = frame_features.to_features(table, dates=dates, where=where)
    path = addresses.absolute_path(folder, f"{where}: folder")
    try:
        os.makedirs(path, exist_ok=True)
        return _write(table, path)
    except OSError as error:
        raise SetupError(
            f"{where}: the folder '{folder}', in which it is kept for the run, cannot be written: "
            f"{error.strerror or error}.",
            "give a folder of this machine that can: folder=...",
        ) from error


def _write(table: pa.Table, folder: str) -> str:
    import pyarrow.parquet as pq

    rows = max(1, min(_MAX_GROUP_ROWS, _GROUP_BYTES * table.num_rows // max(1, table.nbytes)))
    unfinished = whole_files.aside(os.path.join(folder, "frame"))
    try:
        with files.create_file(unfinished) as file:
            digesting = _Digesting(file)
            # Nothing of pandas' in it, such as an index: the features are the content.
            # Dictionaries and statistics cost more than they save: it is read whole, once.
            pq.write_table(
                table.replace_schema_metadata(None),
                digesting,
                row_group_size=rows,
                use_dictionary=False,
                write_statistics=False,
                compression="lz4",
            )
        name = f"{digesting.digest}.parquet"
        target = os.path.join(folder, name)
        if not files.exists(target):
            files.publish(unfinished, target)
        return name
    finally:
        if files.exists(unfinished):
            os.remove(unfinished)


class _Digesting(io.RawIOBase):
    """Passes on what is written, and knows its SHA-256."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._sha = hashlib.sha256()
        self._at = 0

    @property
    def digest(self) -> str:
        return self._sha.hexdigest()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        self._sha.update(data)
        self._at += len(data)
        return int(self._file.write(data))
