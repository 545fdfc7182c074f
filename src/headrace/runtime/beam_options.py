"""Which Beam runner a pipeline gets. Importing this module loads Beam."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from headrace.errors import UnsupportedFeatureError, did_you_mean
from headrace.runtime.processes.side_processes import SideProcesses

IN_PROCESS = "FnApiRunner"
# Beam 2.68 and newer answer these names by downloading another runner at every run.
_MEANS_IN_PROCESS = {
    "directrunner",
    "fnapirunner",
    "bundlebaseddirectrunner",
    "switchingdirectrunner",
    "direct",
}
_IN_OTHER_PROCESSES = "multi_processing"
_LOSES_DATA = {"daskrunner"}
_KNOWN = (
    "DirectRunner",
    "FnApiRunner",
    "PortableRunner",
    "FlinkRunner",
    "SparkRunner",
    "DataflowRunner",
    "PrismRunner",
)


def is_in_process(arguments: Sequence[str]) -> bool:
    """Whether these Beam arguments mean the in-process runner: they name it, or no runner at all."""
    name = PipelineOptions(list(arguments)).view_as(StandardOptions).runner or IN_PROCESS
    return name.rsplit(".", 1)[-1].lower() in _MEANS_IN_PROCESS


def make_pipeline(arguments: Sequence[str]) -> beam.Pipeline:
    """Return a Beam pipeline on the runner named in `arguments`, in-process where none is named.

    Args:
        arguments: Beam command-line arguments, such as `["--runner=FlinkRunner"]`.

    Raises:
        UnsupportedFeatureError: If the runner is unknown, or one that loses data silently.
    """
    options = PipelineOptions(list(arguments))
    name = options.view_as(StandardOptions).runner or IN_PROCESS
    short = name.rsplit(".", 1)[-1].lower()
    if short in _LOSES_DATA:
        raise UnsupportedFeatureError(
            f"Beam runner '{name}' drops data without an error: only the last branch of a pipeline runs and "
            "sinks write nothing.",
            "use DirectRunner (in process), FlinkRunner, SparkRunner, DataflowRunner or PortableRunner.",
        )
    if short in _MEANS_IN_PROCESS:
        options.view_as(StandardOptions).runner = IN_PROCESS
        # Beam's worker processes lose the options, cannot import a user's module given as a file, and a run
        # hangs when one of them dies. Threads of this process do the same work.
        if options.view_as(DirectOptions).direct_running_mode == _IN_OTHER_PROCESSES:
            options.view_as(DirectOptions).direct_running_mode = "in_memory"
        from headrace.runtime.beam_internals import FnApiRunner

        return beam.Pipeline(runner=FnApiRunner(), options=options)
    if "." not in name and short not in {known.lower() for known in _KNOWN}:
        raise UnsupportedFeatureError(
            f"Beam has no runner '{name}'. It has: {', '.join(_KNOWN)}.",
            f"{did_you_mean(name, _KNOWN)}Correct --runner in beam_pipeline_args.",
        )
    return beam.Pipeline(options=options)


def runs_here(pipeline: beam.Pipeline) -> bool:
    """Whether the steps of a pipeline run in this process."""
    return type(pipeline.runner).__name__.lower() in _MEANS_IN_PROCESS


def use_side_processes(pipeline: beam.Pipeline, side_processes: SideProcesses) -> beam.Pipeline:
    """Give a pipeline of the in-process runner a thread for each side process, and return it."""
    from headrace.runtime.beam_internals import FnApiRunner

    if len(side_processes) and isinstance(pipeline.runner, FnApiRunner):
        pipeline.options.view_as(DirectOptions).direct_num_workers = len(side_processes)
    return pipeline
