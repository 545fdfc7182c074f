"""Reports in a terminal: columns line up in writing of any width."""

from __future__ import annotations

import io

from rich.cells import cell_len
from rich.console import Console

from headrace.reports.blocks.blocks import Facts, Report, Table
from headrace.reports.blocks.texts import print_report


def test_signs_of_double_width_line_up():
    """Names in Chinese take two columns for a sign, in tables and in lines of facts."""
    rows = [["品酒", 12, "a"], ["x", 3_000, "b"], ["שלום", 7, "c"]]
    file = io.StringIO()
    report = Report(
        "", "", [Facts([("训练", "one"), ("eval", "two")]), Table(["name", "rows", "kind"], rows)]
    )

    print_report(Console(file=file, width=60), report)

    lines = file.getvalue().splitlines()
    assert {
        cell_len(line[: line.index(word)]) for line in lines for word in ("one", "two") if word in line
    } == {6}
    ends = [cell_len(line.rstrip()) for line in lines if line.rstrip().endswith((" a", " b", " c"))]
    assert len(ends) == 3
    assert len(set(ends)) == 1
