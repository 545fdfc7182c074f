"""Artifact types that other distributions bring: found by entry point, shown as Headrace's own, and never in the way."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from small_stores import SmallStore, node_record

from headrace.artifact_types import ArtifactType, registry
from headrace.cli.main import cli
from headrace.errors import DefinitionError
from headrace.notebook import pages, texts, views
from headrace.reports.artifacts.page import artifact_report
from headrace.store.open.store import Store
from headrace.store.session import open_store
from headrace.ui.screen import Screen
from headrace.ui.summary import print_summary
from headrace.ui.symbols import UNICODE

README = Path(__file__).parents[3] / "README.md"
PLACE = "drifts:drift of drift-types 1.0"
MODULE = """
import json, os
from headrace.artifact_types import ArtifactType, Change, Headline
from headrace.reports.blocks import Note, Table

def read(artifact):
    with open(os.path.join(artifact.uri, "drift.json")) as file:
        return json.load(file)

def changes(old, new):
    for name in new:
        if old.get(name) != new[name]:
            yield Change("Drift", "", name, old.get(name), new[name])

def page(subject):
    rows = [[name, value] for name, value in read(subject.artifact).items()]
    return [Note(f"{len(rows)} features drift.", "warning"), Table(["feature", "distance"], rows)]

def overlay(subject, other):
    return [Note(f"{read(subject.artifact)['fare']} against {read(other.artifact)['fare']}")]

drift = ArtifactType(
    read=read,
    summarize=lambda found: f"{len(found)} features drift",
    changes=changes,
    page=page,
    overlay=overlay,
    headline=Headline("Drift", lambda summary: "bad"),
)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a small distribution: a folder on `sys.path` with its module and its entry point."""

    def install(module: str = MODULE, name: str = "drift-types", value: str = "drifts:drift") -> None:
        site = tmp_path / f"site-{name}"
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[headrace.artifacts]\nDrift = {value}\n")
        (site / "drifts.py").write_text(module)
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, "drifts", raising=False)

    return install


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with two runs, each of which made a Drift without a summary."""
    monkeypatch.chdir(tmp_path)
    registry._search.cache_clear()
    with Store(".headrace").open() as opened:
        small = SmallStore(opened)
        for number, distance in ((1, 0.25), (2, 0.5)):
            folder = tmp_path / f"drift-{number}"
            artifact = small.artifact(folder, "Drift", headrace_digest=str(number))
            (folder / "drift.json").write_text(json.dumps({"fare": distance, "tips": 0.125}))
            made = small.execution({"drift": [artifact]}, run_id=f"run-{number}", node="p.Watch")
            output = {"key": "drift", "type_name": "Drift", "artifact_id": artifact, "uri": str(folder)}
            node = node_record(
                "Watch", outputs=[{**output, "summary": "2 drift"}], execution_id=made, log_path="log"
            )
            small.record(f"run-{number}", nodes=[node], pipeline_name="p")


def headrace(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), env={"COLUMNS": "110"}, catch_exceptions=False)


def test_show_and_the_page_draw_it(install, tmp_path: Path):
    """As text, as HTML, on the page of a run, and two over each other."""
    install()

    shown = headrace("show", "1")
    headrace("show", "1", "--html", "drift.html")
    headrace("report", "run-1", "--out", "run.html")

    assert ["holds", "2", "features", "drift"] in [line.split() for line in shown.stdout.splitlines()]
    assert "2 features drift." in shown.stdout
    assert "distance" in shown.stdout
    assert "2 features drift." in (tmp_path / "drift.html").read_text()
    assert "2 features drift." in (tmp_path / "run.html").read_text()
    assert "0.25 against 0.5" in headrace("show", "1", "--with", "2").stdout


def test_the_readme_shows_how(install):
    """Its example is whole."""
    section = README.read_text().partition("## Artifact types of your own\n")[2]
    install(section.partition("```python\n")[2].partition("```\n")[0])

    shown = headrace("show", "1").stdout

    assert "2 features drift." in shown
    assert ["fare", "0.25"] in [line.split() for line in shown.splitlines()]
    assert "+0.25" in headrace("diff", "run-1", "run-2").stdout
    assert 'entry-points."headrace.artifacts"' in section


