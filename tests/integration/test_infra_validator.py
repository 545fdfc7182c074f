"""InfraValidator in a fresh process, on models that serve and models that do not."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from conftest_serving import model_artifact, taxi_examples, taxi_models
from executor_contexts import executor_context
from tensorflow_serving.apis import prediction_log_pb2
from tfx.types import standard_artifacts

from headrace.components.infra_validator import executor
from headrace.components.infra_validator.executor import Executor
from headrace.components.infra_validator.process import ServerFailure, ServerProcess
from headrace.errors import ModelError, UnknownSplitError
from headrace.formats.examples import tfrecord
from headrace.runtime import services
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.services import Services

_ = (taxi_examples, taxi_models)  # fixtures
ONE_TRY = '{"num_tries": 1}'
NURSERY = """
import socket, sys
import tensorflow
from headrace.runtime.processes import fresh_processes

requests = socket.socket(fileno=int(sys.argv[1]))
fresh_processes._Nursery(requests, fresh_processes.resident_file_bytes()).serve()
"""


@pytest.fixture(scope="module", autouse=True)
def nursery() -> Iterator[None]:
    """Fresh processes are forks of one that has TensorFlow loaded, as under the workers' server."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-c", NURSERY, str(theirs.fileno())]
    made = Services(fresh_processes=FreshProcesses(ours))
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]), services.lent(made):
        theirs.close()
        yield
        # It ends when nobody is left to ask.
        ours.close()


def validate(path: Path, model: Any, examples: Any = None, **parameters: Any) -> Any:
    """Run the executor; returns the blessing."""
    blessing = standard_artifacts.InfraBlessing()
    blessing.uri = str(path / "blessing")
    inputs = {"model": [model], **({"examples": [examples]} if examples is not None else {})}
    properties = {"serving_spec": '{"tensorflow_serving": {"tags": ["latest"]}}', **parameters}
    Executor(executor_context(path)).Do(inputs, {"blessing": [blessing]}, properties)
    return blessing


def summary(blessing: Any) -> str:
    """The line shown in the table."""
    return str(blessing.get_string_custom_property("headrace_summary"))


def files(blessing: Any) -> list[str]:
    """Names in the artifact's folder."""
    return sorted(os.listdir(blessing.uri))


def save(path: Path, serve: Any) -> Any:
    """Export a function from serialized Examples as a model."""
    module = tf.Module()
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    folder = path / "model" / "Format-Serving"
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return model_artifact(folder.parent)


def test_model_that_answers_is_blessed_and_its_warmup_kept(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """File and properties as TFX writes them, and the requests for TensorFlow Serving to replay."""
    request_spec = {
        "num_examples": 3,
        "split_name": "eval",
        "make_warmup": True,
        "tensorflow_serving": {"signature_names": ["serving_default", "transform_features"]},
    }

    blessing = validate(
        tmp_path,
        taxi_models["binary"],
        taxi_examples,
        request_spec=json.dumps(request_spec),
        max_latency_ms=10_000.0,
        max_memory_gb=8.0,
    )

    assert re.fullmatch(
        r"INFRA BLESSED: loads in \d+\.\d s, [\d,]+ MB, [\d.e+]+ ms a request", summary(blessing)
    )
    assert files(blessing) == ["INFRA_BLESSED", "stamped_model"]
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_int_custom_property("has_model") == 1
    warmup = Path(blessing.uri, "stamped_model", "assets.extra", "tf_serving_warmup_requests")
    (records,) = tfrecord.read_batches(str(warmup), 100)
    requests = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
    assert [request.model_spec.signature_name for request in requests] == [
        *["serving_default"] * 3,
        *["transform_features"] * 3,
    ]
    assert Path(blessing.uri, "stamped_model", "saved_model.pb").exists()


def test_without_examples_the_model_is_loaded_and_the_line_says_so(
    tmp_path: Path, taxi_models: dict[str, Any]
) -> None:
    """As TFX's load-only mode."""
    blessing = validate(tmp_path, taxi_models["binary"])

    assert files(blessing) == ["INFRA_BLESSED"]
    assert summary(blessing).endswith(" MB, no request was sent")


def test_a_model_without_signatures_is_loaded_all_the_same(tmp_path: Path) -> None:
    """Whoever serves it may call its functions."""
    tf.saved_model.save(tf.Module(), str(tmp_path / "model" / "Format-Serving"))

    assert files(validate(tmp_path, model_artifact(tmp_path / "model"))) == ["INFRA_BLESSED"]


def test_nan_in_an_answer_is_not_blessed(tmp_path: Path, taxi_examples: Any) -> None:
    """The model loads; what it says is useless."""
    model = save(
        tmp_path,
        lambda examples: {"score": tf.math.log(-tf.ones_like(tf.strings.length(examples), tf.float32))},
    )

    blessing = validate(tmp_path, model, taxi_examples)

    assert files(blessing) == ["INFRA_NOT_BLESSED"]
    assert blessing.get_int_custom_property("blessed") == 0
    assert summary(blessing) == (
        "INFRA NOT BLESSED: gave NaN or infinity in output 'score' on 'serving_default'"
    )


def test_wrong_number_of_rows_is_not_blessed(tmp_path: Path, taxi_examples: Any) -> None:
    """One Example in, one row out."""
    model = save(tmp_path, lambda examples: {"score": tf.zeros([2, 1])})

    blessing = validate(tmp_path, model, taxi_examples)

    assert summary(blessing) == (
        "INFRA NOT BLESSED: gave output 'score' of shape [2, 1] on 'serving_default' where 1 row was asked for"
    )


def test_model_that_cannot_be_loaded_elsewhere_is_not_blessed(
    tmp_path: Path, taxi_models: dict[str, Any]
) -> None:
    """Its variables are not in the export."""
    copy = tmp_path / "model"
    shutil.copytree(taxi_models["binary"].uri, copy)
    shutil.rmtree(copy / "Format-Serving" / "variables")

    blessing = validate(tmp_path, model_artifact(copy))

    assert summary(blessing).startswith("INFRA NOT BLESSED: failed to load: ")


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ({"max_memory_gb": 0.01}, r"needs \d\.\d\d GB of memory, not within 0\.01 GB"),
        ({"max_latency_ms": 0.0001}, r"needs [\d.]+ ms a request, not within 0\.0001 ms"),
        ({"max_load_seconds": 0.0001}, r"did not load within 0\.0001 s"),
    ],
)
def test_broken_bound_is_named(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any], bound: dict[str, float], words: str
) -> None:
    """With what was measured."""
    blessing = validate(tmp_path, taxi_models["binary"], taxi_examples, validation_spec=ONE_TRY, **bound)

    assert re.fullmatch(f"INFRA NOT BLESSED: {words}", summary(blessing))
    assert files(blessing) == ["INFRA_NOT_BLESSED"]


