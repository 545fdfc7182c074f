"""How large pages of many features are, and how soon they open in Chromium.

    python tests/benchmarks/report_pages.py --features 100 1000 5000

Prints, for each number of features: size of the page, seconds to write it, and the browser's own times from the
start of navigation to the end of loading, and to the frame in which the page is seen. A page of an evaluation with
all curves is measured too: it holds the chart library.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "integration")]

import report_artifacts as artifacts  # noqa: E402
from browser import Page, open_browser  # noqa: E402

from headrace.reports.artifacts.renderers import render  # noqa: E402
from headrace.reports.blocks.blocks import Report  # noqa: E402
from headrace.reports.blocks.pages import render_page  # noqa: E402
from headrace.store.read.subjects import Subject  # noqa: E402

_SEEN = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => go(performance.now()))))"
_LOADED = "performance.timing.loadEventEnd - performance.timing.navigationStart"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--features", type=int, nargs="+", default=[100, 1_000, 5_000])
    counts: list[int] = parser.parse_args().features
    print(f"{'page':<28}{'size':>10}{'written':>10}{'loaded':>10}{'seen':>10}")
    with tempfile.TemporaryDirectory() as root, open_browser(Path(root) / "profile") as browser:
        for count in counts:
            subject = artifacts.statistics(Path(root) / str(count), count)
            _measure(browser, f"statistics of {count:,} features", subject, Path(root))
        _measure(browser, "evaluation", artifacts.evaluation(Path(root) / "evaluation"), Path(root))


def _measure(browser: Page, name: str, subject: Subject, root: Path) -> None:
    started = time.perf_counter()
    text = render_page(Report(name, "", render(subject)))
    written = time.perf_counter() - started
    path = root / "page.html"
    path.write_text(text, encoding="utf-8")
    browser.open(path.as_uri())
    seen = browser.evaluate(_SEEN) / 1000
    browser.wait("performance.timing.loadEventEnd")
    loaded = browser.evaluate(_LOADED) / 1000
    print(f"{name:<28}{len(text.encode()) / 1e6:>7.2f} MB{written:>8.2f} s{loaded:>8.2f} s{seen:>8.2f} s")


if __name__ == "__main__":
    main()
