"""The layers of a model, from the names and shapes in the function that serves it."""

from __future__ import annotations

from headrace.formats.bare_protos import proto_class
from headrace.models.layers import Layer, read_layers

_RESOURCE = 20


def meta_graph(nodes, variables):
    """A graph with one function of `nodes` (name, operation, inputs, shape) on `variables` (name, shape)."""
    graph = proto_class("SavedModel")().meta_graphs.add()
    saving = graph.graph_def.library.function.add()
    saving.signature.name = "__inference__traced_save_9"
    function = graph.graph_def.library.function.add()
    function.signature.name = "__inference_serve_1"
    for name, shape in variables.items():
        for holder in (saving, function):
            argument = holder.signature.input_arg.add(name=name, type=_RESOURCE)
            shapes = argument.handle_data.add(dtype=1)
            for size in shape:
                shapes.shape.dim.add(size=size)
        saving.node_def.add(name=f"read/{name}", op="ReadVariableOp", input=[name])
        saving.node_def.add(name=f"again/{name}", op="ReadVariableOp", input=[name])
    for name, operation, inputs, shape in nodes:
        node = function.node_def.add(name=name, op=operation, input=inputs)
        if shape:
            dims = node.attr["_output_shapes"].list.shape.add()
            for size in shape:
                dims.dim.add(size=size)
    return graph


NODES = [
    ("parse/names", "Const", [], ()),
    ("functional_1/concatenate_1/concat", "ConcatV2", ["examples"], (-1, 3)),
    (
        "functional_1/dense_1/MatMul",
        "MatMul",
        ["functional_1/concatenate_1/concat:output:0", "kernel"],
        (-1, 8),
    ),
    ("functional_1/dense_1/Relu", "Relu", ["functional_1/dense_1/MatMul:product:0"], (-1, 8)),
    ("functional_1/Cast", "Cast", ["functional_1/dense_1/Relu:activations:0"], (-1, 8)),
    ("functional_1/dense_1_2/MatMul", "MatMul", ["functional_1/Cast:y:0", "kernel_1"], (-1, 1)),
    ("functional_1/dense_1_2/Sigmoid", "Sigmoid", ["functional_1/dense_1_2/MatMul:product:0"], (-1, 1)),
    ("Identity", "Identity", ["functional_1/dense_1_2/Sigmoid:y:0"], (-1, 1)),
]
VARIABLES = {"kernel": (3, 8), "kernel_1": (8, 1)}


def test_layers_have_their_variables_names_sizes_and_sources():
    """Keras counts when it traces a second time: the scopes `dense_1` and `dense_1_2` are `dense` and `dense_1`."""
    assert read_layers(meta_graph(NODES, VARIABLES), {"dense", "dense_1"}) == [
        Layer("concatenate", ("concatenate",), (-1, 3), 0, ()),
        Layer("dense", ("dense", "relu"), (-1, 8), 24, ("concatenate",)),
        Layer("dense_1", ("dense", "sigmoid"), (-1, 1), 8, ("dense",)),
    ]


def test_scopes_without_a_count_stay_as_they_are():
    nodes = [
        (
            name.replace("dense_1_2", "out").replace("_1/", "/"),
            operation,
            [one.replace("dense_1_2", "out").replace("_1/", "/") for one in inputs],
            shape,
        )
        for name, operation, inputs, shape in NODES
    ]

    layers = read_layers(meta_graph(nodes, VARIABLES), {"dense", "out"})

    assert [layer.name for layer in layers] == ["concatenate", "dense", "out"]


def test_a_model_without_variables_or_names_has_no_layers():
    assert read_layers(meta_graph(NODES, {}), set()) == []
    assert read_layers(meta_graph([("MatMul", "MatMul", ["kernel"], ())], VARIABLES), {"dense"}) == []
