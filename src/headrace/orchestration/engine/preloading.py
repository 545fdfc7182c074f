"""What the workers' server loads ahead of need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from headrace.authoring.light import authoring
from headrace.orchestration.node.live_run import class_path_of
from headrace.orchestration.runners import placement
from headrace.usercode import functions

with authoring():
    from tfx.proto.orchestration import executable_spec_pb2


def modules_ahead(executor_specs: Iterable[Any], script: str, script_libraries: Sequence[str]) -> list[str]:
    """Return the libraries that some executors need, in the order in which their nodes may run.

    An executor of the user's code needs what that imports, of which its own modules are read elsewhere.

    Args:
        executor_specs: Their executable specs; containers have no module.
        script: The script whose `__main__` holds some of them; empty where there is none.
        script_libraries: What it loads beside its imports.
    """
    modules: list[str] = []
    needs_beam = False
    for spec in executor_specs:
        path = class_path_of(spec)
        module = path.rpartition(".")[0]
        file = placement.users_file(path, script, functions.file_of_module(module))
        if file:
            modules += [
                *(script_libraries if module == "__main__" else ()),
                *placement.heavy_libraries(file),
            ]
        elif module and module != "__main__":
            modules.append(module)
        needs_beam = needs_beam or isinstance(spec, executable_spec_pb2.BeamExecutableSpec)
    # TFX's base of a Beam executor needs both, however little the executor itself loads.
    return list(dict.fromkeys(["tensorflow", "apache_beam", *modules] if needs_beam else modules))
