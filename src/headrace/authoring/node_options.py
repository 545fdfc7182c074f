"""Options of one node: its own cache switch, retries, a time limit, and what it needs of the machine.

They are kept beside the node and not in it: TFX's own runners refuse a platform configuration that they do not know,
and serialize whatever a node holds. `headrace.run` writes what TFX has a place for into its copy of the compiled
pipeline; no option is part of a cache key.
"""

from __future__ import annotations

import math
import warnings
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from headrace.authoring.light import authoring
from headrace.authoring.resources import Resources
from headrace.errors import DefinitionError
from headrace.run_options import takes_options

with authoring():
    from tfx.dsl.components.base.base_node import BaseNode
    from tfx.orchestration.pipeline import Pipeline

Node = TypeVar("Node", bound=BaseNode)

_NO_RESOURCES = Resources()


@dataclass(frozen=True)
class NodeOptions:
    """What was asked for one node; `None` where nothing was.

    Attributes:
        cache: Its own cache switch.
        retries: Further attempts after a failed one.
        timeout_seconds: After which an attempt is stopped.
        cpus: Processors that it keeps busy.
        memory_gb: Memory that it needs.
        exclusive: Whether nothing else may run beside it.
    """

    cache: bool | None = None
    retries: int | None = None
    timeout_seconds: int | None = None
    cpus: float | None = None
    memory_gb: float | None = None
    exclusive: bool | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What was asked, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def resources(self) -> Resources:
        """What it needs of the machine; a node that says nothing counts as one processor."""
        return Resources(
            _NO_RESOURCES.cpus if self.cpus is None else self.cpus,
            self.memory_gb or _NO_RESOURCES.memory_gb,
            bool(self.exclusive),
        )

    @property
    def in_words(self) -> str:
        """What was asked beside the cache, such as `"2 retries, at most 60 s, 8 processors"`; may be empty."""
        parts = []
        if self.retries is not None:
            parts.append(f"{self.retries} {'retry' if self.retries == 1 else 'retries'}")
        if self.timeout_seconds is not None:
            parts.append(f"at most {self.timeout_seconds} s")
        if self.cpus is not None:
            parts.append(f"{self.cpus:g} {'processor' if self.cpus == 1 else 'processors'}")
        if self.memory_gb:
            parts.append(f"{self.memory_gb:g} GB")
        if self.exclusive:
            parts.append("alone")
        return ", ".join(parts)


NO_OPTIONS = NodeOptions()
_asked: weakref.WeakKeyDictionary[Any, NodeOptions] = weakref.WeakKeyDictionary()


@takes_options("headrace.options", former={})
def options(
    node: Node,
    *,
    cache: bool | None = None,
    retries: int | None = None,
    timeout_seconds: int | None = None,
    cpus: float | None = None,
    memory_gb: float | None = None,
    exclusive: bool | None = None,
) -> Node:
    """Say how one node is to be run, and return the node.

    What is left out stays as it is. TFX's own runners take no notice; TFX's `node_execution_options` work as well, and
    must not say otherwise. A Resolver or an Importer has no executor: it looks in each run, whatever is asked. A
    pipeline that TFX's compiler made carries TFX's options only.

    Args:
        node: A node of TFX or Headrace.
        cache: Whether the node may reuse outputs of an earlier equal execution. `False` is for what reads a database,
            a clock or the web: it goes before the pipeline's switch and `headrace.run(cache=True)`. `True` goes before
            the pipeline's switch; `headrace.run(cache=False)` runs the node all the same.
        retries: How often it is tried again after a failure, 0 or more.
        timeout_seconds: After how many seconds an attempt is stopped, 1 or more.
        cpus: Processors that it keeps busy, more than 0. It starts only when that much is left over by the nodes that
            run beside it; a node that says nothing counts as one processor, and who asks for more than there are
            gets all.
        memory_gb: Memory in gigabytes that it needs, 0 or more; likewise.
        exclusive: Whether nothing else may run beside it.

    Raises:
        OptionError: If there is no such option.
        DefinitionError: If a number is out of range, or this is no node.

    Example:
        >>> trainer = headrace.options(Trainer(...), retries=2, cpus=8, memory_gb=16)  # doctest: +SKIP
    """
    _check_node(node)
    asked = NodeOptions(cache, retries, timeout_seconds, cpus, memory_gb, exclusive)
    _check(getattr(node, "id", ""), asked)
    _asked[node] = replace(_asked.get(node, NO_OPTIONS), **asked.given)
    return node


