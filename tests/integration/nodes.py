"""Function components for the tests of the engine: small, quick, each with one behaviour.

TFX reads their annotations when they are defined, so this module postpones none.
"""

import os
import signal
import time

from headrace.sdk.light import authoring

with authoring():
    from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
    from tfx.dsl.component.experimental.decorators import component
    from tfx.types.standard_artifacts import Model, ModelBlessing, Schema


def write(folder: str, text: str) -> None:
    with open(os.path.join(folder, "text"), "w", encoding="utf-8") as file:
        file.write(text)


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
