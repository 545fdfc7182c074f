"""A report in a real browser: charts are drawn, hostile names stay text, thousands of features open fast."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

import report_artifacts as artifacts

from headrace.reports.blocks import Report, Section
from headrace.reports.pages import render_page
from headrace.reports.renderers import render

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser; installed where it is missing and this machine's packages allow it."""
    for attempt in range(2):
        for name in ("chromium", "chromium-browser", "google-chrome"):
            path = shutil.which(name)
            if path:
                return path
        if not attempt and shutil.which("apt-get") and os.geteuid() == 0:
            subprocess.run(
                ["apt-get", "install", "-y", "chromium"], capture_output=True, timeout=300, check=False
            )
    pytest.skip("no chromium on this machine, and apt-get could not install it: apt-get install chromium")


def browse(chromium: str, page: Path, profile: Path, *more: str, width: int = 1280) -> str:
    """Open a page, scroll nowhere, and return its document after its scripts have run."""
    command = [
        chromium,
        *_FLAGS,
        f"--user-data-dir={profile}",
        f"--window-size={width},20000",
        "--virtual-time-budget=10000",
    ]
    done = subprocess.run(
        [*command, *more, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def at_the_end(page: str, script: str) -> str:
    """Put a script last; the chart library holds a `</body>` of its own."""
    before, _, after = page.rpartition("</body>")
    return f"{before}{script}</body>{after}"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("page")
    kinds = ("examples", "statistics", "anomalies", "evaluation", "model_run", "tuner_results")
    sections = [Section(kind, render(getattr(artifacts, kind)(root / kind))) for kind in kinds]
    path = root / "report.html"
    # A script of the data that ran would change the title.
    text = render_page(Report("All kinds", artifacts.HOSTILE, sections)).replace(
        "alert(", "document.title='RAN'+("
    )
    path.write_text(text, encoding="utf-8")
    return path


def test_charts_are_drawn_and_hostile_names_are_text(chromium, page, tmp_path):
    """Each chart holds an SVG with marks in it; nothing from the data ran."""
    document = browse(chromium, page, tmp_path)

    drawn = re.findall(r'<div class="vega[^"]*"[^>]*>.*?</svg>', document, re.DOTALL)
    assert len(drawn) == document.count('<div class="vega') == 8
    assert all(re.search(r'<path [^>]*d="M[^"]{4,}"', chart) for chart in drawn)
    assert "<title>All kinds</title>" in document
    assert ">This chart cannot be drawn" not in document


def test_a_phone_scrolls_down_only(chromium, page, tmp_path):
    """Nothing is wider than 390 pixels: what is wide scrolls in itself."""
    probe = page.with_name("phone.html")
    script = "<script>addEventListener('load',()=>setTimeout(()=>{document.title=`W${document.documentElement.scrollWidth}/${innerWidth}`},4000))</script>"
    probe.write_text(at_the_end(page.read_text(encoding="utf-8"), script), encoding="utf-8")

    # Chromium's windows are 500 pixels wide or more: a frame is not.
    frame = page.with_name("frame.html")
    frame.write_text(
        f'<iframe src="{probe.name}" style="width:390px;height:20000px;border:0"></iframe>', encoding="utf-8"
    )
    title = "document.title=document.querySelector('iframe').contentDocument.title"
    frame.write_text(
        frame.read_text() + f"<script>setTimeout(()=>{{{title}}},6000)</script>", encoding="utf-8"
    )
    document = browse(chromium, frame, tmp_path, "--allow-file-access-from-files")

    found = re.search(r"<title>W(\d+)/(\d+)</title>", document)
    assert found is not None
    assert found[1] == found[2] == "390"


@pytest.mark.parametrize(("num_features", "seconds"), [(100, 2), (5_000, 10)])
def test_pages_of_many_features_open_fast(chromium, tmp_path, num_features, seconds):
    """The time is that of the page itself, from navigation to the end of loading."""
    subject = artifacts.statistics(tmp_path / "statistics", num_features)
    text = render_page(Report("Many", "", render(subject)))
    script = "<script>addEventListener('load',()=>setTimeout(()=>{document.title=`T${performance.timing.loadEventEnd-performance.timing.navigationStart}`}))</script>"
    path = tmp_path / "many.html"
    path.write_text(at_the_end(text, script), encoding="utf-8")
    assert len(text) < (5_000_000 if num_features == 100 else 16_000_000)

    started = time.monotonic()
    document = browse(chromium, path, tmp_path / "profile")
    elapsed = time.monotonic() - started

    found = re.search(r"<title>T(\d+)</title>", document)
    assert found is not None
    assert int(found[1]) < 1000 * seconds, elapsed
    assert document.count("<details data-keys") == num_features
