"""TFT's analyzers after the rows have been seen: merging, vocabularies, values for the graph.

TFT builds a graph of operations and gives each a Beam transform; here each operation that no longer sees
rows is a plain function of lists, because what it works on is small (an accumulator per file, a vocabulary),
and thousands of Beam transforms cost more than the work. Formulas are TFT's: where it has one as a function,
that function is called.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.components.transform import tft_internals
from headrace.components.transform.tft_internals import analyzer_nodes, beam_nodes, tf_utils
from headrace.components.transform.tft_library import analyzer_cache
from headrace.files import create_file
from headrace.formats.examples import tfrecord

Elements = list[Any]


@dataclass(frozen=True)
class Surroundings:
    """What operations need beside their inputs.

    Attributes:
        graph: The traced function.
        tmp_path: Where vocabulary files go.
        cache: Elements that an earlier run left.
    """

    graph: tf.Graph
    tmp_path: str
    cache: Mapping[analyzer_cache.DatasetKey, analyzer_cache.DatasetCache]


Operation = Callable[[Any, list[Elements], Surroundings], tuple[Elements, ...]]


def run(operation: Any, inputs: list[Elements], surroundings: Surroundings) -> tuple[Elements, ...]:
    """Return the outputs of one operation."""
    return _OPERATIONS[type(operation)](operation, inputs, surroundings)


def is_supported(operation: Any) -> bool:
    """Whether `run` knows this operation."""
    return type(operation) in _OPERATIONS


def _extract_from_dict(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    keys = operation.keys
    if isinstance(keys, tuple):
        return ([tuple(element[key] for key in keys) for element in inputs[0]],)
    return ([element[keys] for element in inputs[0]],)


def _flatten(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    return ([element for elements in inputs for element in elements],)


def _flatten_lists(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    return ([element for elements in inputs[0] for element in elements],)


def _add_key(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    return ([(operation.key, element) for element in inputs[0]],)


def _merge(combiner: analyzer_nodes.Combiner, accumulators: Iterable[Any]) -> Any:
    """The combiner's output for several accumulators."""
    merged = combiner.create_accumulator()
    for accumulator in accumulators:
        merged = combiner.merge_accumulators([one for one in (merged, accumulator) if one is not None])
    return combiner.extract_output(merged)


