"""The newest blessed model, as a baseline or to serve."""

from __future__ import annotations

from headrace.authoring.light import authoring
from headrace.authoring.nodes import Resolver

with authoring():
    from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
        LatestBlessedModelStrategy,
    )
    from tfx.types import standard_artifacts
    from tfx.types.channel import Channel


def latest_blessed_model(node_id: str = "LatestBlessedModel") -> Resolver:
    """Return a node that finds the newest model of the pipeline that an Evaluator blessed.

    Before the first blessing it finds nothing: an Evaluator that takes its model as `baseline_model` then compares
    with none. It goes into the pipeline's `components` like every node.

    Outputs of the node:
        model: `Model`.
        model_blessing: `ModelBlessing`, that model's.

    Args:
        node_id: The node's id, unique in the pipeline.

    Example:
        >>> baseline = latest_blessed_model()
        >>> sorted(baseline.outputs)
        ['model', 'model_blessing']
    """
    return Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(node_id)
