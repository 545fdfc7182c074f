"""Components run one at a time, on the engine, the store and the cache of scripts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodes
import pytest
import stored

import headrace
from headrace.authoring import Importer, Pipeline, standard_artifacts
from headrace.errors import DefinitionError, ExecutorError, InputResolutionError, StoreError
from headrace.usercode import cells

HERE = Path(__file__).parent


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(cells, "_folder", None)
    return str(tmp_path / "store")


@pytest.fixture
def context(store: str) -> Iterator[headrace.InteractiveContext]:
    made = headrace.InteractiveContext("test", store=store)
    yield made
    made.close()


def text_of(component: Any) -> str:
    [artifact] = component.outputs["out"].get()
    return nodes.read(artifact.uri)


def test_steps_share_outputs_store_and_cache_with_scripts(context: headrace.InteractiveContext, store: str):
    """What the notebook ran, a script finds in the cache, and the reverse; so does a restarted kernel."""
    make = nodes.Make(text="hello")
    use = nodes.Use(given=make.outputs["out"])

    first = context.run(make)
    second = context.run(use)

    assert (first.node.state.value, second.node.state.value) == ("done", "done")
    assert second.execution_id > first.execution_id
    assert text_of(use) == "used hello"
    assert second.outputs["out"].get() == use.outputs["out"].get()

    make = nodes.Make(text="hello")
    used = nodes.Use(given=make.outputs["out"])
    last = nodes.Constant(given=used.outputs["out"])
    script = headrace.run(Pipeline("test", components=[make, used, last]), store=store, show=False)
    assert [node.state.value for node in script.nodes] == ["cached", "cached", "done"]

    restarted = headrace.InteractiveContext("test", store=store)
    make = nodes.Make(text="hello")
    use = nodes.Use(given=make.outputs["out"])
    last = nodes.Constant(given=use.outputs["out"])
    assert [restarted.run(part).node.state.value for part in (make, use, last)] == ["cached"] * 3
    assert restarted.run(last, cache=False).node.state.value == "done"
    restarted.close()


def test_inputs_are_those_of_this_session_not_the_newest(
    context: headrace.InteractiveContext, store: str, capsys: pytest.CaptureFixture[str]
):
    """A script that runs in between makes newer outputs; the session goes on with its own."""
    make = nodes.Make(text="mine")
    context.run(make)
    headrace.run(Pipeline("test", components=[nodes.Make(text="theirs")]), store=store, show=False)
    use = nodes.Use(given=make.outputs["out"])

    result = context.run(use)

    assert text_of(use) == "used mine"
    assert result.notes == ()
    assert "Use: done in" in capsys.readouterr().err
    assert repr(result).startswith("Use ran in ")


def test_a_failure_names_the_cause_and_later_steps_go_on(context: headrace.InteractiveContext):
    make = nodes.Make()
    context.run(make)

    with pytest.raises(ExecutorError, match="ValueError: nothing good comes of this") as caught:
        context.run(nodes.Fail(given=make.outputs["out"]))

    assert "headrace resume" not in str(caught.value)
    assert context.run(nodes.Use(given=make.outputs["out"])).node.state.value == "done"


def test_files_that_are_gone_are_said_so_and_can_be_made_again(
    context: headrace.InteractiveContext, store: str
):
    """The reader sees the artifact, the run that made it, and the calls that make it again."""
    make = nodes.Make()
    first = context.run(make)
    [artifact] = make.outputs["out"].get()
    shutil.rmtree(artifact.uri)
    use = nodes.Use(given=make.outputs["out"])

    with pytest.raises(InputResolutionError) as caught:
        context.run(use)
    with pytest.raises(InputResolutionError) as shown:
        context.show(make.outputs["out"])

    gone = f"the files of Schema {artifact.id} are gone: there is no {artifact.uri}. Run {first.run_id} made them.\n"
    assert str(caught.value) == (
        f"Use: {gone}  Fix: make them again: context.run(make), then context.run(use)."
    )
    assert str(shown.value) == f"{gone}  Fix: make them again: context.run(make)."
    with pytest.raises(InputResolutionError) as restarted:
        headrace.InteractiveContext("test", store=store).show(artifact)
    assert str(restarted.value) == (f"{gone}  Fix: run Make again, as that run did: context.run(make)")
    assert context.run(make).node.state.value == "done"
    assert context.run(use).node.state.value == "done"


def test_show_takes_all_that_a_pipeline_has(
    context: headrace.InteractiveContext, capsys: pytest.CaptureFixture[str]
):
    """Channels, artifacts, lists of them, components, results and names; what is none of them is printed."""
    make = nodes.Make(text="hello")
    use = nodes.Use(given=make.outputs["out"])
    result = context.run(make)
    context.run(use)
    [artifact] = make.outputs["out"].get()

    def shown(item: Any) -> str:
        capsys.readouterr()
        context.show(item)
        return capsys.readouterr().out

    whole = shown(make.outputs["out"])
    assert whole.startswith(f"Schema {artifact.id}\nMake.out of pipeline test, run {result.run_id}, ")
    assert shown(artifact) == shown([artifact]) == shown(f"{result.run_id}/Make.out") == whole
    both = shown([artifact, use.outputs["out"]])
    assert both.startswith("2 artifacts\nSchema\n")
    assert shown(use.outputs["out"]).splitlines()[1] in both
    assert shown({"a": make.outputs, "b": use.outputs}).startswith("2 artifacts\n")
    assert shown(make).startswith(f"Make  done\nrun {result.run_id}\n")
    assert shown(result) == shown(make)
    assert shown(result.run_id).startswith(f"test {result.run_id}  done\n1 node in ")
    assert shown("latest").startswith("test ")
    assert shown({"no": "pipeline"}) == "{'no': 'pipeline'}\n"


def test_show_says_what_to_run_first(
    context: headrace.InteractiveContext, capsys: pytest.CaptureFixture[str]
):
    """A channel of a component that was not run, and one behind others that were not; a component explains itself."""
    make = nodes.Make()
    use = nodes.Use(given=make.outputs["out"])

    with pytest.raises(InputResolutionError) as first:
        context.show(make.outputs["out"])
    with pytest.raises(InputResolutionError) as second:
        context.show(use.outputs["out"])
    context.show(use)

    assert str(first.value) == (
        "there is nothing to show: Make was not run in this context.\n  Fix: run it first: context.run(make)."
    )
    order = "run in this order: context.run(make), context.run(use)."
    assert second.value.fix.startswith(order)
    out = capsys.readouterr().out
    assert out.startswith("Use  not run\n")
    assert order in " ".join(out.split())


def test_show_tells_artifacts_of_other_stores_and_other_types(
    context: headrace.InteractiveContext, tmp_path: Path
):
    stray = standard_artifacts.Schema()
    stray.uri = str(tmp_path)

    with pytest.raises(InputResolutionError, match=r"^this Schema is not in the store ") as caught:
        context.show(stray)
    assert "context.show(component.outputs['key'])" in str(caught.value)

    make = nodes.Make()
    model = nodes.MakeModel(text="x")
    context.run(make)
    context.run(model)
    with pytest.raises(StoreError, match="cannot be compared with Model"):
        context.show(make.outputs["out"], other=model.outputs["model"])
    with pytest.raises(DefinitionError) as many:
        context.show([make.outputs["out"], model.outputs["model"]], other=make.outputs["out"])
    assert str(many.value) == (
        "one artifact is compared with one other; given: 2 artifacts.\n  Fix: give one of each, such as "
        "context.show(component.outputs['key'], other=earlier.outputs['key'])."
    )
    with pytest.raises(DefinitionError, match="given: a run or a component"):
        context.show(make, other=make.outputs["out"])
    with pytest.raises(StoreError, match="has no run 'latst'"):
        context.show("latst")


def test_importers_resolvers_and_conditions_work(
    context: headrace.InteractiveContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source = tmp_path / "given"
    source.mkdir()
    nodes.write(str(source), "from outside")
    importer = Importer(source_uri=str(source), artifact_type=standard_artifacts.Schema).with_id("Outside")
    use = nodes.Use(given=importer.outputs["result"])

    context.run(importer)
    context.run(use)
    capsys.readouterr()
    context.show(use.outputs["out"])

    assert text_of(use) == "used from outside"
    assert re.match(r"Schema \d+\nUse.out of pipeline test, run ", capsys.readouterr().out)


def test_an_export_hits_the_cache(
    context: headrace.InteractiveContext, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make = nodes.Make(text="hello")
    use = headrace.options(nodes.Use(given=make.outputs["out"]).with_id("Second"), retries=2)
    context.run(make)
    context.run(use)
    path = tmp_path / "pipeline.py"

    context.export(str(path))

    assert path.read_text() == textwrap.dedent(f'''\
        """The pipeline 'test', exported from an interactive session.

        Run it with: headrace run {path} --store {store}
        """

        from __future__ import annotations

        from headrace import options
        from headrace.authoring import Pipeline
        from nodes import Make, Use


        def create_pipeline() -> Pipeline:
            """Return the pipeline."""
            make = Make(text="hello")
            second = Use(given=make.outputs["out"]).with_id("Second")
            options(second, retries=2)
            return Pipeline("test", components=[make, second])
        ''')
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    assert _states(path, store) == ["cached", "cached"]


def _states(path: Path, store: str) -> list[str]:
    """Run a pipeline file as a person would; return how its nodes ended."""

    subprocess.run(
        [sys.executable, "-m", "headrace", "run", str(path), "--store", store, "--quiet"],
        check=True,
        cwd=path.parent,
        capture_output=True,
    )
    return [node.state.value for node in stored.read_run(store, "latest").nodes]


SESSION = """
import shutil
import sys

