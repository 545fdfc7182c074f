"""The first pass of an ExampleGen whose rows are divided by what all of them hold, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from headrace.components.example_gen.writing import Outcome, Written, learned_of
from headrace.errors import HeadraceError
from headrace.formats import divisions
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder
from headrace.sources.division import gathering
from headrace.sources.division.division import Choice, Division
from headrace.sources.division.keys import Keys
from headrace.sources.intake import Intake
from headrace.sources.reading import Part, Reader
from headrace.sources.rows import Rows
from headrace.sources.source import Survey, Unreadable
from headrace.sources.splits import AnyPartition, Planned, check_names
from headrace.splits.asked import Asked, divided_split
from headrace.splits.ways import SplitBy

# The ways that look at all rows before the first is written.
GATHERED = ("stratify", "group", "time", "shuffle", "column")


@dataclass(frozen=True)
class Gathered:
    """What the first pass kept of one part.

    Attributes:
        keys: Of each row.
        learned: What all parts were found to hold, with the first part alone.
        error: What stopped it. See `Outcome` for why this is a value.
    """

    keys: Keys | None = None
    learned: Sequence[Outcome] = ()
    error: BaseException | None = None


class ReadKeys(beam.DoFn):
    """Reads a part and keeps what its rows are divided by."""

    def __init__(
        self,
        reader: Reader,
        way: SplitBy,
        results: SharedFolder[Gathered],
        progress: Progress,
        *,
        sets_aside: bool,
    ) -> None:
        self._reader = reader
        self._way = way
        self._results = results
        self._progress = progress
        self._sets_aside = sets_aside

    def setup(self) -> None:
        self._progress.report(f"reading what rows are divided by: {self._way}")

    def process(self, element: tuple[int, Part], learned: Sequence[Outcome]) -> None:
        index, part = element
        try:
            read = self._reader.read(part.pieces, learned_of(part, learned))
            if self._sets_aside:
                # What cannot be read is counted when the others are written.
                read = (one for one in read if not isinstance(one, Unreadable))
            keys = gathering.gather(self._counted(Intake(None).rows(read)), self._way)
        except (HeadraceError, OSError) as error:
            self._results.keep(index, Gathered(error=error))
        else:
            self._results.keep(index, Gathered(keys, () if index else learned))

    def _counted(self, batches: Iterator[Rows]) -> Iterator[Rows]:
        for rows in batches:
            yield rows
            self._progress.add_rows(rows.num_rows)


def as_partition(division: Division, way: SplitBy, chosen: SharedFolder[Choice]) -> Planned:
    """Leave each part's choice where the worker that writes the part finds it."""
    for index, choice in enumerate(division.chosen):
        chosen.keep(index, choice)
    dropped = str(way.feature) if way.kind == "column" and way.option("drop") else None
    return Planned(division.splits, chosen, dropped, way.feature, division.digests)


def place_divided(asked: Asked | None, survey: Survey, node_id: str) -> int:
    """Return the position of the input split whose rows are divided; the first where there is one alone.

    Raises:
        DefinitionError: If there are several, and none of them is the one.
    """
    if asked is None or asked.way.kind == "folders" or len(survey.splits) == 1:
        return 0
    names = [split.name for split in survey.splits]
    return names.index(divided_split(asked, names, node_id))


def with_divided(divided: Sequence[AnyPartition], place: int, one: AnyPartition) -> list[AnyPartition]:
    """Return the partitions with another at a place, each split with a name of its own."""
    found = [*divided[:place], one, *divided[place + 1 :]]
    check_names(found, "splits")
    return found


def record(uri: str, asked: Asked, division: Division | None, written: Written) -> list[str]:
    """Write how rows were divided into the folder of the artifact; return what a line says of it."""
    excluded = division.num_excluded() if division is not None else {}
    notes = list(division.notes) if division is not None else []
    table = division.classes if division is not None else None
    if table is None and written.labels is not None:
        table = written.labels.table(list(written.num_rows))
    divisions.write(
        uri,
        divisions.Division(
            split_by=asked.way.as_mapping(),
            shares=asked.shares.as_json() if asked.shares.names else None,
            rows=written.num_rows,
            excluded=excluded,
            notes=notes,
            classes=table,
        ),
    )
    reasons = [reason if len(excluded) == 1 else f"{count:,} {reason}" for reason, count in excluded.items()]
    left = sum(excluded.values())
    left_out = (
        [f"{left:,} {'row' if left == 1 else 'rows'} in no split: {', '.join(reasons)}"] if excluded else []
    )
    as_given = [name for name in written.num_rows if asked.shares.weights and name not in asked.shares.names]
    kept = [f"{', '.join(as_given)} as given"] if as_given else []
    return [str(asked.way), *kept, *left_out, *notes]


def in_words_of(asked: Asked | None, error: HeadraceError) -> HeadraceError:
    """Return an error on a feature that hash buckets hang on in the words of who asked for it by `split_by`."""
    if asked is None or asked.way.kind != "hash" or asked.way.feature is None:
        return error
    problem = error.problem.replace("partition_feature_name '", f"{asked.way}: feature '")
    fix = error.fix.replace("partition_feature_name in output_config", "split_by")
    return type(error)(problem, fix.replace("in output_config", "in split_by"))
