"""Function components for the tests of the engine: small, quick, each with one behaviour.

TFX reads their annotations when they are defined, so this module postpones none.
"""

import json
import os
import signal
import subprocess
import tempfile
import time

from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.component.experimental.annotations import (
        InputArtifact,
        OutputArtifact,
        OutputDict,
        Parameter,
    )
    from tfx.dsl.component.experimental.decorators import component
    from tfx.types.standard_artifacts import (
        ExampleStatistics,
        Integer,
        Model,
        ModelBlessing,
        ModelRun,
        PushedModel,
        Schema,
    )


def write(folder: str, text: str) -> None:
    with open(os.path.join(folder, "text"), "w", encoding="utf-8") as file:
        file.write(text)


def write_file(path: str) -> None:
    with open(path, "w", encoding="utf-8"):
        pass


def read(folder: str) -> str:
    with open(os.path.join(folder, "text"), encoding="utf-8") as file:
        return file.read()


@component
def Make(out: OutputArtifact[Schema], text: Parameter[str] = "made", seconds: Parameter[float] = 0.0):
    time.sleep(seconds)
    write(out.uri, text)


@component
def Use(given: InputArtifact[Schema], out: OutputArtifact[Schema], seconds: Parameter[float] = 0.0):
    time.sleep(seconds)
    write(out.uri, f"used {read(given.uri)}")


@component
def Constant(given: InputArtifact[Schema], out: OutputArtifact[Schema]):
    write(out.uri, "always the same")


@component
def Fail(given: InputArtifact[Schema], out: OutputArtifact[Schema]):
    write(out.uri, "half")
    raise ValueError("nothing good comes of this")


@component
def FailTimes(out: OutputArtifact[Schema], counter: Parameter[str], times: Parameter[int]):
    """Fails the first `times` times that it is called."""
    with open(counter, "a+", encoding="utf-8") as file:
        file.write("x")
    if os.path.getsize(counter) <= times:
        raise RuntimeError("not yet")
    write(out.uri, "at last")


@component
def KillItself(out: OutputArtifact[Schema]):
    os.kill(os.getpid(), signal.SIGKILL)


@component
def MakeModel(model: OutputArtifact[Model], text: Parameter[str]):
    write(model.uri, text)


@component
def Bless(model: InputArtifact[Model], blessing: OutputArtifact[ModelBlessing], is_blessed: Parameter[int]):
    blessing.set_int_custom_property("blessed", is_blessed)
    write(blessing.uri, read(model.uri))


@component
def Push(model: InputArtifact[Model], pushed: OutputArtifact[PushedModel], is_pushed: Parameter[int]):
    pushed.set_int_custom_property("pushed", is_pushed)
    write(pushed.uri, read(model.uri))


@component
def Join(given: InputArtifact[list[Schema]], out: OutputArtifact[Schema]):
    write(out.uri, "+".join(sorted(read(artifact.uri) for artifact in given)))


@component
def Number(out: OutputArtifact[Integer], value: Parameter[int]):
    out.value = value


@component
def Repeat(out: OutputArtifact[Schema], count: Parameter[int]):
    write(out.uri, "x" * count)


@component
def Maybe(out: OutputArtifact[Schema], given: InputArtifact[Schema] = None):
    write(out.uri, read(given.uri) if given else "nothing")


@component
def AtExit(out: OutputArtifact[Schema], final_status: Parameter[str]):
    write(out.uri, final_status)


@component
def Timed(out: OutputArtifact[Schema], name: Parameter[str], seconds: Parameter[float]):
    """Writes when it began and ended, by the clock that all processes share and nobody sets."""
    begin = time.monotonic()
    time.sleep(seconds)
    write(out.uri, json.dumps([begin, time.monotonic()]))


@component
def Meet(
    out: OutputArtifact[Schema],
    mine: Parameter[str],
    other: Parameter[str],
    given: InputArtifact[Schema] = None,
):
    """Makes a file, and ends when another node has made its own: alone, it fails."""
    write_file(mine)
    deadline = time.monotonic() + 60
    while not os.path.exists(other):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody made {other}")
        time.sleep(0.02)
    write(out.uri, "met")


@component
def Slowly(out: OutputArtifact[Schema], text: Parameter[str]):
    """Writes its text in three steps, so that a half is seen if it stays; leaves something temporary."""
    tempfile.mkdtemp()
    for end in range(1, 4):
        write(out.uri, text[: len(text) * end // 3])
        time.sleep(0.1)


@component
def RecordTraining(model_run: OutputArtifact[ModelRun]):
    """Writes an event file as a trainer does."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(model_run.uri)
    value = Summary.Value(tag="epoch_loss", simple_value=0.5)
    writer.add_event(Event(step=1, summary=Summary(value=[value])))
    writer.close()


@component
def HandOn(out: OutputArtifact[Schema]) -> OutputDict(path=str):
    """Hands on the path of its file: in a value, in a property, and in a list that it writes."""
    write(out.uri, "handed on")
    path = os.path.join(out.uri, "text")
    out.set_string_custom_property("path", path)
    with open(os.path.join(out.uri, "list"), "w", encoding="utf-8") as file:
        file.write(path)
    return {"path": path}


@component
def ReadPaths(out: InputArtifact[Schema], path: str):
    with open(os.path.join(out.uri, "list"), encoding="utf-8") as file:
        listed = file.read()
    for handed_on in (path, listed, out.get_string_custom_property("path")):
        with open(handed_on, encoding="utf-8") as file:
            assert file.read() == "handed on"


@component
def RemoveOutput(out: OutputArtifact[Schema]):
    os.rmdir(out.uri)


@component
def StartProcess(out: OutputArtifact[Schema], pid_path: Parameter[str], ending: Parameter[str]):
    """Leaves a process in a session of its own, which writes into the output, and ends as it is told."""
    command = f"cd '{out.uri}' && while :; do mkdir -p '{out.uri}' && echo x > '{out.uri}/written'; done"
    process = subprocess.Popen(["sh", "-c", command], start_new_session=True)
    with open(f"{pid_path}.new", "w", encoding="utf-8") as file:
        file.write(str(process.pid))
    os.replace(f"{pid_path}.new", pid_path)
    if ending == "failure":
        raise RuntimeError("as it was told")
    if ending == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if ending == "never":
        time.sleep(600)


@component
def MakeSpan(out: OutputArtifact[ExampleStatistics], span: Parameter[int]):
    """Statistics of a span, which hold nothing but its number."""
    out.span = span
    write(out.uri, str(span))


@component
def CompareSpans(
    current: InputArtifact[ExampleStatistics],
    out: OutputArtifact[Schema],
    log: Parameter[str],
    earlier: InputArtifact[ExampleStatistics] = None,
):
    text = f"{read(current.uri)} after {read(earlier.uri) if earlier else 'nothing'}"
    write(out.uri, text)
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"{text}\n")
