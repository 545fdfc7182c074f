"""Nodes that a partial run leaves out: earlier outputs stand for theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from headrace.errors import InputResolutionError
from headrace.orchestration.plan.plan import NodeKind, PlannedNode
from headrace.store.open.store import Store
from headrace.store.read import executions


def check_outputs(store: Store, nodes: Sequence[PlannedNode], base_run: str, given: Collection[str]) -> None:
    """Check that there are outputs of each node that is left out and needed, before anything starts.

    Args:
        store: The open store.
        nodes: All nodes.
        base_run: The run that must have made them; empty for any.
        given: Nodes whose outputs the caller of the run chose.

    Raises:
        InputResolutionError: If there are none, naming the node.
    """
    needed = {name for node in nodes if node.is_selected for name in node.upstream}
    for node in nodes:
        # Only an executor must have run before: what TFX's rules find can be found now.
        is_looked_for = node.kind is NodeKind.COMPONENT and bool(node.ir.outputs.outputs)
        if node.is_selected or node.node_id not in needed or node.node_id in given or not is_looked_for:
            continue
        if executions.latest_successful(store, node.ir, base_run) is None:
            searched = f"run {base_run} did not make" if base_run else "no earlier run made"
            raise InputResolutionError(
                f"this partial run leaves out {node.node_id}, and {searched} its outputs.",
                f"run the whole pipeline once, or select {node.node_id} too.",
            )
