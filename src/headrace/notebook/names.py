"""What a person calls a component: the variable that holds it."""

from __future__ import annotations

import keyword
import re
import sys

from headrace.authoring import BaseNode


def variable_name(component: BaseNode) -> str:
    """Return the name of the variable in `__main__` that holds a component; empty where none does."""
    main = vars(sys.modules["__main__"])
    # A copy: cells that run on in threads may define names meanwhile.
    found = (name for name, value in list(main.items()) if value is component)
    return next((name for name in found if not name.startswith("_")), "")


def shown_name(component: BaseNode) -> str:
    """Return the variable that holds a component, or its id."""
    return variable_name(component) or str(component.id)


def new_name(component: BaseNode) -> str:
    """Return a variable name for a component: the one it has, or its id in snake case."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(component.id)).lower()
    name = re.sub(r"\W+", "_", words).strip("_")
    is_usable = name.isidentifier() and not keyword.iskeyword(name)
    return variable_name(component) or (name if is_usable else f"node_{name}")


def run_call(component: BaseNode) -> str:
    """Return the call that runs a component, as a person would type it."""
    return f"context.run({new_name(component)})"


def definition_name(component: BaseNode) -> str:
    """Return the name under which `__main__` defines a component's executor; empty where it does not.

    For a function component that is the function's name: TFX derives `Make_Executor` from `Make`.
    """
    module, _, name = str(getattr(component.executor_spec, "class_path", "")).rpartition(".")
    if module != "__main__":
        return ""
    function = name.removesuffix("_Executor")
    return function if function in vars(sys.modules["__main__"]) else name