def with_resources(
    component: Node, *, cpus: float = 1.0, memory_gb: float = 0.0, exclusive: bool = False
) -> Node:
    """Former name of `options(component, cpus=..., memory_gb=..., exclusive=...)`."""
    warnings.warn(
        "with_resources is called headrace.options now, with the same names.",
        DeprecationWarning,
        stacklevel=2,
    )
    return options(component, cpus=cpus, memory_gb=memory_gb, exclusive=exclusive)


def options_of(node: BaseNode) -> NodeOptions:
    """Return what was asked for a node."""
    return _asked.get(node, NO_OPTIONS)


def find_options(nodes: Iterable[BaseNode], prefix: str = "") -> Iterator[tuple[str, NodeOptions]]:
    """Yield what was asked for nodes, by node id; of nodes of inner pipelines as `pipeline.node`.

    Raises:
        DefinitionError: If a node's own `node_execution_options` of TFX say otherwise.
    """
    for node in nodes:
        asked = options_of(node)
        if asked != NO_OPTIONS:
            _check_agreement(node, asked)
            yield f"{prefix}{node.id}", asked
        yield from find_options(getattr(node, "components", ()), f"{prefix}{node.id}.")


def _check_node(node: object) -> None:
    if isinstance(node, Pipeline):
        raise DefinitionError(
            f"options were given to '{node.id}', which is a pipeline.", "give them to the nodes in it."
        )
    if not isinstance(node, BaseNode):
        raise DefinitionError(
            f"options are for a node, and were given to a {type(node).__name__}.",
            "give them to the component itself, as in headrace.options(trainer, retries=2).",
        )


def _check(node_id: str, asked: NodeOptions) -> None:
    rules = (
        ("cache", asked.cache, lambda value: isinstance(value, bool), "True or False"),
        ("retries", asked.retries, lambda value: _is_whole(value) and value >= 0, "a whole number from 0"),
        (
            "timeout_seconds",
            asked.timeout_seconds,
            lambda value: _is_whole(value) and value >= 1,
            "a whole number from 1",
        ),
        ("cpus", asked.cpus, lambda value: _is_number(value) and value > 0, "a number above 0"),
        ("memory_gb", asked.memory_gb, lambda value: _is_number(value) and value >= 0, "a number from 0"),
        ("exclusive", asked.exclusive, lambda value: isinstance(value, bool), "True or False"),
    )
    for name, value, is_fine, wanted in rules:
        if value is not None and not is_fine(value):
            raise DefinitionError(
                f"{node_id}: {name}={value!r} cannot be asked for. It takes {wanted}.", f"correct {name}."
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _check_agreement(node: BaseNode, asked: NodeOptions) -> None:
    of_tfx = node.node_execution_options
    if of_tfx is None:
        return
    for name, value, tfx_name, tfx_value in (
        ("retries", asked.retries, "max_execution_retries", of_tfx.max_execution_retries),
        (
            "timeout_seconds",
            asked.timeout_seconds,
            "execution_timeout_sec",
            of_tfx.execution_timeout_sec or None,
        ),
    ):
        if value is not None and tfx_value is not None and value != tfx_value:
            raise DefinitionError(
                f"{node.id}: headrace.options says {name}={value}, and its node_execution_options say "
                f"{tfx_name}={tfx_value}.",
                "leave one of them out.",
            )