def test_a_notebook_draws_it(install, monkeypatch: pytest.MonkeyPatch):
    """Both what `context.show` puts into a cell, and an artifact as the last line of one."""
    install()
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(views, "is_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))

    with open_store() as stored:
        artifact = stored.subject(1).artifact
        views.show_report(artifact_report(stored, "1"))

    packed = re.search(r"atob\(&#34;([^&]+)&#34;", shown[0]["text/html"])
    assert packed is not None
    assert "2 features drift." in gzip.decompress(base64.b64decode(packed[1])).decode()
    assert "2 features drift." in shown[0]["text/plain"]
    assert "2 features drift" in pages.artifact_page(artifact)
    assert "  holds: 2 features drift" in texts.artifact_text(artifact)


def test_two_are_compared(install):
    """In a table under the name that the type gives it, and in JSON."""
    install()

    rows = [line.split() for line in headrace("diff", "run-1", "run-2").stdout.splitlines()]
    found = json.loads(headrace("diff", "run-1", "run-2", "--json").stdout)

    assert ["Drift"] in rows
    assert ["Watch.drift", "fare", "0.25", "0.5", "+0.25"] in rows
    assert found["others"] == [
        {
            "where": "Watch.drift",
            "part": "",
            "name": "fare",
            "old": 0.25,
            "new": 0.5,
            "type_name": "Drift",
            "table": "Drift",
        }
    ]


def summary_of(run_id: str) -> list[str]:
    """The lines that are left on the screen when a run has ended."""
    file = io.StringIO()
    with open_store() as stored:
        print_summary(Screen(Console(file=file, width=110), UNICODE, is_live=False), stored.run(run_id))
    return file.getvalue().splitlines()


def test_the_end_of_a_run_tells_its_line(install):
    install()

    assert "Drift    Watch: 2 drift" in summary_of("run-1")


FAILURES = {
    "import": ("import nothing_of_that_name", "cannot be loaded to show Drift: ModuleNotFoundError: "),
    "exit": ("raise SystemExit(3)", "cannot be loaded to show Drift: SystemExit: 3"),
    "missing": ("other = 1", "cannot be loaded to show Drift: AttributeError: "),
    "lines": ("raise ValueError('one\\n  two')", "cannot be loaded to show Drift: ValueError: one two."),
    "headline": (
        "from headrace.artifact_types import ArtifactType, Headline\ndrift = ArtifactType(headline=Headline(None))",
        "cannot be loaded to show Drift: DefinitionError: Headline: label is None, no text.",
    ),
    "wrong": ("drift = print", "is a builtin_function_or_method, no headrace.artifact_types.ArtifactType"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_what_cannot_be_loaded_is_told_once(install, tmp_path: Path, kind: str):
    """Its properties and files are shown in its place; runs, their pages and comparisons go on."""
    module, problem = FAILURES[kind]
    install(module)

    shown = " ".join(headrace("show", "1").stdout.split())
    headrace("report", "run-1", "--out", "run.html")
    lines = summary_of("run-1")

    assert shown.count(f"{PLACE} {problem}") == 1
    assert "Only properties and files are shown." in shown
    assert "drift.json" in shown
    assert PLACE in (tmp_path / "run.html").read_text()
    assert sum(PLACE in line for line in lines) == 1
    assert any("Watch" in line and "2 drift" in line for line in lines)
    assert PLACE in " ".join(headrace("diff", "run-1", "run-2").stdout.split())


RAISING = {
    "raise ValueError('no')": "ValueError: no",
    "import sys; sys.exit(2)": "SystemExit: 2",
    "return None": "TypeError: it returned a NoneType where a list of blocks is needed",
    "return ['text']": "TypeError: it returned a str among its blocks",
    "return [Table(['a'], [[{}]])]": "TypeError: ",
    "return [Chart('', {'data': print}, '')]": "TypeError: ",
}


@pytest.mark.parametrize("body", RAISING)
def test_a_renderer_that_fails_is_told(install, tmp_path: Path, body: str):
    """Whatever it raises or returns, the generic page stands in its place."""
    install(
        "from headrace.artifact_types import ArtifactType\nfrom headrace.reports.blocks import Chart, Table\n"
        f"def page(subject):\n    {body}\ndrift = ArtifactType(page=page)\n"
    )

    shown = headrace("show", "1").stdout
    headrace("show", "1", "--html", "drift.html")

    assert f"{PLACE} failed to show Drift 1." in shown
    assert RAISING[body] in shown
    assert "drift.json" in shown
    assert "failed to show Drift 1." in (tmp_path / "drift.html").read_text()


@pytest.mark.parametrize(
    ("body", "problem"),
    [("raise KeyError('fare')", "KeyError: 'fare'"), ("yield 3", "TypeError: 3 is no Change from a number")],
)
def test_a_comparison_that_fails_is_told(install, body: str, problem: str):
    install(MODULE.replace("for name in new:", f"{body}\n    for name in new:"))

    found = headrace("diff", "run-1", "run-2").stdout

    assert f"Watch.drift is not compared: {PLACE} failed, {problem}" in " ".join(found.split())


@pytest.mark.parametrize(
    ("tone", "problem"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("[]", "TypeError: unhashable type: 'list'")],
)
def test_a_line_that_fails_is_told(install, tone: str, problem: str):
    """It has no colour then."""
    install(MODULE.replace('lambda summary: "bad"', f"lambda summary: {tone}"))

    lines = summary_of("run-1")

    assert "Drift    Watch: 2 drift" in lines
    assert f"Note     {PLACE} failed to colour a Drift: {problem}" in lines


def test_what_it_prints_is_no_output_of_a_command(install):
    """A program that reads `--json` finds JSON alone; the rest goes to standard error."""
    noise = 'print("noise")\n'
    install(noise + re.sub(r"(def \w+\(.*\):\n)", rf"\1    {noise}", MODULE))

    assert json.loads(headrace("diff", "run-1", "run-2", "--json").stdout)["others"]
    shown = headrace("show", "1")
    assert "noise" not in shown.stdout
    assert "noise" in shown.stderr
    assert "noise" not in headrace("show", "run-1").stdout


@pytest.mark.parametrize(
    ("summary", "line"),
    [('"two\\n lines"', "two lines"), ("None", ""), ("1 / 0", "")],
    ids=["lines", "none", "raises"],
)
def test_what_it_says_is_one_line_or_nothing(install, summary: str, line: str):
    install(MODULE.replace('f"{len(found)} features drift",\n    changes', f"{summary},\n    changes"))

    with open_store() as stored:
        assert registry.computed_summary(stored.subject(1).artifact) == line


def test_of_two_distributions_neither_is_taken(install):
    """The reader decides which goes, not the order of installation."""
    install()
    install(name="other-types", value="others:drift")

    assert registry.find("Drift").problem == (
        "Drift is registered more than once: drifts:drift of drift-types 1.0 and others:drift of other-types 1.0. Uninstall "
        "all but one of them. Only properties and files are shown."
    )


def test_what_is_installed_later_is_found(install):
    """A notebook's kernel lives on."""
    assert registry.find("Drift").artifact_type.page is None

    install()

    assert registry.find("Drift").place == PLACE


def test_known_types_are_shown_without_a_look_at_what_is_installed(monkeypatch: pytest.MonkeyPatch):
    """The look takes as long as a fifth of a start; and nobody's package takes over the page of a Model."""

    looked: list[str] = []

    def entry_points(group: str, name: str) -> None:
        looked.append(name)
        raise KeyError("Name")

    monkeypatch.setattr(metadata, "entry_points", entry_points)

    assert registry.find("Model").artifact_type.page is not None
    assert looked == []
    assert registry.find("Drift").problem == (
        "what is installed to show Drift cannot be looked up: KeyError: 'Name'. Only properties and files are shown."
    )


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"page": 3}, "ArtifactType: page is 3, which cannot be called."),
        ({"headline": "Drift"}, "ArtifactType: headline is 'Drift', no Headline."),
        (
            {"summarize": str},
            "ArtifactType: summarize and changes are given what read returns, and there is no read.",
        ),
    ],
)
def test_a_wrong_part_is_refused_where_it_is_given(parts, problem):
    with pytest.raises(DefinitionError) as caught:
        ArtifactType(**parts)

    assert caught.value.problem == problem
