"""Signatures of a SavedModel: what can be called, what it takes and gives, and who calls which by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.errors import ModelError, did_you_mean, listed
from headrace.formats.bare_protos import proto_class

# Names that TensorFlow, TFX and TFMA give to signatures and to the tags of a graph.
SERVING = "serving_default"
TRANSFORM = "transform_features"
SERVING_TAG = "serve"
_PREDICT = "predict"
_EVALUATED_TRANSFORMS = ("transformed_features", "transformed_labels")
_PREDICT_METHOD = "tensorflow/serving/predict"
_STRING = "DT_STRING"
_FLOATS = {"half": "float16", "float": "float32", "double": "float64"}


@dataclass(frozen=True)
class Tensor:
    """An input or output of a signature.

    Attributes:
        name: What the signature calls it.
        type_name: Its type as the file has it, such as `"DT_FLOAT"`.
        shape: Its sizes with that of the batch; -1 for one that is not fixed, `None` where nothing is known.
        graph_name: What its graph calls it, such as `"serving_default_examples:0"`; empty for a sparse or ragged one,
            which is made of several.
    """

    name: str
    type_name: str
    shape: tuple[int, ...] | None
    graph_name: str = ""

    @property
    def is_dense(self) -> bool:
        """Whether it is one tensor."""
        return bool(self.graph_name)

    @property
    def is_records(self) -> bool:
        """Whether it may be serialized Examples: one string for each row."""
        return self.type_name == _STRING and (self.shape is None or len(self.shape) == 1)

    @property
    def told(self) -> str:
        """Its type in words; of strings that are no records their shape too."""
        if self.type_name != _STRING or self.is_records:
            return self.dtype
        sizes = ", ".join(str(size) if size >= 0 else "None" for size in self.shape or ())
        return f"{self.dtype} of shape [{sizes}]"

    @property
    def dtype(self) -> str:
        """Its type as TensorFlow and numpy write it, such as `"float32"`; `"string"` for bytes."""
        name = self.type_name.removeprefix("DT_").lower()
        return _FLOATS.get(name, name)


@dataclass(frozen=True)
class Signature:
    """A function of a model that can be called.

    Attributes:
        name: Its name.
        method_name: TensorFlow Serving's method: that of TensorFlow 1's classifiers and regressors differs.
        inputs: What it takes, by name and in order of names.
        outputs: What it gives, likewise.
    """

    name: str
    method_name: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @classmethod
    def read(cls, name: str, proto: Any) -> Signature:
        """Read a `SignatureDef`."""
        return cls(name, proto.method_name, _tensors(proto.inputs), _tensors(proto.outputs))

    @property
    def is_predict(self) -> bool:
        """Whether it is of the method that gives tensors as they are."""
        return self.method_name == _PREDICT_METHOD

    @property
    def takes_examples(self) -> bool:
        """Whether it has one input, a string for each row, as those have that take serialized Examples."""
        inputs = list(self.inputs.values())
        return len(inputs) == 1 and inputs[0].is_records

    @property
    def gives_one_text(self) -> bool:
        """Whether it has one output, of strings, such as names of classes."""
        outputs = list(self.outputs.values())
        return len(outputs) == 1 and outputs[0].type_name == _STRING

    def told_inputs(self) -> str:
        """What it takes, in words: `"'x' (float32), 'y' (int64)"`."""
        return ", ".join(f"'{name}' ({one.told})" for name, one in self.inputs.items()) or "nothing"


def _tensors(infos: Any) -> dict[str, Tensor]:
    types = proto_class("DataType")
    return {name: _tensor(name, infos[name], types) for name in sorted(infos)}


def _tensor(name: str, info: Any, types: Any) -> Tensor:
    sizes = tuple(dimension.size for dimension in info.tensor_shape.dim)
    shape = None if info.tensor_shape.unknown_rank else sizes
    return Tensor(name, types.Name(info.dtype), shape, info.name)


def evaluated(known: Mapping[str, Signature], named: str) -> str:
    """Return the signature whose outputs TFMA takes for predictions.

    Args:
        known: The model's.
        named: In a `ModelSpec`; empty where none is: then `predict`, which Estimators wrote, before `serving_default`.
    """
    return named or (_PREDICT if _PREDICT in known else SERVING)


def transforms(known: Mapping[str, Signature], named: Sequence[str]) -> list[str]:
    """Return the signatures by which TFMA makes features and labels: those named, else the usual ones there are."""
    return list(named) or [name for name in _EVALUATED_TRANSFORMS if name in known]


def check_exists(name: str, known: Iterable[str], where: str, field: str) -> None:
    """Check that a signature exists.

    Args:
        name: The signature.
        known: Those that the model has.
        where: Node, and role of the model, for the message.
        field: Where the user names it, such as `"signature_name in eval_config"`.

    Raises:
        ModelError: If it does not, naming those that do.
    """
    names = list(known)
    if name not in names:
        raise ModelError(
            f"{where} has no signature '{name}'. It has {listed(names)}.",
            f"{did_you_mean(name, names)}Correct {field}, or save the model with this signature.",
        )


def check_take_examples(
    names: Iterable[str], known: Mapping[str, Signature], where: str, field: str, model: str = "the model"
) -> None:
    """Check that signatures exist, and that each takes serialized Examples.

    Args:
        names: The signatures.
        known: Those that the model has.
        where: The node.
        field: Where the user names them.
        model: The model, for the message.

    Raises:
        ModelError: If one does not, naming what it takes.
    """
    for name in names:
        check_exists(name, known, f"{where}: {model}", field)
        if not known[name].takes_examples:
            raise ModelError(
                f"{where}: the model's signature '{name}' takes {known[name].told_inputs()}, and one string tensor of serialized "
                "examples is needed.",
                f"name another signature in {field}, or export one as headrace.models.exporters.export_model does.",
            )
