"""The executor's and the publisher's part of a node's life."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.errors import (
    EmptyDataError,
    ExecutorError,
    HeadraceError,
    MalformedFileError,
    MissingFileError,
    ModelError,
)
from headrace.orchestration import failures
from headrace.orchestration.cache import cache_key
from headrace.orchestration.node import driver
from headrace.orchestration.node.driver import Prepared
from headrace.orchestration.node.live_run import LiveNode
from headrace.orchestration.runners.base import Cancelled, TimedOut
from headrace.runtime import implementation
from headrace.store import damage, locks
from headrace.store.record import publications

with authoring():
    from tfx.proto.orchestration import execution_result_pb2

_LOCK_POLL_SECONDS = 0.1
# How libraries speak of files that do not hold what they should; reading all inputs again is worth it then.
_SPEAKS_OF_DAMAGE = re.compile(
    r"corrupt|truncat|data ?loss|\bcrc|checksum|incomplete|decod|decompress|inflat|unexpected end|end of file|\beof|"
    r"magic|parse|malformed|not a (gzip|zip)|no such file|filenotfound",
    re.IGNORECASE,
)

Published = dict[str, list[Artifact]]


def execute(node: LiveNode, prepared: Prepared) -> tuple[Prepared, Published]:
    """Run the executor, again after a failure as often as the node asks for, and publish its outputs.

    Each attempt is an execution of its own; only the good one keeps its artifacts.

    Returns:
        The attempt that succeeded, and what it published.

    Raises:
        HeadraceError: What the last attempt raised; its execution is recorded as failed.
        Cancelled: If the run was stopped; the execution is recorded as cancelled.
    """
    options = node.ir.execution_options
    attempts = max(int(options.max_execution_retries), 0) + 1
    for attempt in range(1, attempts + 1):
        try:
            return prepared, _execute_once(node, prepared, int(options.execution_timeout_sec))
        except HeadraceError as given:
            error = _with_cause_in_inputs(node, prepared, given)
            _close(node, prepared, error)
            if error is not given:
                raise error from given
            if attempt == attempts:
                raise
            node.report(f"attempt {attempt} of {attempts} failed, trying again")
            contexts = [context for context in prepared.contexts if context is not prepared.cache_context]
            prepared = driver.prepare(node, contexts, prepared.inputs)
        except Cancelled:
            _close(node, prepared, None)
            raise
    raise AssertionError("unreachable")


def _with_cause_in_inputs(node: LiveNode, prepared: Prepared, error: HeadraceError) -> HeadraceError:
    """The error of a node that failed on its data; where an input is not what was written, the error that says so."""
    is_suspect = isinstance(error, (MalformedFileError, EmptyDataError, MissingFileError, ModelError))
    if not is_suspect and not _SPEAKS_OF_DAMAGE.search(error.problem):
        return error
    with contextlib.suppress(Exception):
        return damage.find_in_inputs(node.run.store, node.node_id, prepared.inputs) or error
    return error


def _close(node: LiveNode, prepared: Prepared, error: HeadraceError | None) -> None:
    # A store that cannot be written is why the attempt failed: that error must reach the reader.
    with contextlib.suppress(Exception):
        driver.close(node, prepared, error)


def _execute_once(node: LiveNode, prepared: Prepared, timeout_seconds: int) -> Published:
    started = time.monotonic()
    with _single_flight(node, prepared):
        with locks.choosing(node.run.store):
            if driver.serve_from_cache(node, prepared):
                return prepared.outputs
        try:
            driver.keep_sources(node, prepared)
            published = _execute_and_publish(node, prepared, timeout_seconds)
        except BaseException as error:
            prepared.folders.discard()
            if isinstance(error, TimedOut):
                raise ExecutorError(
                    f"{node.node_id} was stopped after its limit of {timeout_seconds} s.",
                    "raise its limit, headrace.options(node, timeout_seconds=...), or give the node less work.",
                ) from None
            if isinstance(error, OSError):
                raise failures.describe(error, node.node_id, time.monotonic() - started) from error
            raise
        prepared.folders.publish()
        # What could not be retired now is found damaged again by whoever asks for it.
        with contextlib.suppress(HeadraceError):
            damage.retire(node.run.store, prepared.damaged)
        return published


def _execute_and_publish(node: LiveNode, prepared: Prepared, timeout_seconds: int) -> Published:
    folders = prepared.folders
    folders.make(prepared.outputs)
    info = node.execution_info(
        execution_id=prepared.execution.id,
        input_dict=dict(prepared.inputs),
        output_dict=prepared.outputs,
        exec_properties=prepared.parameters,
        execution_output_uri=folders.executor_output_path,
        stateful_working_dir=folders.stateful_path,
        tmp_dir=folders.tmp_path,
    )
    done = node.run_in_worker(
        "executor", node.executor_spec, info, timeout_seconds, maker=cache_key.maker(prepared.ingredients)
    )
    output = execution_result_pb2.ExecutorOutput.FromString(done.output)
    folders.finish(prepared.outputs, output, done.digests)
    prepared.implementation = implementation.of_properties(output.execution_properties)
    return publications.publish_done(
        node.run.store,
        prepared.contexts,
        prepared.execution.id,
        prepared.outputs,
        output,
        prepared.ingredients,
    )


@contextlib.contextmanager
def _single_flight(node: LiveNode, prepared: Prepared) -> Iterator[None]:
    """Hold the lock of the cache key: of runs that miss the same entry at once, one computes it."""
    if not node.uses_cache or prepared.cache_context is None:
        yield
        return
    is_reported = False

    def wait() -> None:
        nonlocal is_reported
        if not is_reported:
            node.report("waiting for another run that makes the same")
            is_reported = True
        if node.is_cancelled():
            raise Cancelled(node.node_id)
        time.sleep(_LOCK_POLL_SECONDS)

    with locks.making(node.run.store, prepared.cache_context.name, wait):
        yield
