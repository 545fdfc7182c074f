"""A zip archive of pictures as what a person gave as data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from headrace.errors import DataError, listed
from headrace.files import is_file, size, trees
from headrace.projects.look.sources import SPLIT_FOLDERS, Source, kind_of


def find_archive(path: str) -> Source | None:
    """Return a zip archive of pictures, with a folder for each label and perhaps all in one folder more.

    Returns:
        The source; `None` where what is given is no zip archive by its name and its first bytes.

    Raises:
        MalformedFileError: If it is damaged.
        DataError: If it holds something else, or no folders of labels.
    """
    if not path.lower().endswith(".zip") or not is_file(path) or not trees.is_archive(path):
        return None
    names = [
        listing.prefix + look.name
        for listing in trees.listings_in_archive(path)
        for look in listing.looks
        if not any(part.startswith((".", "__MACOSX")) for part in (listing.prefix + look.name).split("/"))
    ]
    kinds = Counter(kind for name in names if (kind := kind_of(name)) is not None)
    kind = kinds.most_common(1)[0][0] if kinds else None
    if kind != "images":
        held = f"{kinds[kind]:,} files of {kind}" if kind else "no file whose kind is known"
        raise DataError(
            f"the zip archive {path} holds {held}. Only pictures are read from one.",
            "unpack it, and give the folder.",
        )
    files = [name for name in names if kind_of(name) == kind]
    inside = os.path.commonpath(files) + "/" if len(files) > 1 and os.path.commonpath(files) else ""
    if inside and any("/" not in name.removeprefix(inside) for name in files):
        # That folder is itself the label.
        inside = inside.rstrip("/").rpartition("/")[0]
        inside += "/" if inside else ""
    return _labelled_archive(path, inside, files, [name for name in names if kind_of(name) != kind])


def _labelled_archive(path: str, inside: str, files: Sequence[str], left_out: Sequence[str]) -> Source:
    named = tuple(sorted(name.removeprefix(inside) for name in files))
    labelled = tuple(name for name in named if "/" in name)
    tops = {name.split("/", 1)[0] for name in labelled}
    if not tops:
        raise DataError(
            f"the {len(files):,} pictures in {path} lie in no folder that is their label.",
            f"put them into a folder for each label: LABEL/{os.path.basename(files[0])}",
        )
    if len(tops) > 1 and all(name.lower() in SPLIT_FOLDERS for name in tops):
        raise DataError(
            f"the folders in {path} are splits, {listed(sorted(tops))}; they are kept apart in folders, not in archives.",
            "unpack it, and give the folder.",
        )
    loose = [name for name in named if "/" not in name]
    return Source(
        "images",
        path,
        os.path.dirname(path) or ".",
        labelled,
        size(path),
        left_out=(*left_out, *loose),
        archive=path,
        inside=inside,
    )
