"""tfx_bsl's internal modules for tf.Examples and tensors, in the form in which they are known.

tfx_bsl 1.16 and 1.21 have all of them. Nothing stands in for another form: importing this module then says which it is.
"""

from __future__ import annotations

from headrace.internals import Library

_BSL = Library("tfx_bsl", "tfx-bsl")

with _BSL.importing():
    from tfx_bsl.coders import example_coder
    from tfx_bsl.tfxio import tensor_adapter, tensor_representation_util

__all__ = ["example_coder", "tensor_adapter", "tensor_representation_util"]

_BSL.part(example_coder, "ExamplesToRecordBatchDecoder", "serialized_schema")
_BSL.parts(
    tensor_adapter,
    {
        "TensorAdapter": "config",
        "TensorAdapterConfig": "arrow_schema tensor_representations original_type_specs",
    },
)
_BSL.parts(
    tensor_representation_util,
    {
        "InferTensorRepresentationsFromMixedSchema": "schema",
        "ProjectTensorRepresentationsInSchema": "schema tensor_names",
        "SetTensorRepresentationsInSchema": "schema tensor_representations tensor_representation_group_name",
    },
)
_BSL.require()
