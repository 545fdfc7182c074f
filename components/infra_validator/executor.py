"""Executor of the InfraValidator component."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfx.proto import infra_validator_pb2
from tfx.utils import path_utils

from headrace.components.infra_validator.process import ServerFailure, ServerProcess
from headrace.errors import DefinitionError, EmptyDataError
from headrace.files import copy_folder
from headrace.formats import artifacts, blessings
from headrace.formats.examples import examples as examples_io
from headrace.models import signatures, warmup
from headrace.models.saved_model import SavedModel
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor

_DEFAULT_TRIES = 5
_DEFAULT_LOAD_SECONDS = 300.0
_REQUEST_SECONDS = 60.0
# Fewer say nothing about the time of a request.
_MIN_TIMED_REQUESTS = 5
_DEFAULT_MODEL_NAME = "infra-validation-model"


@dataclass(frozen=True)
class _Trial:
    """What the model is asked, and the bounds it must keep.

    Attributes:
        model_path: Folder of the SavedModel.
        tags: Of its graph.
        signatures: Signatures that are called with each record.
        records: Serialized Examples, one for each request.
        max_load_seconds: Bound on loading.
        max_memory_gb: Bound on the process's memory, if any.
        max_latency_ms: Bound on the median request, if any.
    """

    model_path: str
    tags: tuple[str, ...]
    signatures: tuple[str, ...]
    records: tuple[bytes, ...]
    max_load_seconds: float
    max_memory_gb: float | None
    max_latency_ms: float | None


class Executor(BaseExecutor):
    """Loads the model in a fresh process, asks it, and writes the verdict."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill `blessing`; see `InfraValidator`."""
        trial = _trial(context)
        tries = _spec(context, "validation_spec").num_tries or _DEFAULT_TRIES
        log_path = os.path.join(context.tmp_path, "server.log")
        failure: ServerFailure | None = None
        line = ""
        for number in range(tries):
            again = f" (try {number + 1} of {tries})" if number else ""
            try:
                line = _run(context, trial, log_path, again)
                failure = None
                break
            except ServerFailure as error:
                failure = error
                if not error.may_pass_later:
                    break
        blessing = context.output("blessing")
        request_spec = _spec(context, "request_spec")
        has_model = failure is None and bool(trial.records) and request_spec.make_warmup
        if has_model:
            name = _spec(context, "serving_spec").model_name or _DEFAULT_MODEL_NAME
            _keep_with_warmup(trial, blessing.uri, name)
        blessings.write_infra_blessing(blessing, failure is None, has_model=has_model)
        context.summarize("blessing", f"INFRA NOT BLESSED: {failure.reason}" if failure else line)


def _spec(context: ExecutionContext, key: str) -> Any:
    classes = {
        "serving_spec": infra_validator_pb2.ServingSpec,
        "request_spec": infra_validator_pb2.RequestSpec,
        "validation_spec": infra_validator_pb2.ValidationSpec,
    }
    return context.proto_parameter(key, classes[key])


def _trial(context: ExecutionContext) -> _Trial:
    model = context.input("model")
    path = str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))
    request_spec = _spec(context, "request_spec")
    serving = request_spec.tensorflow_serving
    tags = tuple(serving.tag_set) or (signatures.SERVING_TAG,)
    files = SavedModel(path, f"{context.node_id}: model")
    names = tuple(serving.signature_names) or (signatures.SERVING,)
    records: tuple[bytes, ...] = ()
    if context.inputs.get("examples"):
        known = files.tagged_signatures(tags, "tag_set in request_spec")
        signatures.check_take_examples(names, known, context.node_id, "signature_names in request_spec")
        records = _records(context, request_spec)
    limits = [
        _spec(context, "validation_spec").max_loading_time_seconds,
        context.parameter("max_load_seconds"),
    ]
    return _Trial(
        path,
        tags,
        names,
        records,
        min((float(limit) for limit in limits if limit), default=_DEFAULT_LOAD_SECONDS),
        context.parameter("max_memory_gb"),
        context.parameter("max_latency_ms"),
    )


