"""The user's function, from the parameters in which a declaration (ours or stock TFX's) records it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.errors import DefinitionError
from headrace.runtime.context import ExecutionContext
from headrace.usercode import functions


def load(context: ExecutionContext, *names: str) -> tuple[str, Callable[..., Any]]:
    """Return the first of the functions `names` that the parameters lead to, and its name.

    A parameter of such a name holds the function's text. `module_file` is searched for the names in their
    order. `module_path` is how stock TFX records a module that it packaged as a wheel.

    Raises:
        UserFunctionError: If the file, module or function does not exist.
        DefinitionError: If the parameters name none.
    """
    module_file, module_path = context.parameter("module_file"), context.parameter("module_path")
    if module_path:
        from tfx.components.util import udf_utils

        return names[0], udf_utils.get_fn(dict(context.parameters), names[0])
    for name in names:
        given = context.parameter(name)
        where = f"{context.node_id}: {name}"
        if given and module_file:  # stock TFX: another name in that file
            return name, functions.load(f"{module_file}:{given}", where)
        if given:
            return name, functions.load(given, where)
    if not module_file:
        raise DefinitionError(
            f"{context.node_id}: no user function is named. One of module_file, {', '.join(names)} is needed.",
            "give one of them.",
        )
    where = f"{context.node_id}: module_file"
    functions.source_path(functions.FunctionReference(module_file, names[0]), where)
    defined = vars(functions.load_module(module_file))
    name = next((name for name in names if name in defined), names[0])
    return name, functions.load(f"{module_file}:{name}", where)
