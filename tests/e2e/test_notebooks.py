"""The notebooks run from the first cell to the last without a network, and JupyterLab shows what they drew."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jupyter_lab
import nbformat
import pytest
from browser import Page, find_chromium, open_browser
from offline import cut_off

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
TIMEOUT_SECONDS = 300
_SETTLE = "await new Promise((go) => setTimeout(go, 50));"
# Scrolls through the frame of a report; tells how many drawings it has and which of them are empty.
_DRAWINGS = """(async () => {
    const frame = [...document.querySelectorAll("iframe.headrace-report")][AT];
    frame.scrollIntoView();
    for (let times = 0; times < 200 && !frame.contentDocument?.querySelector("main"); times++) SETTLE
    const page = frame.contentDocument;
    const isDrawn = (place) => [...place.querySelectorAll("svg path")].some((path) => path.getTotalLength() > 3);
    const places = [...page.querySelectorAll(".vega, .graph, .hist")].filter((place) => place.checkVisibility());
    for (const place of places.filter((place) => place.className === "vega")) {
        place.scrollIntoView();
        for (let times = 0; times < 200 && !isDrawn(place); times++) SETTLE
    }
    return {
        title: page.title,
        theme: page.documentElement.dataset.theme,
        charts: page.querySelectorAll(".vega").length,
        drawn: places.length,
        empty: places.filter((place) => !isDrawn(place.matches("svg") ? place.parentElement : place)).length,
    };
})()""".replace("SETTLE", _SETTLE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder, and so one store, for all: what one notebook made, the next finds in the cache."""
    folder: Path = tmp_path_factory.mktemp("notebooks")
    for name in NAMES:
        shutil.copy(FOLDER / f"{name}.ipynb", folder)
    return folder


@pytest.fixture(scope="module")
def executed(place: Path) -> Callable[[str], Path]:
    """Execute a notebook as CI does, once; return the file with its outputs."""
    done: set[str] = set()

    def execute(name: str) -> Path:
        path = place / f"{name}.ipynb"
        if name not in done:
            arguments = ["execute", "--inplace", f"--timeout={TIMEOUT_SECONDS}", "--kernel_name=python3"]
            run = subprocess.run(
                cut_off([sys.executable, "-m", "jupyter", *arguments, str(path)]),
                check=False,
                cwd=place,
                capture_output=True,
                text=True,
                env=jupyter_lab.environment(place.parent / f"{place.name}-home"),
            )
            assert run.returncode == 0, run.stderr
            done.add(name)
        return path

    return execute


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name: str, executed: Callable[[str], Path]):
    notebook = nbformat.read(executed(name), as_version=4)

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    pages = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert any("<table" in page for page in pages)
    shown = sum(cell.source.count("context.show(") for cell in notebook.cells if cell.cell_type == "code")
    assert sum("headrace-report" in page for page in pages) == shown
    assert executed(name).stat().st_size < 3_000_000


def test_the_exported_pipeline_comes_from_the_cache(place: Path, executed: Callable[[str], Path]):
    """After its notebook ran: nothing is executed again."""
    executed("taxi_step_by_step")

    done = subprocess.run(
        [sys.executable, "-m", "headrace", "run", "taxi_exported.py", "--plain"],
        check=False,
        cwd=place,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": cached") == 6


@pytest.fixture(scope="module")
def lab(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Page]]:
    """JupyterLab on the folder of the notebooks, the home it was started with, and a browser."""
    find_chromium()
    home = tmp_path_factory.mktemp("home") / "home"
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(jupyter_lab.serve(place, home))
        yield address, home, stack.enter_context(open_browser(home / "chromium"))


def open_notebook(page: Page, address: str, path: Path) -> None:
    """Open a notebook and wait for the outputs of its cells."""
    page.show(1280, 900)
    page.open(f"{address}/lab/tree/{path.name}?reset")
    page.wait("document.querySelector('.jp-Notebook .jp-OutputArea-output')")


@pytest.mark.parametrize("name", ["model_analysis", "taxi_step_by_step", "data_validation"])
def test_jupyter_lab_draws_every_report(
    name: str, executed: Callable[[str], Path], lab: tuple[str, Path, Page], tmp_path: Path
):
    """Each `context.show` is a frame with the page of its artifact, and no drawing in it is empty."""
    address, home, page = lab
    path = executed(name)
    jupyter_lab.trust(path, home)
    shown = path.read_text(encoding="utf-8").count('<iframe class=\\"headrace-report')
    page.take_messages()

    open_notebook(page, address, path)
    page.wait(f"document.querySelectorAll('iframe.headrace-report').length === {shown}")
    found = [page.evaluate(_DRAWINGS.replace("AT", str(at))) for at in range(shown)]
    pictures = []
    for at in range(shown):
        page.evaluate(f"document.querySelectorAll('iframe.headrace-report')[{at}].scrollIntoView()")
        pictures.append(page.screenshot(tmp_path / f"{name}-{at}.png", whole=False))

    assert shown > 1
    assert [(one["title"], one["empty"]) for one in found if one["empty"]] == []
    assert all(one["drawn"] for one in found)
    assert name != "model_analysis" or sum(one["charts"] for one in found) >= 6
    assert {one["theme"] for one in found} == {"light"}
    assert all(picture.stat().st_size > 20_000 for picture in pictures)
    assert [message for message in page.take_messages() if "srcdoc" in message or "Vega" in message] == []


def test_reports_are_dark_in_a_dark_jupyter_lab(
    executed: Callable[[str], Path], lab: tuple[str, Path, Page], tmp_path: Path
):
    """Also where the desktop is light."""
    address, home, page = lab
    path = executed("model_analysis")
    jupyter_lab.trust(path, home)
    jupyter_lab.choose_theme(home, "JupyterLab Dark")

    open_notebook(page, address, path)
    page.wait("document.body.dataset.jpThemeLight === 'false'")
    page.wait("document.querySelector('iframe.headrace-report')")
    found = page.evaluate(_DRAWINGS.replace("AT", "0"))
    page.screenshot(tmp_path / "dark.png", whole=False)
    jupyter_lab.choose_theme(home, "JupyterLab Light")

    assert (found["theme"], found["empty"]) == ("dark", 0)


def test_a_notebook_that_is_not_trusted_shows_text(
    executed: Callable[[str], Path], place: Path, lab: tuple[str, Path, Page]
):
    """JupyterLab takes frames and scripts out of it: what remains says how to see them, and holds the tables."""
    address, _, page = lab
    notebook = nbformat.read(executed("model_analysis"), as_version=4)
    # The signature that the other tests made is of the file as it was.
    notebook.cells[0].source += "\n\nSent by mail."
    path = place / "mailed.ipynb"
    nbformat.write(notebook, path)

    open_notebook(page, address, path)
    page.wait("document.body.textContent.includes('is drawn in a trusted notebook only')")

    assert page.evaluate("document.querySelectorAll('iframe.headrace-report').length") == 0
    assert "Metrics of the whole data set" in page.evaluate("document.body.textContent")


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_kept_without_outputs_and_logic(name: str):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell for cell in code if cell.outputs or cell.execution_count]
    assert max(cell.source.count("\n") for cell in code) < 40
