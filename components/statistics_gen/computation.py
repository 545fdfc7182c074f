"""The Beam stages of StatisticsGen.

One Beam element is a part of a split: some of its files. A part becomes the state of TFDV's accumulators,
and the states of a split are merged in the order of its files, so the same files give the same bytes
whatever the runner does. Of several artifacts, such as spans, each becomes one state, which is kept: those
that were seen before are not read again.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence

import apache_beam as beam
import tensorflow_data_validation as tfdv

from headrace.authoring import Artifact
from headrace.components.statistics_gen import states
from headrace.components.statistics_gen.parts import Part, ReadPart, parts_of, statistics_path
from headrace.components.statistics_gen.states import Accumulator, State
from headrace.errors import DataError
from headrace.formats import artifacts
from headrace.runtime import partial_results
from headrace.runtime.context import ExecutionContext
from headrace.runtime.partial_results import PartialResults
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread

_NO_SPAN = -1


def _state_path(kept: PartialResults, examples: Artifact, split: str, options: tfdv.StatsOptions) -> str:
    """Where the state of an artifact's split is kept."""
    # TFDV's version fixes that of tfx_bsl, whose sketches are part of a state.
    return kept.path(
        artifacts.content_digest(examples),
        states.FORMAT,
        tfdv.__version__,
        options.to_json(),
        artifacts.payload_format(examples),
        split,
    )


class _Accumulate(ReadPart):
    """Turns a part into the state of its accumulators."""

    def process(self, part: Part) -> Iterator[tuple[str, tuple[int, int, bytes]]]:
        # As bytes, which Beam hands on as they are: its own pickling of a state takes longer than merging it.
        yield part.split, (part.span, part.index, pickle.dumps(self.state(part)))

    def state(self, part: Part) -> State:
        """The state of one part."""
        accumulator = Accumulator(
            tfdv.StatsOptions.from_json(self._options[part.split]), part.share, part.seed
        )
        state = State()
        for batch in super().process(part):
            with _types_explained(part.split):
                accumulator.add(state, batch)
        return accumulator.compact(state)


class _MergeAndWrite(beam.DoFn):
    """Merges the states of a split, those of each span first, and writes the statistics.

    Args:
        accumulate: Reads a part whose state is gone.
        options: By split.
        paths: Where the statistics go, by split.
        kept_at: Where the state of each span is kept, by split; empty where it is not.
        kept_parts: The parts of each span whose state was kept, by split, for one that is gone meanwhile.
        written: Where each split says that its statistics are written, in the order of `options`.
    """

    def __init__(
        self,
        accumulate: _Accumulate,
        options: Mapping[str, tfdv.StatsOptions],
        paths: Mapping[str, str],
        kept_at: Mapping[str, Sequence[str]],
        kept_parts: Mapping[str, Sequence[Part]],
        written: SharedFolder[None],
    ) -> None:
        self._written = written
        self._accumulate = accumulate
        self._kept_parts = {split: list(parts) for split, parts in kept_parts.items()}
        self._options = {split: item.to_json() for split, item in options.items()}
        self._paths = dict(paths)
        self._kept_at = dict(kept_at)

    def process(self, element: tuple[str, Iterable[tuple[int, int, bytes]]]) -> None:
        split, parts = element
        accumulator = Accumulator(tfdv.StatsOptions.from_json(self._options[split]))
        by_span: dict[int, list[bytes]] = {}
        for span, _, state in sorted(parts):
            by_span.setdefault(span, []).append(state)
        with _types_explained(split):
            # One after another: each is added to those before it, and gone.
            merged = accumulator.merge(
                self._span(accumulator, split, span, by_span.pop(span, None), path)
                for span, path in enumerate(self._kept_at[split])
            )
        accumulator.write(merged, self._paths[split])
        self._written.keep(list(self._options).index(split), None)

    def _span(
        self,
        accumulator: Accumulator,
        split: str,
        span: int,
        parts: list[bytes] | None,
        path: str,
    ) -> State:
        """The state of one span: of the parts that were read, or as it was kept."""
        if parts is None:
            kept = partial_results.load(path)
            if isinstance(kept, State):
                return kept
            read = (self._accumulate.state(part) for part in self._kept_parts[split] if part.span == span)
        else:
            read = (pickle.loads(part) for part in parts)
        state = accumulator.compact(accumulator.merge(read))
        partial_results.dump(path, state)
        return state


class _types_explained:  # noqa: N801 - reads as a statement
    """Names the split where TFDV finds a feature with values of two types."""

    def __init__(self, split: str) -> None:
        self._split = split

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TypeError) and "Cannot determine the type of feature" in str(error):
            name = str(error).split("feature ", 1)[1].split(". Found", 1)[0]
            raise DataError(
                f"split '{self._split}': feature '{name}' has values of two types in different rows.",
                f"give '{name}' one type where the data is written, and run ExampleGen again.",
            ) from error


def compute(
    pipeline: beam.Pipeline,
    context: ExecutionContext,
    examples: Sequence[Artifact],
    statistics: Artifact,
    options: Mapping[str, tfdv.StatsOptions],
) -> SharedFolder[None]:
    """Compute all splits in one small pipeline: parts, states, statistics.

    Returns:
        Where each split says that it is written, in the order of `options`.
    """
    paths = {split: statistics_path(statistics, split) for split in options}
    kept_at = {
        split: [_state_path(context.partial_results, span, split, split_options) for span in examples]
        for split, split_options in options.items()
    }
    new = {
        split: [span for span, path in enumerate(places) if not partial_results.is_kept(path)]
        for split, places in kept_at.items()
    }
    parts = [part for split in options for part in parts_of(examples, split, new[split])]
    # A split of which nothing is read is written too.
    parts += [Part(split, _NO_SPAN, 0, 0, (), "") for split in options if not new[split]]
    kept_parts = {
        split: parts_of(examples, split, set(range(len(examples))) - set(spans))
        for split, spans in new.items()
    }
    accumulate = _Accumulate(options, context.progress)
    stage = f"{context.node_id}: Beam stage 'MergeAndWrite'"
    written: SharedFolder[None] = SharedFolder.make(context.tmp_path, stage, len(options))
    merge = _MergeAndWrite(accumulate, options, paths, kept_at, kept_parts, written)
    _ = (
        pipeline
        | "Parts" >> beam.Create(parts, reshuffle=len(parts) > 1)
        | "Accumulate" >> beam.ParDo(Spread(accumulate, context.side_processes))
        | "PerSplit" >> beam.GroupByKey()
        | "MergeAndWrite" >> beam.ParDo(Spread(merge, context.side_processes))
    )
    return written
