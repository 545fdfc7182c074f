"""Reports in a real browser: charts are drawn, hostile names stay text, thousands of features open fast."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, open_browser

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

import report_artifacts as artifacts

from headrace.reports.artifacts.renderers import render
from headrace.reports.blocks.blocks import Report, Section
from headrace.reports.blocks.pages import render_cell, render_page

KINDS = ("examples", "statistics", "anomalies", "evaluation", "model_run", "tuner_results")
NUM_CHARTS = 8
# Brings every chart into view, waits, and tells which are not drawn.
UNDRAWN = """(async () => {
    const charts = [...document.querySelectorAll(".vega")];
    const isDrawn = (chart) => [...chart.querySelectorAll("svg path")].some((path) => path.getTotalLength() > 3);
    for (const chart of charts) {
        chart.scrollIntoView();
        for (let times = 0; times < 100 && !isDrawn(chart); times++) await new Promise((go) => setTimeout(go, 50));
    }
    scrollTo(0, 0);
    return charts.filter((chart) => !isDrawn(chart)).map((chart) => chart.innerText || "nothing");
})()"""
# What VS Code allows in the view that holds a notebook's outputs.
CODE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline' https:; "
    "img-src https: data:; child-src https: data:; connect-src https:"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """All kinds of artifacts with hostile names in them."""
    root = tmp_path_factory.mktemp("artifacts")
    sections = [Section(kind, render(getattr(artifacts, kind)(root / kind))) for kind in KINDS]
    return Report(f"All kinds {artifacts.HOSTILE}", artifacts.HOSTILE, sections, [("bad", artifacts.HOSTILE)])


def armed(page: str) -> str:
    """A script of the data that ran would leave its mark in the window."""
    return page.replace("alert(", "window.top.hasRun=(")


@pytest.fixture(scope="module")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(armed(render_page(report)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_chart_is_drawn_at_each_width_in_each_colour(
    browser: Page, page: Path, tmp_path: Path, width: int, scheme: str
):
    """Nothing from the data runs, nothing is wider than the window, and the page follows the desktop's colours."""
    browser.show(width, 900, scheme)
    browser.open(page.as_uri())

    assert browser.evaluate("document.querySelectorAll('.vega').length") == NUM_CHARTS
    assert browser.evaluate(UNDRAWN) == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert (
        browser.evaluate("window.hasRun === undefined && document.title")
        == "All kinds <script>window.top.hasRun=(1)</script>"
    )
    shade = browser.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] > 127")
    assert shade == (scheme == "light")
    picture = browser.screenshot(tmp_path / f"report-{width}-{scheme}.png")
    assert picture.stat().st_size > 50_000
    assert browser.take_messages() == []


def test_nothing_is_asked_of_the_network(browser: Page, page: Path):
    """The page is one file: it works on a plane."""
    browser.open(page.as_uri())
    browser.evaluate(UNDRAWN)

    assert browser.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)") == []


@pytest.mark.parametrize(("colour", "theme"), [("#222", "light"), ("#ddd", "dark")])
def test_a_cell_shows_the_page_under_the_rules_of_vs_code(
    browser: Page, report: Report, tmp_path: Path, colour: str, theme: str
):
    """The frame takes the colours of the text around it, grows to its page, and its links stay inside."""
    cell = armed(render_cell(report, "the report as text"))
    host = tmp_path / "host.html"
    host.write_text(
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{CODE_POLICY}">'
        f'<body style="color:{colour}"><div>{cell}</div>',
        encoding="utf-8",
    )
    browser.show(1000, 900)
    browser.open(host.as_uri())
    browser.wait("frames[0].vegaEmbed", 20)

    within = UNDRAWN.replace("document", "frames[0].document")
    assert browser.evaluate(within) == []
    assert (
        browser.evaluate("window.hasRun === undefined && frames[0].document.documentElement.dataset.theme")
        == theme
    )
    assert browser.evaluate("document.querySelector('iframe').clientHeight") == 720
    browser.evaluate("frames[0].document.querySelector('nav a[href=\"#tuner_results\"]').click()")
    browser.wait("frames[0].scrollY > 500")
    assert browser.evaluate("frames[0].location.href") == "about:srcdoc"
    assert browser.take_messages() == []


def test_sliders_tables_search_and_links_answer(browser: Page, page: Path):
    """What a reader does with a page: choose a threshold, sort, search, follow a link into a folded part."""
    browser.show()
    browser.open(page.as_uri())

    slide = "const box = document.querySelector('.slider'), input = box.querySelector('input'); input.value = 0; input.dispatchEvent(new Event('input')); return box.querySelector('dd').textContent"
    assert browser.evaluate(f"(() => {{{slide}}})()") == "0"
    search = "const box = document.querySelector('.features'), input = box.querySelector('input'); input.value = '0004'; input.dispatchEvent(new Event('input')); return box.querySelector('.count').textContent"
    assert browser.evaluate(f"(() => {{{search}}})()") == "1 of 12"
    sort = "const table = document.querySelector('table[data-sortable]'); table.querySelector('th:nth-child(2) button').click(); return [...table.tBodies[0].rows].map((row) => parseFloat(row.cells[1].textContent.replaceAll(',', '')))"
    values = browser.evaluate(f"(() => {{{sort}}})()")
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("num_features", "seconds", "num_bytes"), [(100, 2, 5_000_000), (5_000, 10, 16_000_000)]
)
def test_pages_of_many_features_open_fast(
    browser: Page, tmp_path: Path, num_features: int, seconds: int, num_bytes: int
):
    """The time is that of the page itself, from navigation to the end of loading."""
    subject = artifacts.statistics(tmp_path / "statistics", num_features)
    path = tmp_path / "many.html"
    path.write_text(render_page(Report("Many", "", render(subject))), encoding="utf-8")
    assert path.stat().st_size < num_bytes

    browser.open(path.as_uri())
    browser.wait("performance.timing.loadEventEnd")

    spent = browser.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
    assert spent < 1000 * seconds
    assert browser.evaluate("document.querySelectorAll('.list > details').length") == num_features
    opened = "const item = document.querySelectorAll('.list > details')[0]; item.open = true; return new Promise((go) => setTimeout(() => go(item.querySelectorAll('.body table').length), 300))"
    assert browser.evaluate(f"(() => {{{opened}}})()") >= 1
