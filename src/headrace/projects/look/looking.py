"""From what was given to what is known of it: the columns and their roles, the label, and what stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from headrace.errors import DataError, did_you_mean, listed
from headrace.projects.look import databases, folders, remarks, tables
from headrace.projects.look.labels import Label, find_label
from headrace.projects.look.profiles import Profile, profile
from headrace.projects.look.roles import Guess, Role, guess
from headrace.projects.look.samples import Sample
from headrace.projects.look.sources import Source, find_source
from headrace.projects.look.zip_archives import find_archive

# A sample smaller than this gives nothing away by chance.
_FEW_ROWS = 20


@dataclass(frozen=True)
class Column:
    """A column and what it is taken for."""

    profile: Profile
    role: Role
    reason: str

    @property
    def name(self) -> str:
        """The column's name."""
        return self.profile.name


@dataclass(frozen=True)
class Wishes:
    """What the person said about the data.

    Attributes:
        labels: Names of the label, or of several columns of 0 and 1.
        time: The column by whose time rows are divided into splits.
        group: The column whose rows with one value stay in one split.
        task: `"regression"` or `"classes"`.
        query: Of a database.
    """

    labels: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None
    task: str | None = None
    query: str | None = None


@dataclass(frozen=True)
class Look:
    """What is known of data.

    Attributes:
        source: Where they are.
        num_rows: Rows looked at; pictures or texts of a folder.
        is_whole: Whether these are all.
        columns: Each with its role, in the order of the data.
        label: What is to be predicted; `None` where it has not been said.
        notes: What stands out, as sentences.
    """

    source: Source
    num_rows: int
    is_whole: bool
    columns: tuple[Column, ...]
    label: Label | None
    notes: tuple[str, ...]

    def named(self, *roles: Role) -> list[Column]:
        """Return the columns of these roles."""
        return [column for column in self.columns if column.role in roles]

    @property
    def split(self) -> tuple[str, str]:
        """How rows are to be divided, `"hash"`, `"time"`, `"group"`, `"stratify"` or `"folders"`, and by which column."""
        if self.source.splits:
            return "folders", ""
        for role, way in (("group", "group"), ("time", "time")):
            for column in self.columns:
                if column.role == role:
                    return way, column.name
        if self.label is not None and self.label.task in ("binary", "classes") and self.label.is_imbalanced:
            return "stratify", self.label.name
        return "hash", ""


def look_at(given: str, wishes: Wishes) -> Look:
    """Look at data.

    Args:
        given: A path or an address.
        wishes: What the person said about them.

    Raises:
        DataError: If they cannot be used, or a column that was named is not there.
    """
    source = (find_archive(given) if not wishes.query else None) or find_source(given, wishes.query)
    if source.kind in ("images", "texts"):
        _check_folder_wishes(given, wishes)
        found = folders.look_at(source)
        return Look(source, found.num_files, found.is_whole, _folder_columns(found), found.label, found.notes)
    if source.database is not None:
        source = replace(source, database=databases.with_query(source.database))
    sample = tables.read_sample(source)
    return _look_at_table(source, sample, wishes)


def _check_folder_wishes(given: str, wishes: Wishes) -> None:
    """Check that nothing is said about columns that there are not.

    Raises:
        DataError: If something is.
    """
    said = {"--time": wishes.time, "--group": wishes.group, "--task": wishes.task}
    useless = [option for option, value in said.items() if value]
    if useless or wishes.labels not in ((), ("label",)):
        option = useless[0] if useless else "--label"
        raise DataError(
            f"{given} is a folder with a folder for each label, whose name is what is predicted; {option} says "
            "nothing about it.",
            f"leave {option} out, or give a table as --data.",
        )


def _folder_columns(found: folders.Found) -> tuple[Column, ...]:
    kind: Role = "image" if found.what == "image" else "text"
    return (
        Column(Profile(found.what, "bytes", found.num_files), kind, found.reason),
        Column(Profile("label", "text", found.num_files), "label", "the name of the folder"),
    )


def _look_at_table(source: Source, sample: Sample, wishes: Wishes) -> Look:
    profiles = [
        profile(name, sample.table.column(place)) for place, name in enumerate(sample.table.column_names)
    ]
    names = [one.name for one in profiles]
    if wishes.time and wishes.group:
        raise DataError(
            f"--time {wishes.time} and --group {wishes.group} each say how all rows are divided.",
            "leave one out: --time to predict later rows from earlier ones, --group to predict rows of who was never seen.",
        )
    for name, option in (
        *((name, "--label") for name in wishes.labels),
        (wishes.time, "--time"),
        (wishes.group, "--group"),
    ):
        if name is not None:
            check_column(name, names, option, source.given)
    label = find_label(profiles, wishes.labels, wishes.task) if wishes.labels else None
    columns = [_column(one, wishes) for one in profiles]
    notes = remarks.on_rows(source, sample, label)
    if label is not None:
        columns, given_away = _without_telltales(columns, sample.table, label)
        notes += given_away
    notes += [
        f"'{column.name}' has values very far from all others, such as {column.profile.farthest:.6g}: if they are "
        "mistakes, correct them first."
        for column in columns
        if column.profile.farthest is not None and column.role in ("number", "label")
    ]
    columns, advice = _in_time(columns, sample, wishes)
    return Look(source, len(sample.table), sample.is_whole, tuple(columns), label, (*notes, *advice))


