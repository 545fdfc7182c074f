"""The user's `preprocessing_fn` as a TensorFlow graph, and what TFT finds in it."""

from __future__ import annotations

import functools
import inspect
import itertools
import os
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.transform import model, model_names, output_checks
from headrace.components.transform.layout import InputLayout
from headrace.components.transform.model import FunctionSource
from headrace.components.transform.tft_internals import (
    analysis_graph_builder,
    analyzer_nodes,
    annotators,
    graph_context,
    graph_tools,
    impl_helper,
    nodes,
    saved_transform_io_v2,
    schema_inference,
    tf2_utils,
    validate_analyzers_fingerprint,
)
from headrace.components.transform.tft_library import analyzer_cache, dataset_metadata, metadata_io, tft
from headrace.errors import UserFunctionError
from headrace.features import notes
from headrace.files import copy_folder
from headrace.formats import json_files, transform_graphs

_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


@dataclass(frozen=True)
class AnalysisGraph:
    """What TFT must compute before the function's result is fixed, as its graph of operations.

    Attributes:
        result: The node that makes the final SavedModel; everything else leads to it.
        cache_entries: For each dataset, the nodes whose values belong into the analyzer cache; `None` where
            no cache is kept.
    """

    result: nodes.ValueNode
    cache_entries: Mapping[analyzer_cache.DatasetKey, Mapping[bytes, nodes.ValueNode]] | None


class TracedFunction:
    """A `preprocessing_fn`, traced once.

    Args:
        function: The user's function. What it raises passes through.
        layout: All features of the input schema.
        tmp_path: Folder for TFT's temporary files.
        where: Node and parameter, for messages.

    Attributes:
        graph: The TensorFlow graph; analyzers are placeholders in it.
        analyze_columns: Names of the tensors that analyzers depend on.
        transform_columns: Names of the tensors that the result depends on.
        asset_map: File name of each vocabulary, by the name it was registered under.
        num_outputs: Number of features that the function makes.
        choices: What `default_preprocessing` took each feature for, and why; empty where it was not asked.
        holds_python: Whether it calls Python functions (`tf.py_function`), which only this process can do.
    """

    def __init__(self, function: Callable[..., Any], layout: InputLayout, tmp_path: str, where: str) -> None:
        self._function = function
        self._tmp_path = tmp_path
        self._specs = layout.type_specs()
        self.graph, self._inputs, outputs = impl_helper.trace_preprocessing_function(
            function, self._specs, use_tf_compat_v1=False, base_temp_dir=tmp_path
        )
        output_checks.check_outputs(outputs, where)
        _check_variables(self.graph, where)
        self.choices = notes.noted_choices(self.graph)
        self.holds_python = _holds_python(self.graph)
        self._where = where
        # TensorFlow calls a Python function by a name that lives as long as the graph that it was traced in.
        self._written: list[Any] = []
        self._outputs = outputs
        self.num_outputs = len(outputs)
        self.analyze_columns = self._analyze_columns()
        self.transform_columns = set(graph_tools.get_dependent_inputs(self.graph, self._inputs, outputs))
        self.asset_map = annotators.get_asset_annotations(self.graph)
        annotators.clear_asset_annotations(self.graph)
        self._fingerprint = graph_tools.get_analyzers_fingerprint(self.graph, self._inputs)

    @property
    def fingerprint(self) -> str:
        """Tells what is analyzed apart from what other functions analyze."""
        return repr(
            sorted(
                (name, [sorted(map(repr, part)) for part in found])
                for name, found in self._fingerprint.items()
            )
        )

    def _analyze_columns(self) -> set[str]:
        """Tensors that analyzers depend on, as `tft.get_analyze_input_columns` finds them by another trace."""
        visitor = graph_tools.SourcedTensorsVisitor()
        for sink in self.graph.get_collection(analyzer_nodes.TENSOR_REPLACEMENTS):
            nodes.Traverser(visitor).visit_value_node(sink.future)
        _, control_dependencies = tf2_utils.strip_and_get_tensors_and_control_dependencies(
            tf.nest.flatten(self._outputs, expand_composites=True)
        )
        needed = list(itertools.chain(visitor.sourced_tensors, control_dependencies))
        return set(graph_tools.get_dependent_inputs(self.graph, self._inputs, needed))

    def analysis_graph(
        self,
        dataset_keys: Collection[analyzer_cache.DatasetKey],
        cache: Mapping[analyzer_cache.DatasetKey, analyzer_cache.DatasetCache] | None,
    ) -> AnalysisGraph:
        """Build TFT's graph of operations; call it once, it takes the analyzers out of `graph`.

        Args:
            dataset_keys: The datasets that are analyzed.
            cache: What an earlier run left; empty to start one, `None` to keep none.
        """
        result, cache_entries, _ = analysis_graph_builder.build(
            self.graph, self._inputs, self._outputs, dataset_keys=dataset_keys, cache_dict=cache
        )
        return AnalysisGraph(result, cache_entries)

    def phase_function(
        self, replacements: Mapping[str, tf.Tensor], outputs: Mapping[str, tf.Tensor]
    ) -> FunctionSource:
        """What computes the tensors that analyzers look at.

        Args:
            replacements: Values by the name of the placeholder that stands for them.
            outputs: The tensors, by key.
        """
        part = model.cut(self.graph, self._inputs, replacements, outputs)
        if part is not None:
            return part
        names = {key: tensor.name for key, tensor in outputs.items()}
        path, _ = self._write(replacements, names)
        return model.SavedFunction(path)

    def write_model(self, replacements: Mapping[str, tf.Tensor]) -> FinishedModel:
        """Trace the function with all analyzers replaced by their values, and save it.

        Args:
            replacements: Values by the name of the placeholder that stands for them.
        """
        path, concrete = self._write(replacements, {})
        output_checks.check_shapes(concrete.structured_outputs, self._where)
        model_names.name_tables_by_content(path, self._tmp_path)
        context = graph_context.TFGraphContext(tf.Module(), self._tmp_path, dict(replacements))
        metadata_fn = schema_inference.get_traced_metadata_fn(
            self._function,
            tf2_utils.get_structured_inputs_from_func_graph(concrete.graph),
            context,
            evaluate_schema_overrides=True,
        )
        annotations = metadata_fn()
        schema = schema_inference.infer_feature_schema_v2(
            concrete.structured_outputs, lambda: annotations, evaluate_schema_overrides=True
        )
        # TFT traces the function once more for this one. Of the annotations it uses only those that are
        # known before analyzers have values, and these are the same.
        early_schema = schema_inference.infer_feature_schema_v2(
            self._outputs, lambda: annotations, evaluate_schema_overrides=False
        )
        return FinishedModel(path, schema, early_schema)

    def _write(
        self, replacements: Mapping[str, tf.Tensor], output_names: Mapping[str, str]
    ) -> tuple[str, Any]:
        """Trace and save; where analyzers are left, the model returns the tensors in `output_names`."""
        path = os.path.join(self._tmp_path, uuid.uuid4().hex)
        context = graph_context.TFGraphContext(tf.Module(), self._tmp_path, dict(replacements))
        function = impl_helper.get_traced_transform_fn(
            self._function, self._specs, context, output_keys_to_name_map=dict(output_names)
        )
        concrete = saved_transform_io_v2.write_v2_saved_model(
            context.module_to_export, function, transform_graphs.FUNCTION, path
        )
        if self.holds_python:
            self._written.append(concrete)
        validate_analyzers_fingerprint(
            self._fingerprint, concrete.graph, tf2_utils.get_structured_inputs_from_func_graph(concrete.graph)
        )
        return path, concrete