import tensorflow as tf
import tensorflow_transform as tft

from headrace import InteractiveContext
from headrace.components import CsvExampleGen, SchemaGen, StatisticsGen, Transform
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

context = InteractiveContext("small", store="store")
example_gen = CsvExampleGen(input_base="data")
context.run(example_gen)
statistics_gen = StatisticsGen(examples=example_gen.outputs["examples"])
context.run(statistics_gen)
schema_gen = SchemaGen(statistics=statistics_gen.outputs["statistics"])
context.run(schema_gen)

NUMBERS = ["fare"]


def scale(column):
    return tft.scale_to_z_score(tf.cast(column, tf.float32))


def preprocessing_fn(inputs):
    return {name + "_xf": scale(inputs[name]) for name in NUMBERS}


other = InteractiveContext("other", store="other")
transform = Transform(
    examples=example_gen.outputs["examples"],
    schema=schema_gen.outputs["schema"],
    preprocessing_fn=preprocessing_fn,
)
shutil.rmtree("other")
context.run(transform)


@component
def Count(schema: InputArtifact[standard_artifacts.Schema], out: OutputArtifact[standard_artifacts.Schema]):
    import os

    with open(os.path.join(out.uri, "names"), "w") as file:
        file.write(" ".join([*sorted(os.listdir(schema.uri)), *NUMBERS]))


count = Count(schema=schema_gen.outputs["schema"])
print(context.run(count).node.state.value)
print(open(count.outputs["out"].get()[0].uri + "/names").read())
context.export("exported.py")
"""


def test_functions_and_components_of_main_work_and_are_exported(tmp_path: Path):
    """A plain script in CI, without a guard: its functions reach the workers, the export hits the cache.

    Another session, begun since and with its store gone, has no part in it.
    """
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "data.csv").write_text(
        "fare,company\n" + "\n".join(f"{number}.5,c{number % 3}" for number in range(60)) + "\n"
    )
    (tmp_path / "session.py").write_text(SESSION)

    done = subprocess.run(
        [sys.executable, "session.py"], check=False, cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\nschema.pbtxt fare\n"
    assert sorted(path.name for path in tmp_path.glob("exported*.py")) == [
        "exported.py",
        "exported_Count.py",
        "exported_preprocessing_fn.py",
    ]
    assert _states(tmp_path / "exported.py", str(tmp_path / "store")) == ["cached"] * 5
