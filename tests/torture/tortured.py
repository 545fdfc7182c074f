"""The pipelines that are disturbed, small enough to be run thousands of times.

TFX reads the annotations of function components when they are defined, so this module postpones none.
"""

import os
import tempfile
import time

from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
    from tfx.dsl.component.experimental.decorators import component
    from tfx.types.standard_artifacts import Schema

_STEPS = 3


def _write(folder: str, text: str) -> None:
    """Write in steps, into two files, one in a folder of its own: a half is seen where it stays."""
    inner = os.path.join(folder, "inner")
    os.makedirs(inner, exist_ok=True)
    tempfile.mkdtemp()
    for end in range(1, _STEPS + 1):
        for path in (os.path.join(folder, "text"), os.path.join(inner, "text")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text[: len(text) * end // _STEPS])
        time.sleep(0.05)


def read(folder: str) -> str:
    """Return what a node wrote."""
    with open(os.path.join(folder, "text"), encoding="utf-8") as file:
        return file.read()


@component
def Begin(out: OutputArtifact[Schema], text: Parameter[str]):
    _write(out.uri, text)


@component
def Use(given: InputArtifact[Schema], out: OutputArtifact[Schema], name: Parameter[str]):
    _write(out.uri, f"{name} of {read(given.uri)}")


@component
def Join(given: InputArtifact[list[Schema]], out: OutputArtifact[Schema]):
    _write(out.uri, "+".join(sorted(read(artifact.uri) for artifact in given)))


@component
def Fragile(out: OutputArtifact[Schema], text: Parameter[str], stone: Parameter[str]):
    """Fails as long as there is a file `stone`, after half its work."""
    _write(out.uri, text[:1])
    if os.path.exists(stone):
        raise RuntimeError("there is a stone in the way")
    _write(out.uri, text)


def small(seed: str = "seed"):
    """Four nodes: one, two that use it, of which one is joined when both are done."""
    from headrace.authoring import Pipeline

    first = Begin(text=seed).with_id("First")
    left = Use(given=first.outputs["out"], name="left").with_id("Left")
    right = Use(given=first.outputs["out"], name="right").with_id("Right")
    last = Join(given=left.outputs["out"]).with_id("Last")
    last.add_upstream_node(right)
    return Pipeline("small", components=[first, left, right, last])


def wide(seed: str = "seed", stone: str = ""):
    """Five nodes that wait for nobody; one of them fails while `stone` exists."""
    from headrace.authoring import Pipeline

    others = [Begin(text=f"{seed} {number}").with_id(f"Node{number}") for number in range(4)]
    fragile = Fragile(text=seed, stone=stone).with_id("Fragile")
    return Pipeline("wide", components=[*others[:2], fragile, *others[2:]])


def table(data: str = "data"):
    """CSV files, their statistics and their schema."""
    from headrace.authoring import Pipeline
    from headrace.components import CsvExampleGen, SchemaGen, StatisticsGen

    rows = CsvExampleGen(input_base=data)
    statistics = StatisticsGen(examples=rows.outputs["examples"])
    schema = SchemaGen(statistics=statistics.outputs["statistics"])
    return Pipeline("table", components=[rows, statistics, schema])


def run_with_bad_listener(store: str, seed: str, good_events: str, is_always: str) -> int:
    """Run `small` with a listener that raises at one event, or at all from there on; return the exit code."""
    import headrace

    events = []

    def listen(event: object) -> None:
        events.append(event)
        is_bad = (
            len(events) > int(good_events) if is_always == "always" else len(events) == int(good_events) + 1
        )
        if is_bad:
            raise RuntimeError("the listener does not listen")

    result = headrace.run(small(seed), store=store, listener=listen, show=False)
    return 0 if result.is_success else 1
