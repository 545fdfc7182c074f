"""TFT's loader of transform graphs, with the private fields that tell which inputs an output is made of.

TFT 1.16 and 1.21 have them. A model that is exported with a transform graph must read no more than it needs, a label
least of all; where the fields have another form nothing says what that is, so the export is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.errors import UnsupportedFeatureError
from headrace.internals import Library, fields_of

_TFT = Library("TFT", "tensorflow-transform")

with _TFT.importing():
    from tensorflow_transform.saved import saved_transform_io_v2

_FIELDS = frozenset({"_imported", "_output_to_inputs_map", "_structured_inputs", "_func_graph"})


class TransformLoader:
    """A transform graph.

    Args:
        path: Its SavedModel.

    Attributes:
        transform: Function of raw features by name that returns the transformed ones that can be made of them.
        imported: What tables, vocabulary files and variables of the graph are saved with.
        inputs: The tensors of the graph for each raw feature, by name.
        sources: The graph tensors that each transformed feature is made of, by name.

    Raises:
        UnsupportedFeatureError: If the loader has another form than the one that is known.
    """

    def __init__(self, path: str) -> None:
        loader = saved_transform_io_v2.SavedModelLoader(path)
        missing = sorted(_FIELDS - fields_of(loader))
        if missing:
            raise UnsupportedFeatureError(
                f"{_TFT.told} has another SavedModelLoader, without {', '.join(missing)}, so what a transformed "
                "feature is made of is not known and no model can be exported with the transform graph.",
                "train with run_fn on the transformed examples, and export a model that takes transformed features.",
            )
        self.transform = loader.apply_transform_model
        self.imported = loader._imported
        self.inputs: Mapping[str, Any] = loader._structured_inputs
        self.sources: Mapping[str, Any] = loader._output_to_inputs_map
        self._graph = loader._func_graph

    def tensor(self, name: str) -> Any:
        """Return a tensor of the graph."""
        return self._graph.get_tensor_by_name(name)