def _packed_merge(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    outputs = {}
    for part in operation.combiners:
        (wanted,) = part.keys
        outputs[part.label] = _merge(part.combiner, (value for key, value in inputs[0] if key == wanted))
    return ([outputs],)


def _combine_merge(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    return ([_merge(operation.combiner, inputs[0])],)


def _extract_outputs(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    (outputs,) = inputs[0]
    if len(outputs) != operation.num_outputs:
        raise ValueError(
            f"analyzer {operation.label} has {operation.num_outputs} outputs and its combiner made {len(outputs)}"
        )
    return tuple([output] for output in outputs)


def _per_key_merge(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    groups: dict[Any, list[Any]] = {}
    for key, accumulator in inputs[0]:
        groups.setdefault(key, []).append(accumulator)
    return ([(key, _merge(operation.combiner, group)) for key, group in groups.items()],)


def _per_key_columns(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    dtypes = [info.dtype for info in operation.combiner.output_tensor_infos()]
    tagged = {one.tag: one.value for one in tft_internals.merge_outputs_by_key(inputs[0], dtypes)}
    return tuple([tagged[tag]] for tag in ("key", *map(str, range(len(dtypes)))))


def _per_key_lines(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    as_text = tf.compat.as_str_any
    return ([(as_text(",".join(map(as_text, values))), key) for key, values in inputs[0]],)


def _join_buckets(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    (boundaries,) = inputs[0]
    return tuple([part] for part in tft_internals.join_boundary_rows(boundaries))


def _vocabulary_merge(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    counts: dict[Any, Any] = {}
    for token, count in inputs[0]:
        counts[token] = counts.get(token, 0) + count
    return ([(count, token) for token, count in counts.items()],)


def _vocabulary_count(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    # An empty vocabulary is written with one dummy token.
    return ([np.int64(max(len(inputs[0]), 1))],)


def _vocabulary_prune(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    kept = _top(_frequent(inputs[0], operation.frequency_threshold), operation.top_k, operation.input_dtype)
    if not operation.key_fn:
        return (kept,)
    by_key: dict[Any, Elements] = {}
    covered = _frequent(inputs[0], operation.coverage_frequency_threshold)
    for count, token in _as_bytes(covered, operation.input_dtype):
        by_key.setdefault(operation.key_fn(token), []).append((count, token))
    for group in by_key.values():
        kept = kept + sorted(group, reverse=True)[: operation.coverage_top_k]
    return (list(dict.fromkeys(kept)),)


def _frequent(counts: Elements, threshold: float | None) -> Elements:
    return [one for one in counts if one[0] >= threshold] if threshold else counts


def _as_bytes(counts: Elements, dtype: str) -> Elements:
    if dtype == tf.string.name:
        return counts
    return [(count, tf.compat.as_bytes(tf.compat.as_str_any(token))) for count, token in counts]


def _top(counts: Elements, top_k: int | None, dtype: str) -> Elements:
    counts = _as_bytes(counts, dtype)
    if top_k is None:
        return counts
    return tft_internals.maybe_add_empty_vocabulary_dummy(sorted(counts, reverse=True)[:top_k], dtype)


def _vocabulary_write(
    operation: Any, inputs: list[Elements], surroundings: Surroundings
) -> tuple[Elements, ...]:
    counts = inputs[0]
    reserved = list(inputs[1][0][0]) if len(inputs) > 1 else None
    if reserved:
        known = set(reserved)
        counts = [one for one in counts if one[1] not in known]
    if operation.fingerprint_shuffle:
        counts = sorted(counts, key=lambda one: hashlib.sha1(one[1]).digest())
    elif not operation.input_is_sorted or reserved is not None:
        counts = sorted(counts, reverse=True)
    if reserved is not None:
        counts = [(-1, token) for token in reserved] + counts
    counts = tft_internals.maybe_add_empty_vocabulary_dummy(counts, operation.input_dtype)
    with_counts = operation.store_frequency
    lines = [tft_internals.count_and_token_to_bytes(*one) if with_counts else one[1] for one in counts]
    path = os.path.join(surroundings.tmp_path, operation.vocab_filename)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if operation.file_format == "tfrecord_gzip":
        path = f"{path}.tfrecord.gz"
        with tfrecord.Writer(path) as writer:
            writer.write(lines)
    else:
        with create_file(path) as file:
            file.writelines(line + b"\n" for line in lines)
    return ([np.array(path)],)


def _reserved_tokens(
    operation: Any, inputs: list[Elements], surroundings: Surroundings
) -> tuple[Elements, ...]:
    return ([[tf_utils.fetch_vocabulary_reserved_tokens(surroundings.graph, operation.name)]],)


def _encode_cache(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    return ([operation.coder.encode_cache(element) for element in inputs[0]],)


def _decode_cache(operation: Any, inputs: list[Elements], surroundings: Surroundings) -> tuple[Elements, ...]:
    encoded = surroundings.cache[operation.dataset_key].get(operation.cache_key)
    return ([operation.coder.decode_cache(element) for element in encoded],)


def _bind(operation: Any, inputs: list[Elements], _: Surroundings) -> tuple[Elements, ...]:
    (value,) = inputs[0]
    return ([(operation.tensor_name, tf.constant(value, tf.dtypes.as_dtype(operation.dtype_enum)))],)


_OPERATIONS: dict[type[Any], Operation] = {
    analyzer_nodes.AddKey: _add_key,
    analyzer_nodes.CacheableCombineMerge: _combine_merge,
    analyzer_nodes.CacheableCombinePerKeyFormatKeys: _per_key_columns,
    analyzer_nodes.CacheableCombinePerKeyFormatLarge: _per_key_lines,
    analyzer_nodes.CacheableCombinePerKeyMerge: _per_key_merge,
    analyzer_nodes.DecodeCache: _decode_cache,
    analyzer_nodes.EncodeCache: _encode_cache,
    analyzer_nodes.ExtractCombineMergeOutputs: _extract_outputs,
    analyzer_nodes.ExtractPackedCombineMergeOutputs: _extract_outputs,
    analyzer_nodes.ExtractVocabularyReservedTokens: _reserved_tokens,
    analyzer_nodes.FlattenLists: _flatten_lists,
    analyzer_nodes.PackedCombineMerge: _packed_merge,
    analyzer_nodes.ScaleAndFlattenPerKeyBucketBouandaries: _join_buckets,
    analyzer_nodes.VocabularyCount: _vocabulary_count,
    analyzer_nodes.VocabularyMerge: _vocabulary_merge,
    analyzer_nodes.VocabularyOrderAndWrite: _vocabulary_write,
    analyzer_nodes.VocabularyPrune: _vocabulary_prune,
    beam_nodes.CreateTensorBinding: _bind,
    beam_nodes.ExtractFromDict: _extract_from_dict,
    beam_nodes.Flatten: _flatten,
}
