"""Some files of one folder, which are looked at, hashed and read together. Light."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.files import trees
from headrace.files.trees import FileLook

# So many files are one item: a million of them are a thousand, which travel to workers as a text each.
MAX_FILES = 1000
MAX_BYTES = 16 << 20
_SIDE_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})


@dataclass(frozen=True)
class Group:
    """Files of one folder and one class.

    Attributes:
        place: The folder that the names start at; of files in an archive, the archive.
        prefix: What stands before a name in a file's path below `input_base`, such as `"train/cat/"`.
        names: The names, joined by NUL: a text takes a tenth of the memory of a list. Empty for a folder without files.
        num_files: How many there are.
        num_others: How many files beside them are none that anybody means, such as hidden ones: they are counted only.
        size_bytes: Their size.
        look: What they look like together; empty where nobody can tell.
        changed_ns: When the last of them changed.
        label: The class; `None` where the folder says none.
        num_above: How many folders of `prefix` stand above that of the class.
        in_archive: Whether `place` is an archive, and its members are named by `inner` and the name.
        inner: What stands before the names in the archive.
        table: The table that names the files; empty where they are those of a folder.
        first_row: Its row that names the first of them; the header is row 1.
        columns: JSON of the table's other columns: for each a list of values.
        kinds: Each of these columns and the kind of its values.
    """

    place: str
    prefix: str
    names: str
    num_files: int = 0
    num_others: int = 0
    size_bytes: int = 0
    look: str = ""
    changed_ns: int = 0
    label: str | None = None
    num_above: int = 0
    in_archive: bool = False
    inner: str = ""
    table: str = ""
    first_row: int = 0
    columns: str = ""
    kinds: tuple[tuple[str, str], ...] = ()

    @property
    def split_names(self) -> list[str]:
        """The names."""
        return self.names.split("\0") if self.num_files else []

    @property
    def values(self) -> dict[str, list[Any]]:
        """The values of the table's other columns, by name; a value for each file, `None` where it has none."""
        return json.loads(self.columns) if self.columns else {}


def is_side_file(name: str) -> bool:
    """Whether a name is one under which computers keep what they know of a folder; hidden files are."""
    return name.startswith(".") or name.lower() in _SIDE_FILES


def groups_of(looks: Sequence[FileLook], num_others: int = 0, **known: Any) -> Iterator[Group]:
    """Yield files in groups of bounded size; one without files where there are none.

    Args:
        looks: The files, in the order of the examples.
        num_others: How many lie beside them.
        known: The other attributes of the groups.
    """
    start, size = 0, 0
    for at, look in enumerate(looks):
        if at > start and (at - start >= MAX_FILES or size + look.size > MAX_BYTES):
            yield _group(looks[start:at], 0, known)
            start, size = at, 0
        size += look.size
    yield _group(looks[start:], num_others, known)


def _group(looks: Sequence[FileLook], num_others: int, known: dict[str, Any]) -> Group:
    return Group(
        names="\0".join(look.name for look in looks),
        num_files=len(looks),
        num_others=num_others,
        size_bytes=sum(look.size for look in looks),
        look=trees.look_of_all(looks) if looks else "",
        changed_ns=max((look.changed_ns for look in looks), default=0),
        **known,
    )


def digest(groups: Sequence[Group]) -> str:
    """Return a digest of paths, labels and bytes of all files in groups of folders of this machine."""
    whole = hashlib.sha256()
    for group in groups:
        if not group.num_files:
            continue
        head = [group.prefix, repr(group.label), group.table and group.columns]
        whole.update(b"\0".join(os.fsencode(text) for text in head))
        content = trees.digest_of(group.place, group.split_names, group.look, group.changed_ns)
        whole.update(bytes.fromhex(content))
    return whole.hexdigest()
