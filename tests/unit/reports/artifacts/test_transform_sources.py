"""Outputs of a Transform graph are followed to their inputs, through the functions that are called."""

from __future__ import annotations

from headrace.formats.bare_protos import proto_class
from headrace.reports.artifacts.transform_sources import Origin, input_names, sources


class Feature:
    """A feature of a schema."""

    def __init__(self, name: str, has_shape: bool) -> None:
        self.name = name
        self.has_shape = has_shape

    def HasField(self, field: str) -> bool:
        return self.has_shape


class Schema:
    """Features in an order of their own."""

    feature = (Feature("sparse", has_shape=False), Feature("fare", has_shape=True))


def graph():
    """`fare` and `sparse` go into a function: its first output is buckets of fare, its second uses both."""
    saved_model = proto_class("SavedModel")()
    whole = saved_model.meta_graphs.add()
    signature = whole.signature_def["serving_default"]
    keys = ["inputs", "inputs_1", "inputs_2", "inputs_3"]
    for key in keys:
        signature.inputs[key].name = f"{key}:0"
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
    names = input_names(graph(), Schema())

    assert names == {"inputs": "fare", "inputs_1": "sparse", "inputs_2": "sparse", "inputs_3": "sparse"}
    assert sources(graph(), names) == {
        "bucket": Origin(["fare"], ["buckets"], [("borders", [1.5, 2.5])]),
        "sum": Origin(["fare", "sparse"], ["default for missing"], []),
    }


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
    class Other:
        feature = (Feature("a", has_shape=True),)

    assert input_names(graph(), Other())["inputs_3"] == "inputs_3"


def test_a_graph_that_cannot_be_read_gives_nothing():
    assert input_names(None, Schema()) == {}
    assert sources(None, {}) == {}
