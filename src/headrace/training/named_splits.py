"""The splits that a model is trained on, and those it is evaluated on while it is."""

from __future__ import annotations

from tfx.proto import trainer_pb2

from headrace.formats import artifacts
from headrace.runtime.context import ExecutionContext


def read(context: ExecutionContext) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the splits that a node's parameters name: by default `train`, and `eval`.

    Raises:
        UnknownSplitError: If examples of the node lack one, saying which there are.
    """
    train = tuple(context.proto_parameter("train_args", trainer_pb2.TrainArgs).splits) or ("train",)
    evaluate = tuple(context.proto_parameter("eval_args", trainer_pb2.EvalArgs).splits) or ("eval",)
    for artifact in context.inputs.get("examples") or ():
        artifacts.check_splits(artifact, train, context.node_id, "train_split")
        artifacts.check_splits(artifact, evaluate, context.node_id, "eval_split")
    return train, evaluate
