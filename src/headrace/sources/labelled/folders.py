"""The files below a folder or in an archive, in groups of one class each. Light.

The folder right below the one that is looked at is the class, and what lies deeper in it is of that class. Two layouts
have a folder more: all lies in one folder that has none but subfolders, as in many an archive; and each class lies in
folders that are named as splits are. These folders are passed over, which `remarks` says.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from headrace import files
from headrace.errors import DataError, listed
from headrace.files import addresses, trees
from headrace.files.trees import Listing
from headrace.sources import input_files
from headrace.sources.labelled.group import Group, groups_of, is_side_file

SPLIT_FOLDERS = frozenset(
    {
        "train", "training", "train_set", "val", "valid", "validation", "dev", "eval", "evaluation", "test",
        "testing", "test_set", "holdout",
    }
)  # fmt: skip
# What archives made on a Mac hold beside the files.
_NO_CLASS = frozenset({"__MACOSX"})
_MAX_LISTED = 10


@dataclass(frozen=True)
class Root:
    """A folder or archive whose subfolders are classes.

    Attributes:
        place: Its path or address.
        prefix: Its path below `input_base`, with `/` at its end; empty for `input_base` itself.
        only: The one subfolder, or the one file in a subfolder, that is asked for; empty for all.
        is_archive: Whether it is a zip archive.
    """

    place: str
    prefix: str
    only: str = ""
    is_archive: bool = False


def roots(input_base: str, pattern: str) -> list[Root]:
    """Return what a split's pattern names.

    A pattern that ends in `*` names the folder before it with all that it holds, hidden files and archives among it.

    Raises:
        MissingFileError: If nothing is there.
    """
    start = addresses.here(input_base)
    if not addresses.is_elsewhere(start) and os.path.isfile(start) and trees.is_archive(start):
        return [Root(start, "", is_archive=True)]
    base = input_files.base_pattern(start)
    head, slash, last = pattern.rpartition("/")
    if last == "*":
        found = [path for path in files.matching(os.path.join(base, head)) if files.is_folder(path)]
        if not slash and files.is_folder(start):
            found = [start]
        if found:
            return [Root(path, _prefix(start, path)) for path in found]
    found = files.matching(os.path.join(base, pattern))
    if not found:
        # It says what there is.
        input_files.find(input_base, pattern)
    return [_root(start, path, has_magic=glob.has_magic(pattern)) for path in found]


def _root(start: str, path: str, *, has_magic: bool) -> Root:
    """The root of one path that matches: a folder that is named is one, one that fits a wildcard is a class."""
    if files.is_folder(path):
        above, _, name = path.rstrip("/").rpartition("/")
        return (
            Root(above, _prefix(start, above), f"{name}/") if has_magic else Root(path, _prefix(start, path))
        )
    if path.lower().endswith(".zip"):
        return Root(path, _prefix(start, os.path.dirname(path)), is_archive=True)
    inside = _prefix(start, path).rstrip("/")
    above, _, name = inside.rpartition("/")
    if not above:
        return Root(os.path.dirname(path), "", name)
    top = path[: -len(above.rpartition("/")[2]) - len(name) - 2]
    return Root(top, _prefix(start, top), f"{above.rpartition('/')[2]}/{name}")


def _prefix(start: str, path: str) -> str:
    """A path below `input_base`; below the folder before its first wildcard, where it has some."""
    while glob.has_magic(start) and not files.is_folder(start):
        start = os.path.dirname(start)
    start = start.rstrip("/")
    inside = path.rstrip("/").removeprefix(start).lstrip("/")
    return f"{inside}/" if inside else ""


def groups(
    found: Sequence[Root], *, with_label: bool, input_base: str, suffixes: tuple[str, ...]
) -> list[Group]:
    """Return the files of some roots, in groups.

    Args:
        found: The roots.
        with_label: Whether folders are classes.
        input_base: Where they lie, for messages.
        suffixes: How the names of files end that are examples: by them layouts are told apart.

    Raises:
        DataError: If there are files and no folder that could be a class.
        MissingFileError: If a folder cannot be listed.
        MalformedFileError: If an archive is damaged.
    """
    kept = suffixes if with_label else None
    groups = [group for root in found for group in _groups_of_root(root, kept)]
    if with_label and groups and all(group.label is None for group in groups):
        held = next((group for group in groups if group.num_files), None)
        if held is not None:
            names = [f"{held.prefix}{name}" for name in held.split_names[:_MAX_LISTED]]
            raise DataError(
                f"there is no folder of a class in '{input_base}': the files lie there directly, such as {listed(names[:3])}.",
                "put the files of each class into a folder of its name, name a table of paths and labels with table=, "
                "or take them without a label: label=None.",
            )
    return groups


def _groups_of_root(root: Root, suffixes: tuple[str, ...] | None) -> Iterator[Group]:
    """Yield the files of a root; without `suffixes` no folder is a class."""
    # Names in groups take little memory, and which folder is the class shows at the end.
    found: list[tuple[list[str], Group]] = []
    with_examples: list[list[str]] = []
    for listing in _opened(root):
        parts = listing.prefix.split("/")[:-1]
        archives = [look for look in listing.looks if _is_archive(root, listing, look.name)]
        for look in archives:
            inner = Root(os.path.join(root.place, look.name), root.prefix, is_archive=True)
            yield from _groups_of_root(inner, suffixes)
        is_side = _is_side(parts)
        looks = [
            look
            for look in listing.looks
            if not is_side and not is_side_file(look.name) and look not in archives
        ]
        if suffixes is not None and any(look.name.lower().endswith(suffixes) for look in looks):
            with_examples.append(parts)
        groups = groups_of(
            looks,
            len(listing.looks) - len(looks) - len(archives),
            place=root.place if root.is_archive else os.path.join(root.place, listing.prefix),
            prefix=root.prefix + listing.prefix,
            in_archive=root.is_archive,
            inner=listing.prefix if root.is_archive else "",
        )
        found += [(parts, group) for group in groups]
    num_above = 0 if root.only else _num_above(with_examples)
    for parts, group in found:
        is_class = suffixes is not None and len(parts) > num_above and not _is_side(parts)
        if is_class:
            label, above = parts[num_above], root.prefix.count("/") + num_above
            yield replace(group, label=label, num_above=above)
        elif group.num_files or group.num_others:
            yield group


def _opened(root: Root) -> Iterator[Listing]:
    """List a root."""
    if root.is_archive:
        yield from trees.listings_in_archive(root.place)
    elif not root.only:
        yield from trees.listings(root.place)
    elif root.only.endswith("/"):
        for one in trees.listings(os.path.join(root.place, root.only.rstrip("/"))):
            yield Listing(root.only + one.prefix, one.looks)
    else:
        head, slash, name = root.only.rpartition("/")
        looks = trees.looks_at(os.path.join(root.place, head), [name])
        yield Listing(head + slash, [look for look in looks if look is not None])


def _is_archive(root: Root, listing: Listing, name: str) -> bool:
    """Whether an archive lies right where the classes would: deeper it is a file as any other."""
    return (
        not root.is_archive
        and not root.only
        and not listing.prefix
        and name.lower().endswith(".zip")
        and not name.startswith(".")
        and trees.is_archive(os.path.join(root.place, name))
    )


def _num_above(folders: Sequence[Sequence[str]]) -> int:
    """How many folders stand above those of the classes.

    Args:
        folders: The names on the way to each folder that holds examples, by how files are named.
    """
    above = 0
    while folders:
        tops = {parts[above] for parts in folders if len(parts) > above}
        deep = {parts[above] for parts in folders if len(parts) > above + 1}
        if tops and tops == deep and all(name.lower() in SPLIT_FOLDERS for name in tops):
            # What lies beside the classes has none, which is said of each.
            return above + 1
        is_wrapped = len(tops) == 1 and all(len(parts) > above + 1 for parts in folders)
        if not is_wrapped or len({parts[above + 1] for parts in folders}) < 2:
            return above
        above += 1
    return 0


def _is_side(parts: Sequence[str]) -> bool:
    """Whether a folder is hidden, or lies in one that is, or above all in an archive: nobody means its files."""
    return any(not name or name.startswith(".") or name in _NO_CLASS for name in parts)


def remarks(groups: Sequence[Group]) -> list[str]:
    """Return what is to be said of how files are divided into classes, and of classes with few."""
    found = []
    skipped = {
        part
        for group in groups
        if group.label is not None
        for part in group.prefix.split("/")[: group.num_above]
    }
    of_splits = sorted(name for name in skipped if name.lower() in SPLIT_FOLDERS)
    # One alone is kept apart: `split_by` or a pattern names it.
    if len(of_splits) > 1:
        found.append(
            f"{listed(of_splits[:_MAX_LISTED])} are taken for the folder of a split, not of a class, and read "
            "with the others; split_by='folders' keeps them apart"
        )
    wrappers = sorted(skipped - set(of_splits))
    if wrappers:
        found.append(f"{listed(wrappers[:_MAX_LISTED])} holds the folders of the classes, and is none itself")
    return found
