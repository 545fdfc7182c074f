"""Options of TFDV that have a plain form; TFDV itself takes seconds to import."""

from __future__ import annotations

# Arguments of `tfdv.StatsOptions`, but for objects: generators, functions, paths of features, and the schema, which
# has an input of its own.
PLAIN_OPTIONS = (
    "add_default_generators",
    "desired_batch_size",
    "enable_semantic_domain_stats",
    "epsilon",
    "experimental_filter_read_paths",
    "experimental_num_feature_partitions",
    "experimental_result_partitions",
    "experimental_slice_sqls",
    "feature_allowlist",
    "frequency_threshold",
    "infer_type_from_schema",
    "label_feature",
    "num_histogram_buckets",
    "num_quantiles_histogram_buckets",
    "num_rank_histogram_buckets",
    "num_top_values",
    "num_values_histogram_buckets",
    "sample_rate",
    "semantic_domain_stats_sample_rate",
    "slicing_config",
    "use_sketch_based_topk_uniques",
    "vocab_paths",
    "weight_feature",
    "weighted_frequency_threshold",
)
