"""Function components whose code does what few do, for the tests of what a worker makes of it."""

import os
import shutil
import time

from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.component.experimental.annotations import OutputArtifact
    from tfx.dsl.component.experimental.decorators import component
    from tfx.types.standard_artifacts import Schema


class UnspeakableError(Exception):
    """It has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@component
def ForkAndFail(out: OutputArtifact[Schema]):
    """The forked process fails, and the one that was asked does its work."""
    if os.fork() == 0:
        raise ValueError("of the other process")
    time.sleep(1)
    with open(os.path.join(out.uri, "text"), "w") as file:
        file.write("done")


@component
def ForkAndReturn(out: OutputArtifact[Schema]):
    """The forked process ends the function first."""
    if os.fork() == 0:
        return
    time.sleep(1)
    with open(os.path.join(out.uri, "text"), "w") as file:
        file.write("done")


@component
def ReplaceByLink(out: OutputArtifact[Schema]):
    """Puts a link to a folder of many other things in the place of its output."""
    shutil.rmtree(out.uri)
    os.symlink(os.path.expanduser("~"), out.uri)


@component
def RaiseUnspeakable(out: OutputArtifact[Schema]):
    """Raises what cannot be printed."""
    raise UnspeakableError
