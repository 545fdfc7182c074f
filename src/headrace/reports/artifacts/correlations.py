"""How numeric features go together, from the first rows of their Examples."""

from __future__ import annotations

from headrace.authoring import Artifact
from headrace.errors import HeadraceError
from headrace.formats import artifacts
from headrace.formats.examples.plain_rows import Row, columns_of, read_rows
from headrace.reports.blocks.blocks import Block, Cell, Note, Section, Table, Value
from headrace.ui.units import plural

_ROWS = 2_000
# Rows are read in plain Python: of thousands of features fewer are.
_FEWEST_ROWS, _MAX_VALUES = 100, 400_000
_MAX_FEATURES = 30
_WEAK = 0.3
_PAIRS = 5


def render(examples: Artifact | None) -> list[Block]:
    """Return the matrix of Pearson's correlations; nothing where there are no rows or fewer than two numbers."""
    if examples is None:
        return []
    try:
        split = next(iter(artifacts.split_names(examples)), "")
        rows = read_rows(examples, split, _FEWEST_ROWS)
        most = min(_ROWS, _MAX_VALUES // max(len(columns_of(rows)), 1))
        if most > len(rows) == _FEWEST_ROWS:
            rows = read_rows(examples, split, most)
    except (HeadraceError, OSError):
        return []
    import numpy as np

    numeric = [name for name in columns_of(rows) if _is_numeric(rows, name)]
    columns = {}
    for name in numeric:
        column = np.array([one[0] if (one := row.get(name)) else np.nan for row in rows], dtype=np.float64)
        known = column[np.isfinite(column)]
        if len(known) > 2 and known.std() > 0:
            columns[name] = column
        if len(columns) == _MAX_FEATURES:
            break
    if len(columns) < 2:
        return []
    names = list(columns)
    matrix = [[_correlation(columns[one], columns[two]) for two in names] for one in names]
    num_left_out = len(numeric) - 1 - numeric.index(names[-1]) if len(names) == _MAX_FEATURES else 0
    return [_section(names, matrix, num_left_out, len(rows), split)]


def _is_numeric(rows: list[Row], name: str) -> bool:
    """Whether a feature has one number in each row, or none."""
    values = [row[name] for row in rows if name in row]
    return all(len(one) <= 1 and all(isinstance(value, (int, float)) for value in one) for one in values)


def _section(
    names: list[str], matrix: list[list[float]], num_left_out: int, num_rows: int, split: str
) -> Section:
    cells: list[list[Value]] = [
        [name, *[Cell("" if one != one else f"{one:.2f}", shade=0.0 if one != one else one) for one in row]]
        for name, row in zip(names, matrix)
    ]
    pairs = [(abs(matrix[one][two]), one, two) for one in range(len(names)) for two in range(one)]
    strongest = sorted((pair for pair in pairs if pair[0] > _WEAK), reverse=True)[:_PAIRS]
    text = "; ".join(f"{names[one]} and {names[two]} ({matrix[one][two]:.2f})" for _, one, two in strongest)
    blocks: list[Block] = [Note(f"Strongest: {text}." if text else "No two features go together.", "info")]
    left_out = f" Left out: {plural(num_left_out, 'more feature')}." if num_left_out else ""
    footnote = f"Pearson's correlation over the first {num_rows:,} rows of split {split}.{left_out}"
    blocks.append(Table(["", *names], cells, caption="Correlation", footnote=footnote, is_matrix=True))
    return Section("Correlation of numeric features", blocks, anchor="correlation")


def _correlation(first: object, second: object) -> float:
    import numpy as np

    one, two = np.asarray(first), np.asarray(second)
    known = np.isfinite(one) & np.isfinite(two)
    if known.sum() < 3:
        return float("nan")
    one, two = one[known], two[known]
    if one.std() == 0 or two.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, two)[0, 1])