def check_column(name: str, names: Sequence[str], option: str, where: str) -> None:
    """Check that a column exists.

    Raises:
        DataError: If it does not.
    """
    if name not in names:
        shown = (
            listed(names)
            if len(names) <= 40
            else f"{listed(sorted(names)[:40])} and {len(names) - 40:,} more"
        )
        same = next((one for one in names if one.lower() == name.lower()), None)
        near = f"did you mean '{same}'? " if same else did_you_mean(name, names)
        raise DataError(f"{where} has no column '{name}'. It has {shown}.", f"{near}Correct {option}.")


def _column(one: Profile, wishes: Wishes) -> Column:
    if one.name in wishes.labels:
        return Column(one, "label", "is to be predicted")
    if one.name == wishes.time:
        return Column(one, "time", "earlier rows are for training, later ones for evaluation: you said so")
    if one.name == wishes.group:
        return Column(one, "group", "rows with one value stay in one split: you said so")
    found: Guess = guess(one)
    # A person who names another group or time knows better than a column's name.
    if found.role == "group" and (wishes.group or wishes.time):
        return Column(one, "id", "names who or what a row belongs to")
    reason = found.reason
    share = one.num_missing / one.num_rows
    if found.role in ("number", "category", "date", "text") and one.num_missing:
        reason += f"; {share:.0%} missing" if share >= 0.01 else f"; missing in {one.num_missing:,} rows"
    return Column(one, found.role, reason)


def _without_telltales(
    columns: list[Column], table: pa.Table, label: Label
) -> tuple[list[Column], list[str]]:
    """Leave out columns that tell the label in each row: they would not be known when it is to be predicted."""
    if len(label.names) > 1 or len(table) < _FEW_ROWS:
        return columns, []
    target = next(column.profile for column in columns if column.name == label.name)
    features = [column for column in columns if column.role in ("number", "category", "text", "date")]
    telling = [column.name for column in features if _tells(column.profile, target, table)]
    if not telling:
        return columns, []
    shown = (
        f"{listed(telling)} {'tells' if len(telling) == 1 else 'tell'} the label '{label.name}' in each row"
    )
    if len(telling) == len(features):
        return columns, [f"{shown}. If that is so only because it was made of the label, no model is needed."]
    kept = [
        replace(column, role="ignore", reason="tells the label in each row")
        if column.name in telling
        else column
        for column in columns
    ]
    return kept, [f"{shown}, and is left out: it would hardly be known when the label is to be predicted."]


def _tells(one: Profile, target: Profile, table: pa.Table) -> bool:
    if one.num_distinct != target.num_distinct or one.num_missing != target.num_missing:
        return False
    if table.column(one.name).equals(table.column(target.name)):
        return True
    # Where each value is there once, as names and amounts are, any two columns tell each other.
    if one.num_distinct > one.num_filled / 2:
        return False
    pairs = (
        table.select([one.name, target.name])
        .group_by([one.name, target.name])
        .aggregate([(target.name, "count")])
    )
    return len(pairs) == target.num_distinct + bool(target.num_missing)


def _in_time(columns: list[Column], sample: Sample, wishes: Wishes) -> tuple[list[Column], list[str]]:
    """Take a date by which the rows are sorted, with a row for each, for the time of a series."""
    if wishes.time or wishes.group or any(column.role == "group" for column in columns):
        return columns, []
    dates = [column for column in columns if column.role == "date"]
    for column in dates:
        one = column.profile
        is_series = one.is_sorted and one.num_distinct >= 0.9 * one.num_rows and one.num_rows >= _FEW_ROWS
        if is_series:
            reason = "dates in the order of the rows, so this is a series: later rows are for evaluation"
            return [
                replace(each, role="time", reason=reason) if each is column else each for each in columns
            ], []
    if not dates:
        return columns, []
    return columns, [
        f"rows are divided at random, though '{dates[0].name}' is a date. If later rows are to be predicted from "
        f"earlier ones: --time {dates[0].name}"
    ]


def likely_labels(columns: Sequence[Column]) -> list[str]:
    """Return columns that could be the label, most likely first: by name, then the last one."""
    usual = ("label", "target", "class", "y", "outcome", "response", "species", "quality", "price")
    usable = [column for column in columns if column.role in ("number", "category")]
    named = [column.name for column in usable if column.name.lower() in usual]
    behind = [column.name for column in reversed(usable) if column.name not in named]
    return [*named, *behind]
