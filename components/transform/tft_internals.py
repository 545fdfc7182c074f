"""TFT's private parts that Transform builds on, looked up once, in the form in which they are known.

TFT describes an analysis as a graph of operations, each a named tuple. The functions in `analyzers` and `accumulators`
do what TFT does for one; an operation with another field may ask for something else, so it counts as known only with
exactly the fields below, and any other goes to TFX. Where a function has other parameters, or a module is gone,
importing this one fails, and TFX's own executor does the whole work. TFT 1.16 and 1.21 have all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.components.transform.tft_library import environment_kept
from headrace.internals import Library

_TFT = Library("TFT", "tensorflow-transform")

with environment_kept(), _TFT.importing():
    from tensorflow_transform import (
        analyzer_nodes,
        analyzers,
        annotators,
        graph_context,
        graph_tools,
        impl_helper,
        nodes,
        schema_inference,
        tf2_utils,
        tf_utils,
    )
    from tensorflow_transform.beam import (
        analysis_graph_builder,
        analyzer_cache,
        analyzer_impls,
        beam_nodes,
        combiner_packing_util,
    )
    from tensorflow_transform.saved import saved_transform_io_v2

__all__ = [
    "analysis_graph_builder",
    "analyzer_nodes",
    "annotators",
    "beam_nodes",
    "graph_context",
    "graph_tools",
    "impl_helper",
    "nodes",
    "saved_transform_io_v2",
    "schema_inference",
    "tf2_utils",
    "tf_utils",
]

# Operations that are run here, with all their fields.
_ANALYZER_FIELDS = {
    "AddKey": "key label",
    "CacheableCombineAccumulate": "combiner label",
    "CacheableCombineMerge": "combiner label",
    "CacheableCombinePerKeyAccumulate": "combiner label",
    "CacheableCombinePerKeyFormatKeys": "combiner label",
    "CacheableCombinePerKeyFormatLarge": "label",
    "CacheableCombinePerKeyMerge": "combiner label",
    "DecodeCache": "dataset_key cache_key coder label",
    "EncodeCache": "coder label",
    "ExtractCombineMergeOutputs": "output_tensor_info_list label",
    "ExtractPackedCombineMergeOutputs": "output_tensor_info_list label",
    "ExtractVocabularyReservedTokens": "name label",
    "FlattenLists": "label",
    "PackedCombineAccumulate": "combiners label",
    "PackedCombineMerge": "combiners label",
    "ScaleAndFlattenPerKeyBucketBouandaries": "output_tensor_dtype label",
    "VocabularyAccumulate": "vocab_ordering_type input_dtype label",
    "VocabularyCount": "label",
    "VocabularyMerge": "vocab_ordering_type use_adjusted_mutual_info min_diff_from_avg label",
    "VocabularyOrderAndWrite": (
        "vocab_filename store_frequency input_dtype label fingerprint_shuffle file_format input_is_sorted"
    ),
    "VocabularyPrune": (
        "top_k frequency_threshold informativeness_threshold coverage_top_k coverage_frequency_threshold "
        "coverage_informativeness_threshold key_fn input_dtype label"
    ),
}
_BEAM_FIELDS = {
    "ApplySavedModel": "phase label",
    "CreateSavedModel": "table_initializers output_signature label",
    "CreateTensorBinding": "tensor_name dtype_enum is_asset_filepath label",
    "ExtractFromDict": "keys label",
    "ExtractInputForSavedModel": "dataset_key label",
    "Flatten": "label",
}
FIELDS: dict[type, tuple[str, ...]] = {
    getattr(module, name): tuple(fields.split())
    for module, table in ((analyzer_nodes, _ANALYZER_FIELDS), (beam_nodes, _BEAM_FIELDS))
    for name, fields in table.items()
    # One that is gone makes no operation.
    if hasattr(module, name)
}


def is_known(operation: Any) -> bool:
    """Whether an operation of TFT's analysis graph is one that is run here, with exactly the fields that it had."""
    fields = FIELDS.get(type(operation))
    return fields is not None and type(operation)._fields == fields


