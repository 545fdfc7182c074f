"""Reports as pages and as text: what data bring is shown, and never run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import io
import json
import re

from rich.console import Console

from headrace.reports.blocks import blocks, charts, drawings, pages
from headrace.reports.blocks.texts import print_report
from headrace.ui.screen import VisibleConsole

HOSTILE = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


def chart(name: str) -> blocks.Chart:
    rows = [{"x": 1, "y": 2.0, "series": name}, {"x": 2, "y": float("nan"), "series": name}]
    return blocks.Chart(name, charts.lines(rows, name, name, series=[name]), name)


def feature(name: str) -> blocks.Feature:
    sparkline = drawings.bars([[0.5, 0.2]], 120, 28)
    table = blocks.Table([name, "b"], [[name, blocks.Cell(name, bar=0.5)]], caption=name)
    return blocks.Feature(
        name, name, [("warning", name)], [name] * 3, sparkline, [table], [1.0, 0.0, 0.0, 0.0, 0.0]
    )


def every_block(name: str, num_features: int = 1) -> list:
    box = drawings.Box("a", name, name, name, f"#{name}")
    return [
        blocks.Note(name, "bad", name),
        blocks.Facts([(name, name)]),
        blocks.Table(
            [name],
            [[name], [blocks.Cell(name, image=f'data:x" onerror="{name}', tone=f'"{name}')]],
            caption=name,
            footnote=name,
        ),
        blocks.Picture(name, drawings.graph([box], []), name, [("s0", name), ("s1", name)]),
        blocks.Slider(name, [name], [[0.5], [0.7]]),
        blocks.FeatureList(
            [name] * 3, [name] * 5, [feature(name)] * num_features, [("s0", name), ("s1", name)]
        ),
        blocks.Section(name, [blocks.Note(name)], is_folded=True, subtitle=name),
    ]


def without_own_scripts(page: str) -> str:
    """Leave out what Headrace itself writes into script elements."""
    return re.sub(r"<script( type=\"application/json\"[^>]*)?>.*?</script>", "", page, flags=re.DOTALL)


def test_names_from_data_are_shown_and_not_run():
    """Every place that shows a name escapes it."""
    page = pages.render_page(blocks.Report(HOSTILE, HOSTILE, every_block(HOSTILE), [("bad", HOSTILE)]))

    assert HOSTILE not in without_own_scripts(page)
    assert page.count(ESCAPED) > 25
    assert 'onerror="' not in page


def test_names_in_data_for_scripts_cannot_end_the_script():
    """`</script>` within JSON would end the element whatever the quotes say."""
    text = str(
        pages.json_text(
            {"name": "</script><script>alert(2)</script><!--", "line": "\u2028", "bad": float("nan")}
        )
    )

    assert "<" not in text
    assert json.loads(text)["name"] == "</script><script>alert(2)</script><!--"
    assert json.loads(text)["bad"] is None


def test_features_beyond_many_are_data():
    """A page of thousands holds their tables as JSON, escaped as all JSON is."""
    page = pages.render_page(blocks.Report("t", "s", every_block(HOSTILE, num_features=300)))

    assert HOSTILE not in without_own_scripts(page)
    bodies = re.search(r'<script type="application/json" class="bodies">(.*?)</script>', page, re.DOTALL)
    assert bodies is not None
    assert "<" not in bodies[1]
    assert len(json.loads(bodies[1])) == 300


def test_a_page_without_charts_has_no_chart_library():
    """It then has a few kilobytes."""
    page = pages.render_page(blocks.Report("t", "s", [blocks.Note("fine", "good")]))

    assert "vegaEmbed=" not in page
    assert len(page) < 40_000


def test_a_page_with_charts_is_one_file():
    """The library is in the page, and nothing is loaded from anywhere."""
    page = pages.render_page(blocks.Report("t", "s", [chart("loss")]))

    assert "window.vegaEmbed=" in page
    assert not re.search(r"<(script|img|iframe)[^>]*\ssrc=[\"']?(?!data:)", without_own_scripts(page))
    assert not re.search(r"<link|@import|url\(", without_own_scripts(page))
    assert page.count("<script") == page.count("</script>") or len(re.findall(r"</script>", page)) == 3


def test_every_block_has_a_text():
    """A terminal shows the same, charts as their description."""
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_report(
        console, blocks.Report("Title", "below", [*every_block("name"), chart("loss")], [("good", "done")])
    )
    text = console.export_text()

    assert text.startswith("Title  done\nbelow\n")
    assert "loss: loss" in text
    assert "name  name" in text


def test_histograms_over_each_other_share_one_scale():
    """A split that reaches twice as far is drawn twice as wide."""
    one = drawings.Density([0.0, 1.0], [1.0])
    two = drawings.Density([0.0, 1.0, 2.0], [0.5, 0.5])

    svg = str(drawings.histogram([one, two], 100, 20))

    assert '<path class="s0" d="M0.0,20L0.0,2.0H50.0V20"/>' in svg
    assert '<path class="s1" d="M0.0,20L0.0,11.0H50.0L50.0,11.0H100.0V20"/>' in svg


def test_a_graph_draws_every_box_and_line():
    """A line from one box to two that are in the same row begins once; a cycle is drawn too."""
    boxes = [drawings.Box(key, key) for key in "abc"]

    drawn = str(drawings.graph(boxes, [("a", "b"), ("b", "a"), ("b", "c")]))

    assert drawn.count('class="box') == 3
    assert drawn.count('class="head"') == 3


def test_a_cell_holds_the_page_and_a_text_and_neither_runs_what_data_bring():
    """The page is packed; what stands beside it is escaped, and cannot end the frame."""
    report = blocks.Report(HOSTILE, HOSTILE, [blocks.Note(f"</iframe>{HOSTILE}", "bad"), chart(HOSTILE)])

    cell = pages.render_cell(report, f"</iframe>{HOSTILE}")

    assert cell.count("<iframe") == cell.count("</iframe>") == 1
    assert "<script" not in cell
    packed = re.search(r"atob\(&#34;([A-Za-z0-9+/=]+)&#34;\)", cell)
    assert packed is not None
    page = gzip.decompress(base64.b64decode(packed[1])).decode()
    assert page.startswith("<!doctype html>")
    assert HOSTILE not in without_own_scripts(page)
    assert "window.vegaEmbed=" in page
    assert len(cell) < 600_000


def printed(*content, width: int = 100) -> str:
    file = io.StringIO()
    print_report(VisibleConsole(file=file, width=width), blocks.Report("t", "s", content))
    return file.getvalue()


def test_a_terminal_does_not_obey_what_data_bring():
    """Escape sequences could clear the screen, or write what the reader did not type; they are left out."""
    commands = "\x1b[2Jgone\x9b31m\x7f\x00"
    text = printed(*every_block(commands))

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert "gone" in text


def test_a_wide_table_says_how_many_rows_it_leaves_out():
    """In a terminal its first rows stand beside each other, feature by feature."""
    table = blocks.Table([f"column {at}" for at in range(14)], [[f"r{row}"] * 14 for row in range(20)])

    assert "17 more rows in the page (--html FILE)." in printed(table)
    assert "more row" not in printed(blocks.Table(table.columns, table.rows[:3]))


def test_a_page_runs_its_own_scripts_alone():
    """Its policy names each by its hash, lets nothing be loaded or sent, and no text become code."""
    page = pages.render_page(blocks.Report("r", "s", every_block("name")))
    policy = html.unescape(
        re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
    )
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert parts["default-src"] == "'none'"
    assert parts["script-src"].split() == [f"'sha256-{text}'" for text in hashes]
    assert parts["img-src"] == "data:"
    assert "unsafe-eval" not in policy
    assert page.index("Content-Security-Policy") < page.index("<title>")
