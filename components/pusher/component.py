"""Declaration of the Pusher component."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    ExecutorSpec,
    NamedExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
    system_executions,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.errors import DefinitionError
from headrace.files import addresses

with authoring():
    from tfx.proto import pusher_pb2
    from tfx.utils import json_utils


class PusherSpec(ComponentSpec):
    """TFX's keys and types."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "push_destination": ExecutionParameter(type=pusher_pb2.PushDestination, optional=True),
        "custom_config": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
    }
    OUTPUTS = {"pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)}  # noqa: RUF012
    TYPE_ANNOTATION = system_executions.Deploy


class PusherOutputs(Outputs):
    """What `Pusher` makes."""

    pushed_model: OutputOf[standard_artifacts.PushedModel]


class Pusher(Component[PusherOutputs]):
    """Copies a blessed model into the folder that a model server watches.

    The copy is made under a hidden name beside the versions and renamed when it is complete: a server never
    sees half a model, also where the disk fills up or the process is killed. At an address such as
    `gs://bucket/models`, where nothing can be renamed, `saved_model.pb` comes last, for which servers wait. The version is the time in Unix
    seconds, or the number after the highest there is. A model that is the newest version there already, byte for
    byte, is not copied again.

    Inputs:
        model: `Model` to push. Without it, the model that InfraValidator kept with its warm-up requests.
        model_blessing: `ModelBlessing` of an Evaluator; where connected and not blessed, nothing is pushed.
        infra_blessing: `InfraBlessing` of an InfraValidator; likewise.

    Outputs:
        pushed_model: `PushedModel`, a copy of what was pushed, with the properties `pushed` (1 or 0),
            `pushed_destination` (the version's folder) and `pushed_version`. Empty where nothing was pushed.

    Args:
        model: Channel of Model.
        model_blessing: Channel of ModelBlessing.
        infra_blessing: Channel of InfraBlessing.
        push_destination: A mapping or `tfx.proto.PushDestination` with `filesystem.base_directory`, an absolute path or an
            address such as `gs://bucket/models`.
        custom_config: Recorded for executors of other platforms.
        custom_executor_spec: Another executor, as under TFX.

    Raises:
        DefinitionError: If there is no push_destination or nothing to push, or the folder's path is relative or an address of
            the web.

    Example:
        >>> pusher = Pusher(
        ...     model=trainer.outputs["model"],
        ...     model_blessing=evaluator.outputs["blessing"],
        ...     push_destination={"filesystem": {"base_directory": "/srv/models/taxi"}},
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.pusher.executor.Executor")
    TFX_TYPE = "tfx.components.pusher.component.Pusher"
    INPUT_FILES = ()

    def __init__(
        self,
        model: BaseChannel | None = None,
        model_blessing: BaseChannel | None = None,
        infra_blessing: BaseChannel | None = None,
        push_destination: ProtoLike | None = None,
        custom_config: Mapping[str, Any] | None = None,
        custom_executor_spec: ExecutorSpec | None = None,
    ) -> None:
        is_own_executor = custom_executor_spec is None and self.EXECUTOR_SPEC is Pusher.EXECUTOR_SPEC
        if push_destination is None and is_own_executor:
            raise DefinitionError(
                "Pusher: no push_destination is given.",
                'give push_destination={"filesystem": {"base_directory": "/an/absolute/path"}}.',
            )
        if model is None and infra_blessing is None:
            raise DefinitionError(
                "Pusher: neither model nor infra_blessing is connected, so there is nothing to push.",
                "connect model, or the blessing of an InfraValidator whose request_spec has make_warmup.",
            )
        push_destination = to_proto(push_destination, pusher_pb2.PushDestination, "Pusher: push_destination")
        # What a runtime parameter stands for is known when the pipeline runs.
        if is_own_executor and isinstance(push_destination, pusher_pb2.PushDestination):
            check_base_directory(push_destination.filesystem.base_directory, "Pusher")
        spec = PusherSpec(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            push_destination=push_destination,
            custom_config=json_utils.dumps(custom_config),
            pushed_model=Channel(type=standard_artifacts.PushedModel),
        )
        if custom_executor_spec is None:
            super().__init__(spec=spec)
        else:
            super().__init__(spec=spec, custom_executor_spec=custom_executor_spec)


def check_base_directory(path: str, where: str) -> None:
    """Check that the path of the folder for versions is absolute, or a URI.

    Raises:
        DefinitionError: If it is not.
        UnsupportedFeatureError: If `file://` is not followed by an absolute path.
    """
    if not path:
        raise DefinitionError(
            f"{where}: push_destination has no filesystem.base_directory.",
            'give push_destination={"filesystem": {"base_directory": "/an/absolute/path"}}.',
        )
    if addresses.scheme(path) in ("http", "https"):
        raise DefinitionError(
            f"{where}: push destination '{path}' is a page of the web, which cannot be written.",
            "give an absolute path, or an address such as s3://bucket/models.",
        )
    if addresses.is_elsewhere(path):
        return
    path = addresses.local_path(path, f"{where}: push destination")
    if not os.path.isabs(path):
        raise DefinitionError(
            f"{where}: push destination '{path}' is a relative path, which depends on where the command runs.",
            f"give an absolute path, such as '{os.path.abspath(path)}'.",
        )
