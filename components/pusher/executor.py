"""Executor of the Pusher component."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Sequence

from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.utils import io_utils, path_utils

from headrace.authoring import Artifact
from headrace.components.pusher import versions
from headrace.components.pusher.component import check_base_directory
from headrace.errors import DefinitionError, InputResolutionError, ModelError, StoreError
from headrace.formats import blessings, pushed_models, saved_models
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor

_BLOCK_BYTES = 1 << 20


class Executor(BaseExecutor):
    """Copies the model aside and renames it into place."""

    def execute(self, context: ExecutionContext) -> None:
        """Push if nothing forbids it; see `Pusher`."""
        pushed = context.output("pushed_model")
        refusal = _refusal(context)
        if refusal:
            pushed_models.write(pushed, pushed_models.Push())
            context.summarize("pushed_model", f"not pushed: {refusal}")
            return
        model_path = _model_path(context)
        base = _base_directory(context)
        context.progress.report("copying the model")
        _archive(model_path, pushed.uri, context.node_id)
        try:
            if "://" in base:
                destination = _push_remote(model_path, base)
            else:
                destination = versions.push(model_path, base, int(time.time()))
        except OSError as error:
            raise _explained(context.node_id, base, error) from error
        version = os.path.basename(destination)
        pushed_models.write(pushed, pushed_models.Push(destination, version))
        context.summarize("pushed_model", f"pushed to {base} as version {version}")


def _refusal(context: ExecutionContext) -> str:
    """Why the model must not be pushed; empty where it may be."""
    for key, words in (("model_blessing", "blessed"), ("infra_blessing", "infra blessed")):
        given: Sequence[Artifact] = context.inputs.get(key) or []
        if given and not blessings.allows(context.input(key)):
            return f"model is not {words}"
    return ""


def _model_path(context: ExecutionContext) -> str:
    model = context.optional_input("model")
    if model is not None:
        path = str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))
    else:
        blessing = context.optional_input("infra_blessing")
        if blessing is None:
            raise InputResolutionError(
                f"{context.node_id}: there is no model to push.", "connect 'model' or 'infra_blessing'."
            )
        if not blessings.has_model(blessing):
            raise ModelError(
                f"{context.node_id}: infra_blessing holds no model, and 'model' is not connected.",
                "set make_warmup in InfraValidator's request_spec, or connect 'model'.",
            )
        path = str(path_utils.stamped_model_path(blessing.uri))
    if not os.path.isdir(path) or not os.listdir(path):
        raise ModelError(
            f"{context.node_id}: there is no exported model in {path}.",
            "run the Trainer that makes it again.",
        )
    return path


def _base_directory(context: ExecutionContext) -> str:
    destination = context.proto_parameter("push_destination", pusher_pb2.PushDestination)
    base = destination.filesystem.base_directory
    check_base_directory(base, context.node_id)
    known = (pusher_pb2.Versioning.AUTO, pusher_pb2.Versioning.UNIX_TIMESTAMP)
    if destination.filesystem.versioning not in known:
        raise DefinitionError(
            f"{context.node_id}: versioning {destination.filesystem.versioning} is unknown.",
            "use AUTO or UNIX_TIMESTAMP.",
        )
    return str(base)


def _archive(model_path: str, path: str, node_id: str) -> None:
    """Keep a copy in the store: whoever runs the server may clean up the destination.

    It is made first. A push that is visible to the server must not end as a failure.
    """
    try:
        shutil.copytree(model_path, path, dirs_exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{node_id}: the copy of the model in the store, {path}, could not be written: {error}. Nothing was "
            "pushed.",
            "give the store room and write access, then resume.",
        ) from error


def _push_remote(model_path: str, base: str) -> str:
    """Copy to a file system without rename, `saved_model.pb` last: servers wait for that file.

    What is the newest version already is not pushed again, as in a local folder.
    """
    names = [name.rstrip("/") for name in fileio.listdir(base)] if fileio.exists(base) else []
    newest = versions.newest_version(names)
    if newest and _is_same(model_path, os.path.join(base, newest)):
        return os.path.join(base, newest)
    version = versions.next_version(names, int(time.time()))
    while fileio.exists(os.path.join(base, str(version))):
        version += 1
    target = os.path.join(base, str(version))
    io_utils.copy_dir(model_path, target, deny_regex_patterns=[re.escape(saved_models.MODEL_FILE)])
    last = os.path.join(model_path, saved_models.MODEL_FILE)
    if os.path.exists(last):
        io_utils.copy_file(last, os.path.join(target, saved_models.MODEL_FILE))
    return target


def _is_same(model_path: str, version_path: str) -> bool:
    """Whether a version elsewhere holds the same files with the same bytes as a folder of this machine."""
    here, there = (
        {os.path.relpath(os.path.join(folder, name), top) for folder, _, names in walk for name in names}
        for top, walk in ((model_path, os.walk(model_path)), (version_path, fileio.walk(version_path)))
    )
    return here == there and all(
        _has_same_bytes(os.path.join(model_path, name), os.path.join(version_path, name)) for name in here
    )


def _has_same_bytes(path: str, uri: str) -> bool:
    with open(path, "rb") as one, fileio.open(uri, "rb") as other:
        while True:
            block, seen = one.read(_BLOCK_BYTES), other.read(_BLOCK_BYTES)
            if block != seen:
                return False
            if not block:
                return True


def _explained(node_id: str, base: str, error: OSError) -> StoreError:
    numbers = {error.errno}
    if isinstance(error, shutil.Error):
        # copytree collects what failed as (source, destination, text).
        texts = " ".join(str(item[2]) for item in error.args[0])
        numbers = {
            number for number in (errno.ENOSPC, errno.EACCES, errno.EROFS) if os.strerror(number) in texts
        }
    if numbers & {errno.ENOSPC, errno.EDQUOT}:
        return StoreError(
            f"{node_id}: the disk of push destination {base} is full. Nothing of the model is visible there.",
            "free space, or choose another base_directory, then resume.",
        )
    if numbers & {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}:
        return StoreError(
            f"{node_id}: push destination {base} cannot be written: {error.strerror or error}.",
            "give this user the right to write there, or choose another base_directory.",
        )
    return StoreError(
        f"{node_id}: the model could not be copied to {base}: {error}. Nothing of it is visible there.",
        "correct the cause, then resume.",
    )
