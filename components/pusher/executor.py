"""Executor of the Pusher component."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Sequence

from tfx.proto import pusher_pb2
from tfx.utils import path_utils

from headrace import files
from headrace.authoring import Artifact
from headrace.components.pusher import versions
from headrace.components.pusher.component import check_base_directory
from headrace.errors import DefinitionError, InputResolutionError, ModelError, StoreError, UnreachableError
from headrace.files import addresses
from headrace.formats import blessings, decisions, pushed_models
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor


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
        if _keep_decision(context, pushed.uri):
            model_path = pushed.uri
        try:
            push = versions.push_elsewhere if addresses.is_elsewhere(base) else versions.push
            destination = push(model_path, base, int(time.time()))
        except OSError as error:
            raise _explained(context.node_id, base, error) from error
        except UnreachableError as error:
            raise UnreachableError(
                f"{context.node_id}: push destination {error.problem}", error.fix
            ) from error
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


def _keep_decision(context: ExecutionContext, path: str) -> bool:
    """Keep the thresholds that the Evaluator chose with the copy of the model; tell whether there are any."""
    blessing = context.optional_input("model_blessing")
    chosen = decisions.read(blessing.uri) if blessing is not None else None
    if chosen is None:
        return False
    decisions.write(path, chosen, decisions.MODEL_FILE)
    return True


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
    if not files.is_folder(path) or not files.names_in(path):
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
    return addresses.here(str(base))


def _archive(model_path: str, path: str, node_id: str) -> None:
    """Keep a copy in the store: whoever runs the server may clean up the destination.

    It is made first. A push that is visible to the server must not end as a failure.
    """
    try:
        files.copy_folder(model_path, path)
    except OSError as error:
        raise StoreError(
            f"{node_id}: the copy of the model in the store, {path}, could not be written: {error}. Nothing was "
            "pushed.",
            "give the store room and write access, then resume.",
        ) from error


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
