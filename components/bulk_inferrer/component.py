"""Declaration of BulkInferrer."""

from __future__ import annotations

from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedBeamExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, to_proto

with authoring():
    from tfx.proto import bulk_inferrer_pb2


class BulkInferrerSpec(ComponentSpec):
    """TFX's `BulkInferrerSpec`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "model_spec": ExecutionParameter(type=bulk_inferrer_pb2.ModelSpec, optional=True),
        "data_spec": ExecutionParameter(type=bulk_inferrer_pb2.DataSpec, optional=True),
        "output_example_spec": ExecutionParameter(type=bulk_inferrer_pb2.OutputExampleSpec, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "inference_result": ChannelParameter(type=standard_artifacts.InferenceResult, optional=True),
        "output_examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }


class BulkInferrerOutputs(Outputs):
    """One of the two, as `output_example_spec` is given or not."""

    inference_result: OutputOf[standard_artifacts.InferenceResult]
    output_examples: OutputOf[standard_artifacts.Examples]


class BulkInferrer(Component[BulkInferrerOutputs]):
    """Runs a model over examples and keeps every prediction.

    A model that is given with a blessing and was not blessed makes no predictions: the outputs stay empty.

    Inputs:
        examples: Serialized examples, or Parquet rows, which the model gets as serialized examples.
        model: The model. Its signature takes one string tensor: serialized examples.
        model_blessing: The Evaluator's verdict, where only a blessed model shall predict.

    Outputs:
        inference_result: `InferenceResult`, unless `output_example_spec` is given. One serialized
            `PredictionLog` for each example, with the example in it, in order of splits and files::

                prediction_logs-00000-of-00001.gz
        output_examples: `Examples`, where `output_example_spec` is given: each example with the predictions
            as further features::

                Split-{name}/examples-00000-of-00001.gz

    Args:
        examples: See above.
        model: See above.
        model_blessing: See above.
        data_spec: A mapping or `bulk_inferrer_pb2.DataSpec`: `example_splits` to predict for; default all.
        model_spec: A mapping or `bulk_inferrer_pb2.ModelSpec`: `model_signature_name` to use (default
            `serving_default`), several for a model with classification and regression heads; `tag` of the
            SavedModel's graph.
        output_example_spec: A mapping or `bulk_inferrer_pb2.OutputExampleSpec`: which outputs become which features
            of `output_examples`.

    Raises:
        DefinitionError: If a spec is malformed.
        UnknownSplitError: If `data_spec` names a split that the examples do not have.
        ModelError: If the model lacks the signature.

    Example:
        >>> inferrer = BulkInferrer(
        ...     examples=example_gen.outputs["examples"],
        ...     model=trainer.outputs["model"],
        ...     model_blessing=evaluator.outputs["blessing"],
        ...     data_spec={"example_splits": ["eval"]},
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = BulkInferrerSpec
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.bulk_inferrer.executor.Executor")
    TFX_TYPE = "tfx.components.bulk_inferrer.component.BulkInferrer"
    INPUT_FILES = ()

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel | None = None,
        model_blessing: BaseChannel | None = None,
        data_spec: ProtoLike | None = None,
        model_spec: ProtoLike | None = None,
        output_example_spec: ProtoLike | None = None,
    ) -> None:
        wants_examples = bool(output_example_spec)
        super().__init__(
            spec=BulkInferrerSpec(
                examples=examples,
                model=model,
                model_blessing=model_blessing,
                data_spec=to_proto(data_spec, bulk_inferrer_pb2.DataSpec, "BulkInferrer: data_spec", {}),
                model_spec=to_proto(model_spec, bulk_inferrer_pb2.ModelSpec, "BulkInferrer: model_spec", {}),
                output_example_spec=to_proto(
                    output_example_spec,
                    bulk_inferrer_pb2.OutputExampleSpec,
                    "BulkInferrer: output_example_spec",
                ),
                inference_result=None if wants_examples else Channel(type=standard_artifacts.InferenceResult),
                output_examples=Channel(type=standard_artifacts.Examples) if wants_examples else None,
            )
        )
