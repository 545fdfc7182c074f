"""SavedModels that are nothing but their protos, and what stands in for the library that runs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.formats.bare_protos import proto_class
from headrace.models.runner import Refused

# By name: type and shape, `None` for a shape that is not known.
Tensors = Mapping[str, tuple[str, Sequence[int] | None]]

EXAMPLES: Tensors = {"examples": ("DT_STRING", [-1])}
SCORES: Tensors = {"scores": ("DT_FLOAT", [-1, 1])}
PREDICT = "tensorflow/serving/predict"


def write(
    path: Path, *graphs: tuple[Sequence[str], Mapping[str, tuple[Tensors, Tensors]]], method: str = PREDICT
) -> str:
    """Write `saved_model.pb` with graphs of tags, and signatures of inputs and outputs; return the folder."""
    model = proto_class("SavedModel")()
    for tags, signatures in graphs:
        graph = model.meta_graphs.add()
        graph.meta_info_def.tags.extend(tags)
        for name, (inputs, outputs) in signatures.items():
            signature = graph.signature_def[name]
            signature.method_name = method
            for tensors, protos in ((inputs, signature.inputs), (outputs, signature.outputs)):
                for key, (kind, shape) in tensors.items():
                    _fill(protos[key], kind, shape)
    path.mkdir(parents=True, exist_ok=True)
    (path / "saved_model.pb").write_bytes(model.SerializeToString())
    return str(path)


def _fill(info: Any, kind: str, shape: Sequence[int] | None) -> None:
    info.dtype = proto_class("DataType").Value(kind)
    info.name = "tensor:0"
    info.tensor_shape.unknown_rank = shape is None
    for size in shape or ():
        info.tensor_shape.dim.add().size = size


def serving(path: Path, inputs: Tensors = EXAMPLES, outputs: Tensors = SCORES) -> str:
    """Write a model with `serving_default` alone."""
    return write(path, (["serve"], {"serving_default": (inputs, outputs)}))


class Library:
    """Stands in for a library that runs models: it keeps what it is asked, and answers with a function.

    Args:
        answer: From the inputs by name to the outputs.
        refusal: Raised in place of an answer.
        load_refusal: Raised in place of a model.
    """

    def __init__(
        self,
        answer: Callable[[Any], Any] = dict,
        refusal: Refused | None = None,
        load_refusal: Refused | None = None,
    ) -> None:
        self.opened: list[tuple[str, list[str]]] = []
        self.asked: list[tuple[str, Any]] = []
        self.is_closed = False
        self._answer = answer
        self._refusal = refusal
        self._load_refusal = load_refusal

    def open(self, path: str, tags: Sequence[str]) -> Library:
        """Load a model; see `runner.OpenRunner`."""
        if self._load_refusal is not None:
            raise self._load_refusal
        self.opened.append((path, list(tags)))
        return self

    def run(self, signature: Any, inputs: Any) -> Any:
        """Call a signature; see `runner.Runner`."""
        self.asked.append((signature.name, inputs))
        if self._refusal is not None:
            raise self._refusal
        return self._answer(inputs)

    def close(self) -> None:
        """Let go of the model."""
        self.is_closed = True
