"""Which statistics Transform makes, before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.transform import stats_options_util

from headrace.components.transform.request import TransformRequest
from headrace.components.transform.tft_library import tfdv
from headrace.formats import transform_graphs
from headrace.statistics import accumulation

PRE_TRANSFORM = stats_options_util.StatsType.PRE_TRANSFORM
POST_TRANSFORM = stats_options_util.StatsType.POST_TRANSFORM


def options(
    request: TransformRequest,
    stats_type: stats_options_util.StatsType,
    schema: schema_pb2.Schema,
    vocabulary_paths: Mapping[str, str] | None = None,
) -> tfdv.StatsOptions:
    """The options TFX's Transform starts from, passed through the user's `stats_options_updater_fn`."""
    copy = schema_pb2.Schema()
    copy.CopyFrom(schema)
    given: dict[str, Any] = {"schema": copy, "experimental_use_sketch_based_topk_uniques": True}
    if vocabulary_paths is not None:
        given["vocab_paths"] = dict(vocabulary_paths)
    chosen = tfdv.StatsOptions(**given)
    updater = request.stats_options_updater_fn
    return updater(stats_type, chosen) if updater is not None else chosen


def vocabulary_paths(graph_path: str, asset_map: Mapping[str, str]) -> dict[str, str]:
    """Where the vocabularies lie, by the names under which the user's function registered them."""
    assets = transform_graphs.assets_path(graph_path)
    return {name: os.path.join(assets, file) for name, file in asset_map.items()}


def why_not(chosen: tfdv.StatsOptions) -> str:
    """Return why TFX must compute what these options ask for; empty where that is done while batches pass by."""
    if chosen.sample_rate is not None:
        return "statistics of a sample are asked for"
    return accumulation.why_not(chosen)
