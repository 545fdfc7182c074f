"""What a node asks of the machine while it runs. TFX has no place for it, so it is kept beside the node."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from headrace.errors import DefinitionError

Node = TypeVar("Node")

# Beside the node and not in it: TFX's own runners refuse a platform configuration that they do not know.
_asked: weakref.WeakKeyDictionary[Any, Resources] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Resources:
    """What a node needs for itself.

    Attributes:
        cpus: Processors; more than there are means all of them.
        memory_gb: Memory in gigabytes; more than there is means all of it.
        exclusive: Whether nothing else may run beside it.
    """

    cpus: float = 1.0
    memory_gb: float = 0.0
    exclusive: bool = False


def with_resources(
    component: Node, *, cpus: float = 1.0, memory_gb: float = 0.0, exclusive: bool = False
) -> Node:
    """Say what a component needs while it runs, and return the component.

    Headrace starts it only when that much is left over by the nodes that run beside it; a node that says
    nothing counts as one processor. TFX's own runners take no notice.

    Args:
        component: The component.
        cpus: Processors that it keeps busy, more than 0.
        memory_gb: Memory that it needs, 0 or more.
        exclusive: Whether nothing else may run beside it.

    Raises:
        DefinitionError: If a number is out of range.

    Example:
        >>> trainer = with_resources(Trainer(...), cpus=8, memory_gb=16)  # doctest: +SKIP
    """
    if cpus <= 0 or memory_gb < 0:
        raise DefinitionError(
            f"{getattr(component, 'id', component)}: cpus={cpus:g} and memory_gb={memory_gb:g} cannot be asked for.",
            "give cpus more than 0, and memory_gb 0 or more.",
        )
    _asked[component] = Resources(cpus, memory_gb, exclusive)
    return component


def resources_of(components: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, Resources]]:
    """Yield what components asked for, by node id; nodes of inner pipelines as `pipeline.node`."""
    for component in components:
        asked = _asked.get(component)
        if asked is not None:
            yield f"{prefix}{component.id}", asked
        yield from resources_of(getattr(component, "components", ()), f"{prefix}{component.id}.")