@pytest.mark.parametrize(
    ("num_tries", "failing_tries", "may_pass_later", "tries", "is_blessed"),
    [
        (3, 0, True, 1, True),
        (3, 2, True, 3, True),
        (3, 3, True, 3, False),
        (1, 1, True, 1, False),
        # A model that cannot be loaded is not asked again.
        (3, 3, False, 1, False),
        # TFX's default.
        (0, 4, True, 5, True),
        (0, 5, True, 5, False),
    ],
)
def test_what_may_pass_later_is_tried_again(
    tmp_path: Path,
    taxi_models: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    num_tries: int,
    failing_tries: int,
    may_pass_later: bool,
    tries: int,
    is_blessed: bool,
) -> None:
    """As often as `num_tries` says, until one passes."""
    seen: list[str] = []

    def run(context: Any, trial: Any, log_path: str, again: str) -> str:
        seen.append(again)
        if len(seen) <= failing_tries:
            raise ServerFailure("did not load within 3 s", may_pass_later)
        return "INFRA BLESSED: loads"

    monkeypatch.setattr(executor, "_run", run)
    spec = {"validation_spec": json.dumps({"num_tries": num_tries})} if num_tries else {}

    blessing = validate(tmp_path, taxi_models["binary"], **spec)

    assert seen == ["", *[f" (try {number} of {num_tries or 5})" for number in range(2, tries + 1)]]
    assert files(blessing) == ["INFRA_BLESSED" if is_blessed else "INFRA_NOT_BLESSED"]
    assert blessing.get_int_custom_property("blessed") == int(is_blessed)
    assert summary(blessing) == (
        "INFRA BLESSED: loads" if is_blessed else "INFRA NOT BLESSED: did not load within 3 s"
    )


def test_missing_signature_lists_those_there_are(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """A mistake in the pipeline, not a fault of the model: the node fails."""
    request_spec = '{"tensorflow_serving": {"signature_names": ["serve"]}}'

    with pytest.raises(ModelError) as caught:
        validate(tmp_path, taxi_models["binary"], taxi_examples, request_spec=request_spec)

    assert caught.value.problem == (
        "infra_validator: the model has no signature 'serve'. It has 'serving_default', 'transform_features'."
    )


def test_unknown_split_lists_those_there_are(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Before a process is started."""
    with pytest.raises(UnknownSplitError) as caught:
        validate(tmp_path, taxi_models["binary"], taxi_examples, request_spec='{"split_name": "evl"}')

    assert caught.value.problem.startswith("infra_validator: request_spec: there is no split 'evl'. ")


def test_process_and_its_children_end_whatever_happens(tmp_path: Path, taxi_models: dict[str, Any]) -> None:
    """Killed while it serves: said, and nobody of its group is left. Here as under TFX's runners, a Python of its own."""
    path = os.path.join(taxi_models["binary"].uri, "Format-Serving")
    with ServerProcess(str(tmp_path / "server.log"), FreshProcesses()) as process:
        group = process.pid
        assert process.load(path, ["serve"], 60)["memory_bytes"] > 50e6
        os.kill(group, signal.SIGKILL)
        with pytest.raises(ServerFailure) as caught:
            process.request("serving_default", [b""], 60)

    assert caught.value.may_pass_later
    assert caught.value.reason.startswith("ended its process (exit code -9): ")
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
