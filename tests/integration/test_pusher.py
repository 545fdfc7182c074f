"""Pusher on a folder of versions, with TFX's properties."""

from __future__ import annotations

import errno
import functools
import json
import os
import shutil
from pathlib import Path
from typing import Any

import fsspec
import pytest
import tensorflow as tf
from conftest_serving import model_artifact, taxi_models
from executor_contexts import executor_context
from tfx.components.pusher.executor import Executor as StockExecutor
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from headrace import files
from headrace.components.pusher import versions
from headrace.components.pusher.executor import Executor
from headrace.errors import DefinitionError, ModelError, StoreError
from headrace.files import elsewhere

_ = taxi_models  # fixture


def push(path: Path, base: Path | str, executor: Any = Executor, **inputs: Any) -> Any:
    """Run an executor; returns the PushedModel."""
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(path / "pushed")
    destination = json.dumps({"filesystem": {"base_directory": str(base)}})
    executor(executor_context(path)).Do(
        {key: [artifact] for key, artifact in inputs.items()},
        {"pushed_model": [pushed]},
        {"push_destination": destination, "custom_config": "null"},
    )
    return pushed


def blessing(artifact_type: Any, is_blessed: bool | None) -> Any:
    """A blessing with its property, or without."""
    artifact = artifact_type()
    if is_blessed is not None:
        artifact.set_int_custom_property("blessed", int(is_blessed))
    return artifact


def contents(path: Path | str) -> dict[str, bytes]:
    """Files below a folder."""
    return {
        str(file.relative_to(path)): file.read_bytes() for file in Path(path).rglob("*") if file.is_file()
    }


def properties(artifact: Any) -> dict[str, Any]:
    """TFX's properties that do not depend on the time."""
    return {"pushed": artifact.get_int_custom_property("pushed"), "files": contents(artifact.uri)}


def test_pushed_model_equals_what_tfx_pushes(tmp_path: Path, taxi_models: dict[str, Any]) -> None:
    """Files, archive and properties; and it loads from where it was pushed."""
    model = taxi_models["binary"]
    blessed = blessing(standard_artifacts.ModelBlessing, True)

    ours = push(tmp_path / "ours", tmp_path / "our_base", model=model, model_blessing=blessed)
    stock = push(
        tmp_path / "stock", tmp_path / "stock_base", StockExecutor, model=model, model_blessing=blessed
    )

    assert properties(ours) == properties(stock)
    target = ours.get_string_custom_property("pushed_destination")
    version = ours.get_string_custom_property("pushed_version")
    assert contents(target) == contents(stock.get_string_custom_property("pushed_destination"))
    assert target == str(tmp_path / "our_base" / version)
    assert abs(int(version) - int(stock.get_string_custom_property("pushed_version"))) < 60
    assert os.listdir(tmp_path / "our_base") == [version]
    assert ours.get_string_custom_property("headrace_summary") == (
        f"pushed to {tmp_path}/our_base as version {version}"
    )
    assert "serving_default" in tf.saved_model.load(target).signatures


@pytest.mark.parametrize("executor", [Executor, StockExecutor])
@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({"model_blessing": False}, "not pushed: model is not blessed"),
        ({"model_blessing": None}, "not pushed: model is not blessed"),
        ({"model_blessing": True, "infra_blessing": False}, "not pushed: model is not infra blessed"),
    ],
)
def test_model_that_is_not_blessed_is_not_pushed(
    tmp_path: Path, taxi_models: dict[str, Any], executor: Any, inputs: dict[str, Any], line: str
) -> None:
    """Nothing is made at the destination; a blessing that was never given counts as none, as in TFX."""
    types = {
        "model_blessing": standard_artifacts.ModelBlessing,
        "infra_blessing": standard_artifacts.InfraBlessing,
    }
    blessings = {key: blessing(types[key], is_blessed) for key, is_blessed in inputs.items()}

    pushed = push(tmp_path, tmp_path / "base", executor, model=taxi_models["binary"], **blessings)

    assert properties(pushed) == {"pushed": 0, "files": {}}
    assert not (tmp_path / "base").exists()
    if executor is Executor:
        assert pushed.get_string_custom_property("headrace_summary") == line


