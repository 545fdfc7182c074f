"""The section of an Examples page that shows how rows were divided."""

from __future__ import annotations

from headrace.formats import divisions
from headrace.formats.divisions import ClassTable, Division
from headrace.reports.artifacts.divisions import render


def _texts(table):
    return [[cell.text for cell in row] for row in table.cells]


def test_sizes_and_classes_of_each_split(tmp_path):
    """Shares reached beside those asked for; what is in no split; each class's share of each split."""
    table = ClassTable.of("y", ["a", "b"], {"train": [6, 2], "eval": [1, 1]})
    divisions.write(
        str(tmp_path),
        Division(
            {"time": "t", "gap": "2d"},
            {"train": 4, "eval": 1},
            {"train": 8, "eval": 2},
            {"late": 2},
            ["said"],
            table,
        ),
    )
    (section,) = render(str(tmp_path))
    note, sizes, shares = section.blocks
    assert note.text == "said"
    assert sizes.caption == 'Rows of each split, time("t", gap="2d")'
    assert _texts(sizes) == [
        ["train", "8", "66.67 %", "80.00 %"],
        ["eval", "2", "16.67 %", "20.00 %"],
        ["none: late", "2", "16.67 %", ""],
        ["all", "12", "100.00 %", ""],
    ]
    assert shares.columns == ["y", "rows", "share", "of train", "of eval"]
    assert _texts(shares) == [
        ["a", "7", "70.00 %", "75.00 % (6)", "50.00 % (1)"],
        ["b", "3", "30.00 %", "25.00 % (2)", "50.00 % (1)"],
    ]


def test_of_many_classes_the_largest_have_a_row(tmp_path):
    """And the others one together."""
    names = [f"c{one}" for one in range(1500)]
    table = ClassTable.of("y", names, {"train": [2] * 1500, "eval": [1] * 1500})
    divisions.write(
        str(tmp_path), Division({"stratify": "y"}, None, {"train": 3000, "eval": 1500}, classes=table)
    )
    shares = _texts(render(str(tmp_path))[0].blocks[-1])
    assert len(shares) == 51
    assert shares[-1] == ["1,450 other classes", "4,350", "96.67 %", "96.67 % (2,900)", "96.67 % (1,450)"]


def test_without_the_file_there_is_no_section_and_a_damaged_one_is_said(tmp_path):
    """The rest of the page is there all the same."""
    assert render(str(tmp_path)) == []
    (tmp_path / "splits.json").write_text("{")
    (section,) = render(str(tmp_path))
    assert "is not how rows were divided" in section.blocks[0].text
