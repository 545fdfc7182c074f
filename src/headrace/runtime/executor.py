"""Bases of Headrace's executors. Importing this module loads Beam; only executors do."""

from __future__ import annotations

import abc
import os
import re
import tempfile
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor, base_executor

from headrace.authoring import Artifact
from headrace.errors import HeadraceError, MalformedFileError
from headrace.files import addresses
from headrace.runtime import beam_options, services
from headrace.runtime.context import ExecutionContext
from headrace.runtime.processes.side_processes import SideProcesses

__all__ = ["BeamExecutor", "Executor"]

_BEAM_STEP = re.compile(r" \[while running '[^']*'\]$")
# Whose executors these are: those of others may read and write addresses.
_OWN = "headrace.components."


class _RunsExecute(abc.ABC):
    """Turns TFX's `Do` into `execute`, which sees one `ExecutionContext`."""

    _beam_pipeline_args: Sequence[str] = ()

    def __init__(self, context: base_executor.BaseExecutor.Context | None = None) -> None:
        base_executor.BaseExecutor.__init__(self, context)
        self._given = context

    @abc.abstractmethod
    def execute(self, context: ExecutionContext) -> None:
        """Fill the outputs from the inputs; raise to fail the node."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Called by TFX's launchers and by Headrace's."""
        node = self._given.pipeline_node if self._given else None
        tmp_path = _tmp_path_of(self._given)
        lent = services.lent_here()
        with tempfile.TemporaryDirectory(prefix="headrace-") as spare_path:
            if tmp_path:
                os.makedirs(tmp_path, exist_ok=True)
            context = ExecutionContext(
                node_id=node.node_info.id if node is not None else _folder_of(type(self)),
                inputs=input_dict,
                outputs=output_dict,
                parameters=exec_properties,
                tmp_path=tmp_path or spare_path,
                beam_pipeline_args=tuple(self._beam_pipeline_args),
                progress=lent.progress,
                partial_results=lent.partial_results,
                side_processes=lent.side_processes,
                fresh_processes=lent.fresh_processes,
            )
            try:
                if type(self).__module__.startswith(_OWN):
                    _check_places(context)
                self.execute(context)
                # TFX's runners, as Headrace's, record what an executor adds here with its execution.
                exec_properties.update(context.implementation.as_properties())
            except HeadraceError as error:
                # Beam appends the name of its step to what a DoFn raises: no help to the reader.
                problem = _BEAM_STEP.sub("", error.problem)
                fix = _fix_of_damage(error, input_dict) or error.fix
                error.problem, error.fix, error.args = problem, fix, (problem, fix)
                raise


def _check_places(context: ExecutionContext) -> None:
    """Refuse artifacts that lie elsewhere, such as those of an Importer: TensorFlow and Beam read most of them.

    Raises:
        UnsupportedFeatureError: If one does.
    """
    for kind, several in (("input", context.inputs), ("output", context.outputs)):
        for key, artifacts in several.items():
            for artifact in artifacts:
                addresses.local_path(artifact.uri, f"{context.node_id}: {kind} '{key}'")


def _tmp_path_of(context: Any) -> str:
    """The folder for temporary files in an executor's context of TFX; empty where it has none."""
    try:
        return str(context.get_tmp_path()) if context else ""
    except RuntimeError:
        return ""


def _fix_of_damage(error: HeadraceError, inputs: dict[str, list[Artifact]]) -> str:
    """Return what makes a damaged file again where it is one of an input artifact; empty for any other error."""
    if not isinstance(error, MalformedFileError):
        return ""
    for artifacts in inputs.values():
        for artifact in artifacts:
            # With the separator: artifact 1 does not begin the path of artifact 12.
            if artifact.uri and os.path.join(artifact.uri, "") in error.problem:
                return (
                    f"the file is one of {artifact.type_name} artifact {artifact.id}: make it again, with all that "
                    "is made of it: headrace run PIPELINE --no-cache"
                )
    return ""


def _folder_of(executor_class: type) -> str:
    """Return what to call a node without an id: the folder of its executor, where it lies in one."""
    *_, folder, _ = ["", *executor_class.__module__.split(".")]
    return folder or executor_class.__name__


class Executor(_RunsExecute, base_executor.BaseExecutor):
    """Base of executors that need no Beam.

    Attributes:
        USES_SIDE_PROCESSES: Whether Headrace is to start processes beside the node's own, if there are processors.
    """

    USES_SIDE_PROCESSES = False


class BeamExecutor(_RunsExecute, base_beam_executor.BaseBeamExecutor):
    """Base of executors that process data with Beam pipelines."""

    def __init__(self, context: base_executor.BaseExecutor.Context | None = None) -> None:
        # TFX's constructor packages its own 48 MB source tree for each node that has Beam arguments, to send
        # it to remote workers. Local runners need nothing; remote ones name a container or packages.
        _RunsExecute.__init__(self, context)
        self._beam_pipeline_args = list(getattr(context, "beam_pipeline_args", None) or [])
        self._make_beam_pipeline_fn = getattr(context, "make_beam_pipeline_fn", None)

    def beam_pipeline(self, *, spread_over: SideProcesses | None = None) -> beam.Pipeline:
        """Return a Beam pipeline on the runner that the arguments name; in-process where they name none.

        Use it as a context manager: leaving it runs the pipeline and waits for its end.

        Args:
            spread_over: The side processes of a pipeline that has steps of `headrace.runtime.spread.Spread`, and
                whose results do not depend on the order in which elements are done.
        """
        if self._make_beam_pipeline_fn is not None:
            pipeline = self._make_beam_pipeline_fn()
        else:
            pipeline = beam_options.make_pipeline(self._beam_pipeline_args)
        return pipeline if spread_over is None else beam_options.use_side_processes(pipeline, spread_over)
