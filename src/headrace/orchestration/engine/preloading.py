"""What the workers' server loads ahead of need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headrace.authoring.light import authoring
from headrace.orchestration.node.context import class_path_of
from headrace.usercode import sources

with authoring():
    from tfx.proto.orchestration import executable_spec_pb2


def modules_ahead(executor_specs: Iterable[Any], script: str) -> list[str]:
    """Return the modules of some executors, in the order in which their nodes may run.

    Args:
        executor_specs: Their executable specs; containers have no module.
        script: The script whose `__main__` holds some of them; empty where there is none.
    """
    specs = list(executor_specs)
    paths = [class_path_of(spec) for spec in specs]
    modules = [path.rpartition(".")[0] for path in paths if path and not path.startswith("__main__.")]
    if len(modules) < len(paths) and script:
        # Each worker reads the script again; what it imports need not be.
        modules += sources.loaded_libraries(script)
    if any(isinstance(spec, executable_spec_pb2.BeamExecutableSpec) for spec in specs):
        # TFX's base of such an executor needs both, however little the executor itself loads.
        modules = ["tensorflow", "apache_beam", *modules]
    return modules
