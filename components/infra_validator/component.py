"""Declaration of the InfraValidator component."""

from __future__ import annotations

from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.errors import DefinitionError

with authoring():
    from tfx.proto import infra_validator_pb2


class InfraValidatorSpec(ComponentSpec):
    """TFX's keys and types, and three bounds of Headrace's own."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "serving_spec": ExecutionParameter(type=infra_validator_pb2.ServingSpec),
        "validation_spec": ExecutionParameter(type=infra_validator_pb2.ValidationSpec, optional=True),
        "request_spec": ExecutionParameter(type=infra_validator_pb2.RequestSpec, optional=True),
        "max_load_seconds": ExecutionParameter(type=float, optional=True),
        "max_memory_gb": ExecutionParameter(type=float, optional=True),
        "max_latency_ms": ExecutionParameter(type=float, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS = {"blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}  # noqa: RUF012


class InfraValidatorOutputs(Outputs):
    """What `InfraValidator` makes."""

    blessing: OutputOf[standard_artifacts.InfraBlessing]


class InfraValidator(Component[InfraValidatorOutputs]):
    """Loads the exported model in a fresh process and sends it requests made from Examples.

    The process holds TensorFlow and nothing of the pipeline: no Keras objects, no custom classes, no files
    that only exist where training ran. What loads and answers there does so in a server. No Docker is
    needed; the platform that `serving_spec` names is recorded for TFX and not started.

    Inputs:
        model: `Model` whose SavedModel is loaded.
        examples: `Examples` from which requests are made; without it the model is only loaded.

    Outputs:
        blessing: `InfraBlessing`, an empty file `INFRA_BLESSED` or `INFRA_NOT_BLESSED`, and the property
            `blessed`. With `make_warmup`, also a copy of the model with its requests in
            `assets.extra/tf_serving_warmup_requests`, and the property `has_model`.

    Args:
        model: Channel of Model.
        serving_spec: A mapping or `tfx.proto.ServingSpec`.
        examples: Channel of Examples.
        request_spec: A mapping or `tfx.proto.RequestSpec`: `num_examples` (1), `split_name` (the first split),
            `tensorflow_serving.signature_names` (`serving_default`), `make_warmup`.
        validation_spec: A mapping or `tfx.proto.ValidationSpec`: `max_loading_time_seconds` (300), `num_tries` (5).
            Only what may differ next time is tried again: a process that died, time and latency.
        max_load_seconds: Bound on loading the model; tighter of the two where `validation_spec` has one too.
        max_memory_gb: Bound on the process's largest resident memory, TensorFlow included (about 0.5).
        max_latency_ms: Bound on the median time of a request of one Example, after one that warms up.

    Raises:
        DefinitionError: If a bound is not above zero, or a spec is malformed.

    Example:
        >>> infra_validator = InfraValidator(
        ...     model=trainer.outputs["model"],
        ...     examples=example_gen.outputs["examples"],
        ...     request_spec={"num_examples": 10},
        ...     max_latency_ms=50,
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = InfraValidatorSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.infra_validator.executor.Executor")
    TFX_TYPE = "tfx.components.infra_validator.component.InfraValidator"
    INPUT_FILES = ()

    def __init__(
        self,
        model: BaseChannel,
        serving_spec: ProtoLike | None = None,
        examples: BaseChannel | None = None,
        request_spec: ProtoLike | None = None,
        validation_spec: ProtoLike | None = None,
        *,
        max_load_seconds: float | None = None,
        max_memory_gb: float | None = None,
        max_latency_ms: float | None = None,
    ) -> None:
        bounds = {
            "max_load_seconds": max_load_seconds,
            "max_memory_gb": max_memory_gb,
            "max_latency_ms": max_latency_ms,
        }
        for name, bound in bounds.items():
            if bound is not None and not bound > 0:
                raise DefinitionError(
                    f"InfraValidator: {name} is {bound}, which nothing can meet.", "give a number above zero."
                )
        if serving_spec is None:
            # TFX's executor asks for a serving binary even where it is not used.
            serving_spec = infra_validator_pb2.ServingSpec(
                tensorflow_serving=infra_validator_pb2.TensorFlowServing(tags=["latest"])
            )
        super().__init__(
            spec=InfraValidatorSpec(
                model=model,
                examples=examples,
                blessing=Channel(type=standard_artifacts.InfraBlessing),
                serving_spec=to_proto(
                    serving_spec, infra_validator_pb2.ServingSpec, "InfraValidator: serving_spec"
                ),
                validation_spec=to_proto(
                    validation_spec, infra_validator_pb2.ValidationSpec, "InfraValidator: validation_spec"
                ),
                request_spec=to_proto(
                    request_spec, infra_validator_pb2.RequestSpec, "InfraValidator: request_spec"
                ),
                # Absent where not given, so that the properties are TFX's own.
                **{name: float(bound) for name, bound in bounds.items() if bound is not None},
            )
        )