def test_two_pushes_in_one_second_give_two_versions(
    tmp_path: Path, taxi_models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TFX would skip the second, and record it as pushed."""
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.5)

    push(tmp_path / "first", tmp_path / "base", model=taxi_models["binary"])
    push(tmp_path / "second", tmp_path / "base", model=taxi_models["regression"])

    assert sorted(os.listdir(tmp_path / "base")) == ["1700000000", "1700000001"]


def test_remote_servers_see_whole_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for `saved_model.pb`, so it comes last; numbers grow there too."""
    model = model_artifact(tmp_path / "model")
    serving = Path(path_utils.serving_model_path(model.uri))
    (serving / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "fingerprint.pb", "variables/variables.index"):
        (serving / name).write_text(name)
    there: list[set[str]] = []
    upload = elsewhere.upload

    def look(path: str, address: str) -> None:
        if address.endswith("saved_model.pb"):
            there.append(set(files.files_below(os.path.dirname(address))))
        upload(path, address)

    monkeypatch.setattr(elsewhere, "upload", look)
    fsspec.filesystem("memory").pipe_file("/serving/99999999999/saved_model.pb", b"another")

    pushed = push(tmp_path, "memory://serving", model=model)

    assert there == [{"fingerprint.pb", "variables/variables.index"}]
    target = pushed.get_string_custom_property("pushed_destination")
    assert target == "memory://serving/100000000000"
    assert files.read_text(f"{target}/saved_model.pb") == "saved_model.pb"


def test_model_that_infra_validator_kept_is_pushed(tmp_path: Path, taxi_models: dict[str, Any]) -> None:
    """With its warm-up requests, in place of the trainer's."""
    kept = blessing(standard_artifacts.InfraBlessing, True)
    kept.uri = str(tmp_path / "infra")
    shutil.copytree(Path(taxi_models["binary"].uri, "Format-Serving"), tmp_path / "infra" / "stamped_model")
    with pytest.raises(ModelError) as caught:
        push(tmp_path / "without", tmp_path / "base", infra_blessing=kept)
    assert caught.value.problem == "pusher: infra_blessing holds no model, and 'model' is not connected."

    kept.set_int_custom_property("has_model", 1)
    pushed = push(tmp_path / "with", tmp_path / "base", infra_blessing=kept)

    assert "saved_model.pb" in contents(pushed.get_string_custom_property("pushed_destination"))


def test_full_disk_leaves_nothing_visible(
    tmp_path: Path, taxi_models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file does not fit."""

    def fill(source: str, target: str) -> None:
        os.makedirs(target)
        shutil.copy(os.path.join(source, "saved_model.pb"), target)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)

    monkeypatch.setattr(versions, "push", functools.partial(versions.push, copy=fill))

    with pytest.raises(StoreError) as caught:
        push(tmp_path, tmp_path / "base", model=taxi_models["binary"])

    assert os.listdir(tmp_path / "base") == []
    assert str(caught.value) == (
        f"pusher: the disk of push destination {tmp_path}/base is full. Nothing of the model is visible there.\n"
        "  Fix: free space, or choose another base_directory, then resume."
    )


def test_a_model_that_the_store_cannot_keep_is_not_pushed(
    tmp_path: Path, taxi_models: dict[str, Any]
) -> None:
    """A failed node must not have changed what the server serves."""
    (tmp_path / "pushed").write_text("in the way")

    with pytest.raises(StoreError) as caught:
        push(tmp_path, tmp_path / "base", model=taxi_models["binary"])

    assert caught.value.problem.startswith(
        f"pusher: the copy of the model in the store, {tmp_path}/pushed, could not be written: "
    )
    assert caught.value.problem.endswith(" Nothing was pushed.")
    assert not (tmp_path / "base").exists()


def test_destination_that_is_no_folder_is_said(tmp_path: Path, taxi_models: dict[str, Any]) -> None:
    """A file lies where the folder should be."""
    (tmp_path / "base").write_text("in the way")

    with pytest.raises(StoreError) as caught:
        push(tmp_path, tmp_path / "base", model=taxi_models["binary"])

    assert caught.value.problem == f"pusher: push destination {tmp_path}/base cannot be written: File exists."


def test_destination_without_write_access_is_said(
    tmp_path: Path, taxi_models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: tests may run as root, who may write anywhere."""

    def refuse(source: str, target: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)

    monkeypatch.setattr(versions, "push", functools.partial(versions.push, copy=refuse))

    with pytest.raises(StoreError) as caught:
        push(tmp_path, tmp_path / "base", model=taxi_models["binary"])

    assert caught.value.problem == (
        f"pusher: push destination {tmp_path}/base cannot be written: Permission denied."
    )


def test_missing_model_is_said(tmp_path: Path) -> None:
    """The artifact's folder is gone."""
    with pytest.raises(ModelError) as caught:
        push(tmp_path, tmp_path / "base", model=model_artifact(tmp_path / "gone"))

    assert caught.value.problem == f"pusher: there is no exported model in {tmp_path}/gone/Format-Serving."


@pytest.mark.parametrize(
    ("base", "problem"),
    [
        (
            "models",
            "pusher: push destination 'models' is a relative path, which depends on where the command runs.",
        ),
        ("", "pusher: push_destination has no filesystem.base_directory."),
    ],
)
def test_destination_that_a_parameter_gave_is_checked_too(
    tmp_path: Path, taxi_models: dict[str, Any], base: str, problem: str
) -> None:
    """A runtime parameter is known only here."""
    with pytest.raises(DefinitionError) as caught:
        push(tmp_path, base, model=taxi_models["binary"])

    assert caught.value.problem == problem
