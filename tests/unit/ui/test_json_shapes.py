"""What `--json` prints, and how runs are recorded: its keys stay those of its number."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from json_keys import keys_of, misfits
from small_stores import SmallStore, node_record

from headrace.cli.commands.doctor import _check_data
from headrace.cli.machine.checks import Check
from headrace.cli.main import cli
from headrace.files import payloads
from headrace.store.open.store import Store
from headrace.store.read.executions import INGREDIENTS_PROPERTY
from headrace.store.record.publications import publish_run
from headrace.store.records import RECORD_PROPERTY, RUN_FORMAT, RunShape
from headrace.store.session import open_store
from headrace.ui import artifact_shapes, json_shapes
from headrace.ui.json_shapes import FORMATS

TESTS = Path(__file__).parents[2]
SHAPES = {name: (shape, number) for shape, (number, name) in FORMATS.items()} | {
    "record of a run": (RunShape, RUN_FORMAT),
    "headrace show ARTIFACT --json": artifact_shapes.SHOWN,
    "headrace show --json of another type": artifact_shapes.OTHER,
    **{f"headrace show --json of {name}": held for name, held in artifact_shapes.HELD.items()},
}


@pytest.mark.parametrize("name", list(SHAPES))
def test_a_shape_has_the_keys_of_its_number(name: str):
    """A number says what a reader finds. See "Formats" in `src/README.md`."""
    shape, number = SHAPES[name]
    numbers = json.loads((TESTS / "data" / "formats.json").read_text())[name]
    known, keys = numbers[str(number)], keys_of(shape)

    changed = sorted(key for key in known if keys.get(key) != known[key])
    assert not changed, (
        f"{name}: {changed} are gone or changed: raise the number, and list the keys of the new one"
    )
    assert not (added := sorted(keys.keys() - known.keys())), (
        f"{name}: add {added} to those of number {number}"
    )
    assert sorted(map(int, numbers)) == list(range(1, number + 1)), "the keys of earlier numbers stay listed"


@pytest.mark.parametrize("name", list(SHAPES))
def test_the_page_for_readers_names_every_key(name: str):
    shape, number = SHAPES[name]
    page = (TESTS.parent / "src" / "README.md").read_text()
    [row] = [line for line in page.splitlines() if line.startswith((f"| `{name}` |", f"| {name} |"))]

    assert f"| {number} |" in row
    keys = {part for key in keys_of(shape) for part in key.split(".")} - {"format"}
    # An explanation's differences are described once.
    inner = {"kind", "note", "files", "change", "lines"} if name == "headrace diff --json" else set()
    assert keys - inner <= set(re.findall(r"`([\w%]+)`", row))


@pytest.fixture
def path(tmp_path: Path, monkeypatch) -> Path:
    """A store with two runs that differ, a failed node, a damaged artifact and one to collect."""
    monkeypatch.chdir(tmp_path)
    with Store(".headrace").open() as store:
        small = SmallStore(store)
        for number in (1, 2):
            folder = tmp_path / ".headrace" / "artifacts" / "p" / "A" / "out" / str(number)
            artifact = small.artifact(folder, "Schema")
            (folder / "file").write_text(str(number))
            [proto] = small.mlmd.get_artifacts_by_id([artifact])
            proto.custom_properties["headrace_digest"].string_value = payloads.tree_digest(str(folder))
            small.mlmd.put_artifacts([proto])
            made = small.execution({"out": [artifact]}, run_id=f"run-{number}", node="p.A")
            [execution] = small.mlmd.get_executions_by_id([made])
            what = {
                "parameters": {"steps": number},
                "executor_source": str(number),
                "sources": {"executor": {"a.py": str(number)}},
            }
            execution.custom_properties[INGREDIENTS_PROPERTY].string_value = json.dumps(what)
            small.mlmd.put_executions([execution])
            small.execution(inputs={"given": [artifact]}, run_id=f"run-{number}", node="p.B")
            output = {
                "key": "out",
                "type_name": "Schema",
                "artifact_id": artifact,
                "uri": str(folder),
                "summary": "",
            }
            nodes = [
                node_record("A", outputs=[output], execution_id=made),
                node_record("B", "failed", error=["DataError", "too few rows.", "add some."]),
            ]
            details = {"command": f"headrace run p --set steps={number}"}
            small.record(f"run-{number}", "failed", nodes, pipeline_name="p", details=details)
        (folder / "file").write_text("other")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("runs", list[json_shapes.RunLine]),
        ("show run-1", json_shapes.RunData),
        ("artifacts", list[json_shapes.ArtifactLine]),
        ("lineage 1", json_shapes.LineageData),
        ("explain run-2 A", json_shapes.ExplanationData),
        ("diff run-1 run-2", json_shapes.RunDifferenceData),
        ("gc --dry-run --keep-last 0", json_shapes.GarbageData),
        ("gc --keep-last 0", json_shapes.CollectedData),
        ("doctor --verify", list[json_shapes.DamageLine]),
        ("list", list[json_shapes.PipelineLine]),
    ],
)
def test_a_command_prints_its_shape(path: Path, command: str, kind: Any):
    done = CliRunner().invoke(cli, [*command.split(), "--json"], catch_exceptions=False)

    printed = json.loads(done.stdout)
    assert printed
    assert list(misfits(printed, kind)) == []
    first = printed[0] if isinstance(printed, list) else printed
    assert first["format"] == 1


def test_the_parts_of_those_shapes_are_printed_too(path: Path):
    """Else nothing above would look into them."""

    def printed(command: str) -> Any:
        return json.loads(CliRunner().invoke(cli, [*command.split(), "--json"]).stdout)

    assert printed("show run-1")["nodes"][1]["error"]["type"] == "DataError"
    assert printed("lineage 1")["down"][0]["node_id"] == "B"
    assert printed("explain run-2 A")["differences"][0]["files"][0]["name"] == "a.py"
    assert printed("diff run-1 run-2")["settings"][0]["name"] == "command"
    assert printed("diff run-1 run-2")["payloads"][0]["key"] == "out"
    assert printed("gc --dry-run --keep-last 0")["types"]["Schema"]["num_artifacts"] == 1
    check = _check_data(Check("Python", "good", "3.10"))
    assert list(misfits(check, json_shapes.CheckLine)) == []


def test_a_run_is_recorded_in_its_shape(path: Path):
    with open_store() as stored:
        run, started = stored.run("run-1"), next(stored.runs()).started
    with Store(".headrace").open() as store:
        publish_run(store, run, "failed", started, {})
        with store.handle() as handle:
            context = handle.store.get_context_by_type_and_name("pipeline_run", "run-1")

    record = json.loads(context.custom_properties[RECORD_PROPERTY].string_value)

    assert list(misfits(record, RunShape)) == []
    assert record["format"] == RUN_FORMAT
