"""TFDV's and tfx_bsl's internal modules that statistics build on, looked up once, in the form in which they are known.

TFDV's own generators do the work here, all but two things: top values and distinct ones are counted in Arrow where
TFDV would do so in Beam, and slices are made as its transform makes them. What options ask for is known only where
they have no other fields than those below; TFDV's own transform does the work for any others. Where a function has
other parameters, or a module is gone, importing this one fails, and TFDV's transform does all of it. TFDV 1.16
and 1.21 have all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from headrace.authoring import generations
from headrace.internals import Library, fields_of

_TFDV = Library("TFDV", "tensorflow-data-validation")
_BSL = Library("tfx_bsl", "tfx-bsl")

with _TFDV.importing():
    from tensorflow_data_validation import constants
    from tensorflow_data_validation.arrow import arrow_util
    from tensorflow_data_validation.statistics import stats_impl
    from tensorflow_data_validation.statistics.generators import (
        basic_stats_generator,
        stats_generator,
        top_k_uniques_stats_generator,
    )
    from tensorflow_data_validation.utils import (
        schema_util,
        slicing_util,
        stats_util,
        top_k_uniques_stats_util,
    )
with _BSL.importing():
    from tfx_bsl.arrow import array_util
    from tfx_bsl.statistics import merge_util

__all__ = [
    "array_util",
    "arrow_util",
    "constants",
    "merge_util",
    "schema_util",
    "slicing_util",
    "stats_generator",
    "stats_impl",
    "stats_util",
    "top_k_uniques_stats_util",
]

# All fields of a `StatsOptions`, without the underscore that most have; TFDV 1.21 has no SQL slices.
OPTIONS = frozenset(
    [
        "add_default_generators",
        "desired_batch_size",
        "experimental_filter_read_paths",
        "experimental_num_feature_partitions",
        "experimental_result_partitions",
        "feature_allowlist",
        "generators",
        "num_histogram_buckets",
        "num_quantiles_histogram_buckets",
        "num_values_histogram_buckets",
        "per_feature_stats_config",
        "per_feature_weight_override",
        "sample_rate",
        "schema",
        "semantic_domain_stats_sample_rate",
        "slice_functions",
        "slice_sqls",
        "slicing_config",
        "use_sketch_based_topk_uniques",
        "vocab_paths",
        "enable_semantic_domain_stats",
        "epsilon",
        "frequency_threshold",
        "infer_type_from_schema",
        "label_feature",
        "num_rank_histogram_buckets",
        "num_top_values",
        "weight_feature",
        "weighted_frequency_threshold",
    ]
)
_READ_OPTIONS = (
    "example_weight_map",
    "experimental_slice_functions",
    *(["experimental_slice_sqls"] if generations.HAS_SQL_SLICES else []),
)

CombinerStatsGenerator: Any = _TFDV.part(stats_generator, "CombinerStatsGenerator")
# Its work is done in Arrow, so all that it may be told must be known.
TopKUniquesStatsGenerator: Any = _TFDV.part(
    top_k_uniques_stats_generator,
    "TopKUniquesStatsGenerator",
    "name schema example_weight_map num_top_values frequency_threshold weighted_frequency_threshold "
    "num_rank_histogram_buckets",
)
_TFDV.part(stats_impl, "get_generators", "options in_memory")
_TFDV.parts(
    arrow_util,
    {
        "enumerate_arrays": (
            "record_batch example_weight_map enumerate_leaves_only wrap_flat_struct_in_list column_select_fn"
        ),
        "get_column": "record_batch feature_name missing_ok",
        "is_binary_like": "data_type",
    },
)
_TFDV.parts(schema_util, {"get_bytes_features": "schema", "get_categorical_numeric_feature_types": "schema"})
_TFDV.part(stats_util, "get_feature_type_from_arrow_type", "feature_path arrow_type")
_TFDV.parts(
    top_k_uniques_stats_util,
    {
        "FeatureValueCount": "feature_value count",
        "make_dataset_feature_stats_proto_topk_single": (
            "feature_path_tuple value_count_list is_weighted_stats num_top_values frequency_threshold "
            "num_rank_histogram_buckets"
        ),
        "make_dataset_feature_stats_proto_unique_single": "feature_path_tuple num_uniques",
        "output_categorical_numeric": "categorical_numeric_types feature_path feature_type",
    },
)
_TFDV.parts(slicing_util, {"default_slicer": "record_batch", "generate_slices": None})
if generations.HAS_SQL_SLICES:
    _TFDV.part(slicing_util, "GenerateSlicesSqlDoFn", "slice_sqls")
    _TFDV.part(slicing_util, "convert_slicing_config_to_slice_functions_and_sqls", "slicing_config")
else:
    _TFDV.part(slicing_util, "convert_slicing_config_to_slice_functions", "slicing_config")
_TFDV.require()
_BSL.part(array_util, "flatten_nested", "array return_parent_indices")
_BSL.part(merge_util, "merge_dataset_feature_statistics", "stats_protos")
_BSL.require()


def unknown_options(options: Any) -> str:
    """Return how a `StatsOptions` differs from those that are known, as a sentence; empty where it does not."""
    new = sorted({name.removeprefix("_") for name in fields_of(options)} - OPTIONS)
    gone = [name for name in _READ_OPTIONS if not hasattr(options, name)]
    parts = [f"StatsOptions with {', '.join(new)}"] if new else []
    parts += [f"StatsOptions without {', '.join(gone)}"] if gone else []
    return f"{_TFDV.told} has {' and '.join(parts)}" if parts else ""


# Where this has another form, TFDV takes the lengths of numbers as text one by one, which is slower.
_TEXTS = Library("TFDV", "tensorflow-data-validation")
_PartialStringStats: Any = _TEXTS.part(basic_stats_generator, "_PartialStringStats", "")
_TEXTS.part(_PartialStringStats, "update", "self feature_array")


def take_text_lengths_with(total_length: Callable[[Any], int]) -> None:
    """Let TFDV sum the lengths of int64 values as text with a function from here on; harmless when repeated.

    Args:
        total_length: The sum of the lengths of an array of int64 values.
    """
    if _TEXTS.unknown or fields_of(_PartialStringStats()) != {"total_bytes_length", "invalid_utf8_count"}:
        return
    original = _PartialStringStats.update
    if hasattr(original, "original"):
        return

    def update(self: Any, feature_array: pa.Array) -> None:
        if pa.types.is_null(feature_array.type):
            return
        values, _ = array_util.flatten_nested(feature_array)
        if arrow_util.is_binary_like(values.type) or not pa.types.is_int64(values.type):
            original(self, feature_array)
        elif len(values):
            self.total_bytes_length += total_length(values)

    update.original = original  # type: ignore[attr-defined]
    _PartialStringStats.update = update
