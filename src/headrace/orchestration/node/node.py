"""The life of one node: driver, executor, publisher.

1. The driver resolves the inputs, records a RUNNING execution, and asks the cache (`driver`).
2. The executor runs where the run has its nodes executed, and writes where its outputs stay (`execution`, `runners`).
3. The publisher records the outputs LIVE, with the execution COMPLETE (`execution`).

`NodeLife.drive` is step 1, `NodeLife.execute` steps 2 and 3. Both turn whatever happens into a `NodeResult`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from headrace.authoring import Artifact
from headrace.errors import HeadraceError, InputResolutionError
from headrace.files import payloads
from headrace.orchestration import resume_commands
from headrace.orchestration.events import NodeResult, NodeState, OutputRecord
from headrace.orchestration.node import driver, execution, system_nodes
from headrace.orchestration.node.driver import Prepared
from headrace.orchestration.node.live_run import LiveNode
from headrace.orchestration.plan.plan import NodeKind
from headrace.orchestration.runners.base import Cancelled
from headrace.runtime import implementation
from headrace.runtime.context import SUMMARY_PROPERTY
from headrace.runtime.implementation import NOT_RECORDED, Implementation
from headrace.store import damage, locks
from headrace.store.read import executions
from headrace.store.record import publications


class NodeLife:
    """One node in one run, from its driver to its result.

    Args:
        node: The node with what its run shares.
    """

    def __init__(self, node: LiveNode) -> None:
        self._node = node
        self._started = time.monotonic()
        self._prepared: list[Prepared] = []
        self.node_id = node.node_id
        self.log_path = node.log_path

    @property
    def cache_off(self) -> str:
        """See `LiveNode.cache_off`."""
        return self._node.cache_off

    def drive(self) -> NodeResult | None:
        """Run the driver.

        Returns:
            The node's result where no executor is needed: cached, skipped, a system node, or failed.
            `None` where `execute` must follow.
        """
        try:
            driver.hash_ahead(self._node)
            with locks.choosing(self._node.run.store):
                return self._choose()
        except HeadraceError as error:
            return self.failed(error)
        except Cancelled:
            return self._result(NodeState.CANCELLED, reason="stopped with the run")

    def _choose(self) -> NodeResult | None:
        """Reuse outputs, serve them from the cache, or make ready for the executor."""
        if self._node.node_id in self._node.run.outputs_from:
            return self._take_outputs(self._node.run.outputs_from[self._node.node_id])
        if not self._node.planned.is_selected:
            return self._stand_in()
        if self._node.run.resume_from:
            # What is damaged is made again.
            with contextlib.suppress(InputResolutionError):
                if result := self._reuse(self._node.run.resume_from):
                    return result
        if self._node.planned.kind is not NodeKind.COMPONENT:
            return self._run_system_node()
        return self._drive()

    def execute(self) -> NodeResult:
        """Run the executor for each prepared execution that the cache did not serve, and publish."""
        outputs: dict[str, list[Artifact]] = {}
        try:
            for index, prepared in enumerate(self._prepared):
                published = prepared.outputs
                if not prepared.cached_from:
                    self._prepared[index], published = execution.execute(self._node, prepared)
                _extend(outputs, published)
        except HeadraceError as error:
            return self.failed(error)
        except Cancelled:
            return self._result(NodeState.CANCELLED, reason="stopped with the run")
        if all(prepared.cached_from for prepared in self._prepared):
            return self._result(NodeState.CACHED, "another run made the same meanwhile", outputs)
        damaged = [found for prepared in self._prepared for found in prepared.damaged.values()]
        # An artifact that somebody removed as a whole is no surprise.
        damaged = [found for found in damaged if found != payloads.GONE]
        reason = f"made again: its files were damaged: {damaged[0]}" if damaged else ""
        return self._result(NodeState.DONE, reason, outputs)

    def close(self) -> None:
        """Record as cancelled what the driver made ready and nobody is going to execute."""
        for prepared in self._prepared:
            if not prepared.cached_from:
                # What cannot be recorded now stays open: the end of the run looks for it.
                with contextlib.suppress(Exception):
                    driver.close(self._node, prepared, None)

    def failed(self, error: HeadraceError) -> NodeResult:
        """Return the result of a node that `error` stopped."""
        told = resume_commands.with_command(error, self._node.run.resume_command)
        return self._result(NodeState.FAILED, reason=error.problem, error=told)

    def _drive(self) -> NodeResult | None:
        store = self._node.run.store
        contexts = publications.prepare_contexts(store, self._node.ir)
        try:
            all_inputs = driver.resolve_inputs(self._node)
        except InputResolutionError as error:
            # As TFX records it: a failed execution without inputs.
            registered = publications.register(store, self._node.ir, contexts, {}, {})
            publications.publish_failed(store, contexts, registered.id, str(error))
            raise
        if all_inputs is None:
            return self._result(NodeState.SKIPPED, reason=driver.skip_reason(self._node))
        outputs: dict[str, list[Artifact]] = {}
        for inputs in all_inputs:
            prepared = driver.prepare(self._node, contexts, inputs)
            self._prepared.append(prepared)
            if driver.serve_from_cache(self._node, prepared):
                _extend(outputs, prepared.outputs)
        if not all(prepared.cached_from for prepared in self._prepared):
            return None
        origin = executions.run_of(store, self._prepared[-1].cached_from)
        return self._result(NodeState.CACHED, f"same code, parameters and inputs as in run {origin}", outputs)

    def _reuse(self, run_id: str = "") -> NodeResult | None:
        """Publish the last good outputs of a node that need not execute; `None` where there are none.

        Args:
            run_id: Only outputs of this run; of any run where it is empty.
        """
        store = self._node.run.store
        found = executions.latest_successful(store, self._node.ir, run_id)
        if found is None:
            return None
        origin, outputs = found
        ran = implementation.of_properties(origin.custom_properties)
        if self._node.planned.is_selected:
            return self._publish_again(outputs, NodeState.CACHED, f"finished in run {run_id}", ran)
        reason = f"outputs of run {executions.run_of(store, origin.id)} reused"
        return self._publish_again(outputs, NodeState.NOT_SELECTED, reason, ran)

    def _take_outputs(self, execution_id: int) -> NodeResult:
        """Publish the outputs of the very execution that the caller of the run chose."""
        store = self._node.run.store
        outputs = executions.outputs_of(store, execution_id)
        damage.check_inputs(store, self._node.node_id, outputs)
        reason = f"made in run {executions.run_of(store, execution_id)}"
        ran = executions.implementation_of(store, execution_id)
        return self._publish_again(outputs, NodeState.NOT_SELECTED, reason, ran)

    def _publish_again(
        self, outputs: dict[str, list[Artifact]], state: NodeState, reason: str, ran: Implementation
    ) -> NodeResult:
        store = self._node.run.store
        contexts = publications.prepare_contexts(store, self._node.ir)
        registered = publications.register(store, self._node.ir, contexts, {}, {})
        publications.publish_cached(store, contexts, registered, outputs, ran)
        return replace(self._result(state, reason, outputs, execution_id=registered.id), implementation=ran)

    def _stand_in(self) -> NodeResult:
        """The result of a node that a partial run leaves out: its last good outputs, if there are any."""
        result = self._reuse(self._node.run.base_run)
        if result is None and self._node.planned.kind is not NodeKind.COMPONENT:
            # Never ran; it costs nothing, and a node that is selected may need what it finds.
            with contextlib.suppress(HeadraceError):
                result = self._run_system_node()
        if result is None or result.state is NodeState.SKIPPED:
            return self._result(NodeState.NOT_SELECTED)
        return replace(result, state=NodeState.NOT_SELECTED)

    def _run_system_node(self) -> NodeResult:
        """Run a node that has no executor."""
        found = system_nodes.run_system_node(self._node)
        if found.skip_reason:
            return self._result(NodeState.SKIPPED, reason=found.skip_reason)
        result = self._result(NodeState.DONE, outputs=found.outputs, execution_id=found.execution_id)
        # What it found was made, and summed up, by others.
        listing = ", ".join(f"{o.type_name} {o.artifact_id}" for o in result.outputs) or "found nothing"
        return replace(
            result, reason=listing, outputs=tuple(replace(output, summary="") for output in result.outputs)
        )

    def _result(
        self,
        state: NodeState,
        reason: str = "",
        outputs: Mapping[str, Sequence[Artifact]] | None = None,
        error: HeadraceError | None = None,
        execution_id: int = 0,
    ) -> NodeResult:
        if not execution_id and self._prepared:
            execution_id = self._prepared[-1].execution.id
        return NodeResult(
            node_id=self.node_id,
            state=state,
            seconds=time.monotonic() - self._started,
            reason=reason,
            outputs=output_records(outputs or {}),
            error=error,
            log_path=self.log_path if os.path.exists(self.log_path) else "",
            execution_id=execution_id,
            implementation=self._implementation(),
        )

    def _implementation(self) -> Implementation:
        """What did the work; of several executions, one that tells why it was slower, if any does."""
        ran = [prepared.implementation for prepared in self._prepared]
        return next((one for one in ran if one.note), ran[-1] if ran else NOT_RECORDED)


def output_records(outputs: Mapping[str, Sequence[Artifact]]) -> tuple[OutputRecord, ...]:
    """Return what events and results say of artifacts, sorted by output key."""
    return tuple(
        OutputRecord(
            key=key,
            type_name=artifact.type_name,
            artifact_id=artifact.id,
            uri=artifact.uri,
            summary=artifact.get_string_custom_property(SUMMARY_PROPERTY) or "",
        )
        for key in sorted(outputs)
        for artifact in outputs[key]
    )


def _extend(outputs: dict[str, list[Artifact]], more: Mapping[str, Sequence[Artifact]]) -> None:
    for key, artifacts in more.items():
        outputs.setdefault(key, []).extend(artifacts)
