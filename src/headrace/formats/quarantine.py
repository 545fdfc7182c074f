"""What could not be read on the way into Examples: JSON lines beside the splits, one for each item.

::

    Split-train/…
    quarantine/rows-00000-of-00002.jsonl      {"source": "data/a.json", "place": "line 17", "reason": "is no JSON: …"}

A file holds what one part of the input split `rows` could not read, in the order of the input; a part without such
items has no file. TFX's readers follow the names of splits and do not come here.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import TextIO

from headrace.errors import MalformedFileError
from headrace.files import create_text, matching_files, open_text
from headrace.formats.json_files import MAKE_AGAIN

QUARANTINE_FOLDER = "quarantine"
_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Item:
    """Something that could not be read.

    Attributes:
        source: What holds it, such as a file's path.
        place: Where in there, such as `"line 17"`; empty for the whole.
        reason: What is wrong with it.
    """

    source: str
    place: str
    reason: str

    @property
    def kind(self) -> str:
        """The reason without what is special to this item, which stands behind a colon."""
        return self.reason.partition(":")[0]


class Writer:
    """Writes the items of one part of an input split. Without an item, it leaves no file.

    Args:
        uri: The artifact's folder.
        split: The input split.
        shard: Number of the part's first shard.
        num_shards: How many shards there are.
    """

    def __init__(self, uri: str, split: str, shard: int, num_shards: int) -> None:
        name = f"{split}-{shard:05d}-of-{num_shards:05d}{_SUFFIX}"
        self._path = os.path.join(folder(uri), name)
        self._file: TextIO | None = None
        self.num_items = 0

    def write(self, item: Item) -> None:
        """Append an item."""
        if self._file is None:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._file = create_text(self._path)
        text = json.dumps(asdict(item), ensure_ascii=False)
        # Names of files may hold bytes that are no UTF-8; their escapes are JSON's own.
        self._file.write(text.encode("utf-8", "backslashreplace").decode() + "\n")
        self.num_items += 1

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def folder(uri: str) -> str:
    """Return the folder of the items of an artifact, which there is only where it has some."""
    return os.path.join(uri, QUARANTINE_FOLDER)


def read(uri: str) -> Iterator[Item]:
    """Yield the items of an artifact, file by file in name order; none where it has none.

    Raises:
        MalformedFileError: If a file is damaged.
    """
    for path in matching_files(os.path.join(glob.escape(folder(uri)), f"*{_SUFFIX}")):
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield Item(**json.loads(line))
                except (ValueError, TypeError, RecursionError) as error:
                    raise MalformedFileError(
                        f"{path}:{number} is no item of a quarantine: {error}.", MAKE_AGAIN
                    ) from error