def _records(context: ExecutionContext, request_spec: Any) -> tuple[bytes, ...]:
    examples = context.input("examples")
    if request_spec.num_examples < 0:
        raise DefinitionError(
            f"{context.node_id}: num_examples is {request_spec.num_examples}.", "give a number above zero."
        )
    count = request_spec.num_examples or 1
    known = artifacts.split_names(examples)
    split = request_spec.split_name or (known[0] if known else "")
    artifacts.check_splits(examples, [split], f"{context.node_id}: request_spec")
    found: list[bytes] = []
    for batch in examples_io.read_records(examples, split, batch_rows=count):
        found += batch[: count - len(found)]
        if len(found) >= count:
            break
    if not found:
        raise EmptyDataError(
            f"{context.node_id}: split '{split}' has no row to make a request from.",
            "choose another split_name in request_spec.",
        )
    return tuple(found)


def _run(context: ExecutionContext, trial: _Trial, log_path: str, again: str) -> str:
    """Load and ask the model once; returns the line that says what was measured.

    Raises:
        ServerFailure: If it fails or breaks a bound.
    """
    context.progress.report(f"starting a server process{again}")
    with ServerProcess(log_path, context.fresh_processes) as process:
        context.progress.report(f"loading the model{again}")
        loaded = process.load(trial.model_path, trial.tags, trial.max_load_seconds)
        if loaded["seconds"] > trial.max_load_seconds:
            raise ServerFailure(
                f"loaded in {loaded['seconds']:.1f} s, not within {trial.max_load_seconds:g} s", True
            )
        context.progress.report(f"sending requests{again}")
        seconds, memory_bytes = [], loaded["memory_bytes"]
        for is_warmup, signature, record in _requests(trial):
            answer = process.request(signature, [record], _REQUEST_SECONDS)
            _check_outputs(signature, answer["outputs"])
            memory_bytes = answer["memory_bytes"]
            if not is_warmup:
                seconds.append(answer["seconds"])
    memory_gb = memory_bytes / 1e9
    if trial.max_memory_gb is not None and memory_gb > trial.max_memory_gb:
        raise ServerFailure(
            f"needs {memory_gb:.2f} GB of memory, not within {trial.max_memory_gb:g} GB", False
        )
    parts = [f"loads in {loaded['seconds']:.1f} s", f"{memory_bytes / 1e6:,.0f} MB"]
    if not seconds:
        return f"INFRA BLESSED: {', '.join([*parts, 'no request was sent'])}"
    latency_ms = statistics.median(seconds) * 1_000
    if trial.max_latency_ms is not None and latency_ms > trial.max_latency_ms:
        raise ServerFailure(
            f"needs {latency_ms:.1f} ms a request, not within {trial.max_latency_ms:g} ms",
            may_pass_later=True,
        )
    return f"INFRA BLESSED: {', '.join([*parts, f'{latency_ms:.2g} ms a request'])}"


def _requests(trial: _Trial) -> Iterator[tuple[bool, str, bytes]]:
    """Each record to each signature, the first one twice: the call that traces the graph is not timed."""
    for signature in trial.signatures if trial.records else ():
        yield True, signature, trial.records[0]
        for number in range(max(_MIN_TIMED_REQUESTS, len(trial.records))):
            yield False, signature, trial.records[number % len(trial.records)]


def _check_outputs(signature: str, outputs: Mapping[str, Any]) -> None:
    """One request of one Example gives one row of finite numbers for each output."""
    if not outputs:
        raise ServerFailure(f"gave no output on '{signature}'", may_pass_later=False)
    for name, output in sorted(outputs.items()):
        shape: Sequence[int] = output["shape"]
        if not shape or shape[0] != 1:
            raise ServerFailure(
                f"gave output '{name}' of shape {list(shape)} on '{signature}' where 1 row was asked for",
                False,
            )
        if not output["is_finite"]:
            raise ServerFailure(f"gave NaN or infinity in output '{name}' on '{signature}'", False)


def _keep_with_warmup(trial: _Trial, blessing_path: str, model_name: str) -> None:
    """Copy the model with its requests in the file that TensorFlow Serving replays when it loads a model."""
    target = path_utils.stamped_model_path(blessing_path)
    copy_folder(trial.model_path, target)
    known = SavedModel(target, "model").tagged_signatures(trial.tags, "tag_set in request_spec")
    requests = [
        (signature, next(iter(known[signature].inputs)), record)
        for signature in trial.signatures
        for record in trial.records
    ]
    warmup.write(target, requests, model_name)