def told(operation: Any) -> str:
    """Return what to call an operation that is not known."""
    name = type(operation).__name__
    return f"another {name} ({_TFT.told})" if type(operation) in FIELDS else name


_ordering = _TFT.part(analyzers, "_VocabOrderingType")
FREQUENCY: Any = _TFT.part(_ordering, "FREQUENCY")
WEIGHTED_FREQUENCY: Any = _TFT.part(_ordering, "WEIGHTED_FREQUENCY")
split_inputs_by_key: Any = _TFT.part(analyzer_impls, "_split_inputs_by_key", "batch_values")
merge_outputs_by_key: Any = _TFT.part(
    analyzer_impls, "_merge_outputs_by_key", "keys_and_outputs outputs_dtype"
)
join_boundary_rows: Any = _TFT.part(analyzer_impls, "_join_boundary_rows", "boundary_matrix")
count_and_token_to_bytes: Any = _TFT.part(analyzer_impls, "_count_and_token_to_bytes", "count token")
maybe_add_empty_vocabulary_dummy: Any = _TFT.part(
    analyzer_impls, "maybe_add_empty_vocabulary_dummy", "counts dtype"
)
validate_analyzers_fingerprint: Any = _TFT.part(
    impl_helper,
    "_validate_analyzers_fingerprint",
    "baseline_analyzers_fingerprint graph structured_inputs",
)
_sketch_coder: Any = _TFT.part(analyzers, "_QuantilesSketchCacheCoder")
_TFT.part(_sketch_coder, "decode_cache", "self encoded_accumulator")
_TFT.part(combiner_packing_util, "_CombinerOpWrapper", "combiner keys label")
_TFT.part(analysis_graph_builder, "build", "graph input_signature output_signature dataset_keys cache_dict")
_TFT.parts(
    analyzer_cache,
    {
        "DatasetKey": "key is_cached",
        "DatasetCache": "cache_dict metadata",
        "DatasetCacheMetadata": "dataset_size",
    },
)
_TFT.parts(analyzer_nodes, {"TensorSink": "tensor future is_asset_filepath", "TENSOR_REPLACEMENTS": None})
_TFT.parts(annotators, {"get_asset_annotations": "graph", "clear_asset_annotations": "graph"})
_TFT.part(graph_context, "TFGraphContext", "module_to_export temp_dir evaluated_replacements")
_TFT.parts(
    graph_tools,
    {
        "SourcedTensorsVisitor": "",
        "get_analyzers_fingerprint": "graph structured_inputs",
        "get_dependent_inputs": "graph input_tensors output_tensors",
    },
)
_TFT.parts(
    impl_helper,
    {
        "get_traced_transform_fn": "preprocessing_fn input_signature tf_graph_context output_keys_to_name_map",
        "make_tensor_to_arrow_converter": "schema",
        "trace_preprocessing_function": "preprocessing_fn input_specs use_tf_compat_v1 base_temp_dir",
    },
)
_TFT.parts(nodes, {"Traverser": "visitor", "ValueNode": "parent_operation value_index", "Visitor": None})
_TFT.parts(
    saved_transform_io_v2,
    {
        "SavedModelLoader": "saved_model_dir",
        "write_v2_saved_model": "module tf_function name saved_model_dir save_options",
    },
)
_TFT.parts(
    schema_inference,
    {
        "get_traced_metadata_fn": (
            "preprocessing_fn structured_inputs tf_graph_context evaluate_schema_overrides"
        ),
        "infer_feature_schema_v2": "features concrete_metadata_fn evaluate_schema_overrides",
    },
)
_TFT.parts(
    tf2_utils,
    {
        "get_structured_inputs_from_func_graph": "func_graph",
        "strip_and_get_tensors_and_control_dependencies": "flat_tensor_list",
    },
)
_TFT.part(tf_utils, "fetch_vocabulary_reserved_tokens", "graph name")
_TFT.require()


def decode_sketches_with(decode: Callable[[bytes], Any]) -> None:
    """Let TFT decode the sketches of its cache with a function from here on; harmless when repeated."""
    _sketch_coder.decode_cache = lambda self, encoded_accumulator: decode(encoded_accumulator)