@dataclass(frozen=True)
class FinishedModel:
    """The function with its analyzers replaced by what they found.

    Attributes:
        path: Folder of the SavedModel.
        schema: Schema of the outputs, with the ranges that analyzers found.
        early_schema: The same as far as it is known before, which TFX encodes and validates with, and
            publishes as `post_transform_schema`.
    """

    path: str
    schema: schema_pb2.Schema
    early_schema: schema_pb2.Schema


def publish_graph(
    finished: FinishedModel, graph_path: str, raw_schema: schema_pb2.Schema, asset_map: Mapping[str, str]
) -> None:
    """Lay out a TransformGraph artifact: the model, and schemas of what goes in and comes out."""
    os.makedirs(graph_path, exist_ok=True)
    copy_folder(finished.path, transform_graphs.model_path(graph_path))
    transformed_path = transform_graphs.transformed_metadata_path(graph_path)
    metadata_io.write_metadata(dataset_metadata.DatasetMetadata(finished.schema), transformed_path)
    if asset_map:
        json_files.write(os.path.join(transformed_path, tft.TFTransformOutput.ASSET_MAP), dict(asset_map))
    metadata_io.write_metadata(
        dataset_metadata.DatasetMetadata(raw_schema), transform_graphs.raw_metadata_path(graph_path)
    )


def place_of(function: Callable[..., Any]) -> str:
    """Return what a message calls the user's function: `"preprocessing_fn in features.py:12"`."""
    original = inspect.unwrap(function.func if isinstance(function, functools.partial) else function)
    code = getattr(original, "__code__", None)
    if code is None:
        return "preprocessing_fn"
    return f"{original.__name__} in {os.path.basename(code.co_filename)}:{code.co_firstlineno}"


def _check_variables(graph: tf.Graph, where: str) -> None:
    trainable = graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
    if trainable:
        raise UserFunctionError(
            f"{where}: the function made trainable variables: {', '.join(variable.name for variable in trainable)}.",
            "train them in Trainer; preprocessing_fn is never trained.",
        )


def _holds_python(graph: tf.Graph) -> bool:
    """Whether operations of a graph, or of the functions that it calls, call back into this process."""
    definition = graph.as_graph_def()
    functions = (function.node_def for function in definition.library.function)
    return any(node.op in _PYTHON for node in itertools.chain(definition.node, *functions))
