"""Outputs of a Transform graph are followed to their inputs, through the functions that are called."""

from __future__ import annotations

from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.formats.bare_protos import proto_class
from headrace.reports.artifacts.transform_sources import Origin, input_names, sources

FARE = schema_pb2.Feature(name="fare", type="FLOAT", shape=schema_pb2.FixedShape())
SPARSE = schema_pb2.Feature(name="sparse", type="INT")
# In an order of its own.
SCHEMA = schema_pb2.Schema(feature=[SPARSE, FARE])
# TensorFlow's types, and ranks: of `fare`, and of indices, values and shape of `sparse`.
TENSORS = ((1, 1), (9, 2), (9, 1), (9, 1))


def graph(tensors=TENSORS):
    """`fare` and `sparse` go into a function: its first output is buckets of fare, its second uses both."""
    saved_model = proto_class("SavedModel")()
    whole = saved_model.meta_graphs.add()
    signature = whole.signature_def["serving_default"]
    keys = ["inputs", "inputs_1", "inputs_2", "inputs_3"]
    for key, (kind, rank) in zip(keys, tensors, strict=True):
        signature.inputs[key].name = f"{key}:0"
        signature.inputs[key].dtype = kind
        for _ in range(rank):
            signature.inputs[key].tensor_shape.dim.add(size=-1)
        whole.graph_def.node.add(name=key, op="Placeholder")
    borders = whole.graph_def.node.add(name="borders", op="Const")
    borders.attr["value"].tensor.dtype = 1
    borders.attr["value"].tensor.float_val.extend([1.5, 2.5])
    call = whole.graph_def.node.add(
        name="call", op="StatefulPartitionedCall", input=[*keys, "borders", "^inputs_1"]
    )
    call.attr["f"].func.name = "f"
    signature.outputs["bucket"].name = "call:0"
    signature.outputs["sum"].name = "call:1"
    function = whole.graph_def.library.function.add()
    function.signature.name = "f"
    for name in ("fare", "indices", "values", "shape", "borders"):
        function.signature.input_arg.add(name=name)
    for name, source in (("out0", "bucketize:output:0"), ("out1", "sum:z:0")):
        function.signature.output_arg.add(name=name)
        function.ret[name] = source
    function.node_def.add(name="bucketize", op="UpperBound", input=["borders", "fare"])
    function.node_def.add(name="sum", op="AddV2", input=["fare", "dense:dense:0"])
    function.node_def.add(name="dense", op="SparseToDense", input=["indices", "shape", "values"])
    return saved_model


def test_outputs_name_their_inputs_operations_and_learned_numbers():
    names = input_names(graph(), SCHEMA)

    assert names == {"inputs": "fare", "inputs_1": "sparse", "inputs_2": "sparse", "inputs_3": "sparse"}
    assert sources(graph(), names) == {
        "bucket": Origin(["fare"], ["buckets"], [("borders", [1.5, 2.5])]),
        "sum": Origin(["fare", "sparse"], ["default for missing"], []),
    }


def test_inputs_may_come_in_the_order_of_the_schema():
    """By name is how SchemaGen orders features; a schema of one's own may have another order, which TFT keeps."""
    names = input_names(graph((*TENSORS[1:], TENSORS[0])), SCHEMA)

    assert names == {"inputs": "sparse", "inputs_1": "sparse", "inputs_2": "sparse", "inputs_3": "fare"}


def test_inputs_that_fit_no_order_stand_for_themselves():
    """As many tensors as features ask for, and of other types: nothing is told that may be wrong."""
    names = input_names(graph(((7, 1), *TENSORS[1:])), SCHEMA)

    assert names == {key: key for key in ("inputs", "inputs_1", "inputs_2", "inputs_3")}


def test_a_z_score_names_its_mean_and_its_variance():
    """(x - mean) / sqrt(variance), as TFT writes it: with a cast between, and a choice for a variance of 0."""
    saved_model = proto_class("SavedModel")()
    whole = saved_model.meta_graphs.add()
    signature = whole.signature_def["serving_default"]
    signature.inputs["inputs"].name = "inputs:0"
    signature.outputs["scaled"].name = "choice:0"
    for name, value in (("variance", 4.0), ("mean", 3.0)):
        constant = whole.graph_def.node.add(name=name, op="Const")
        constant.attr["value"].tensor.dtype = 1
        constant.attr["value"].tensor.float_val.append(value)
    for name, op, given in (
        ("inputs", "Placeholder", []),
        ("as_float", "Cast", ["mean"]),
        ("without_mean", "Sub", ["inputs", "as_float"]),
        ("deviation", "Sqrt", ["variance"]),
        ("quotient", "RealDiv", ["without_mean", "deviation"]),
        ("choice", "SelectV2", ["quotient", "without_mean"]),
    ):
        whole.graph_def.node.add(name=name, op=op, input=given)

    assert sources(saved_model, {"inputs": "fare"}) == {
        "scaled": Origin(["fare"], ["z-score"], [("mean", [3.0]), ("variance", [4.0])])
    }


def test_inputs_that_do_not_fit_the_schema_stand_for_themselves():
    assert input_names(graph(), schema_pb2.Schema(feature=[FARE]))["inputs_3"] == "inputs_3"


def test_a_graph_that_cannot_be_read_gives_nothing():
    assert input_names(None, SCHEMA) == {}
    assert sources(None, {}) == {}
