"""SavedModels as files: what is in one, read without loading a variable, and without TensorFlow.

::

    saved_model.pb                                graphs and signatures
    variables/, assets/                           what the graphs read
    assets.extra/tf_serving_warmup_requests       see `warmup`
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from headrace.errors import ModelError, listed
from headrace.files import is_folder, names_in, size_on_disk
from headrace.formats import saved_models
from headrace.formats.saved_models import exists as exists
from headrace.formats.saved_models import folders as folders
from headrace.models.signatures import SERVING_TAG, Signature

_INNER = "__saved_model"


class SavedModel:
    """The files of a model.

    Args:
        path: Its folder.
        where: Node, and role of the model, for messages.

    Raises:
        ModelError: If there is no SavedModel, or it is damaged.
    """

    def __init__(self, path: str, where: str) -> None:
        self.path = path
        self._where = where
        self._proto = saved_models.read(path, where)

    @property
    def graphs(self) -> Sequence[Any]:
        """Its graphs as `MetaGraphDef` protos, told apart by their tags; nearly all models have one."""
        return self._proto.meta_graphs

    @functools.cached_property
    def signatures(self) -> dict[str, Signature]:
        """The signatures of all graphs, by name."""
        return _signatures(self.graphs)

    def tagged_signatures(self, tags: Sequence[str], field: str) -> dict[str, Signature]:
        """Return the signatures of the graph that has these tags and no others, as TensorFlow chooses one.

        Args:
            tags: Empty for `serve`.
            field: Where the user names the tags.

        Raises:
            ModelError: If no graph has them.
        """
        wanted = list(tags) or [SERVING_TAG]
        tagged = [graph for graph in self.graphs if set(wanted) == set(graph.meta_info_def.tags)]
        if not tagged:
            graphs = [sorted(graph.meta_info_def.tags) for graph in self.graphs]
            raise ModelError(
                f"{self._where}: the model ({self.path}) has no graph with the tags {listed(wanted)}. It has graphs "
                f"with {graphs}.",
                f"correct {field}.",
            )
        return _signatures(tagged)

    @property
    def attributes(self) -> set[str]:
        """Names of what hangs on the saved object itself: functions and layers that are no signatures."""
        graphs = (graph.object_graph_def for graph in self.graphs)
        return {child.local_name for graph in graphs if graph.nodes for child in graph.nodes[0].children}

    @property
    def size_bytes(self) -> int:
        """The size of its files."""
        return size_on_disk(self.path)

    @property
    def assets(self) -> list[str]:
        """Names of its asset files, such as vocabularies, in order."""
        path = os.path.join(self.path, "assets")
        return names_in(path) if is_folder(path) else []


def signatures_of(graph: Any) -> dict[str, Signature]:
    """Return the signatures of a graph, by name."""
    return {
        name: Signature.read(name, signature)
        for name, signature in graph.signature_def.items()
        if not name.startswith(_INNER)
    }


def nodes(graph: Any) -> Iterator[Any]:
    """Yield the operations of a graph and of its functions, as `NodeDef` protos."""
    yield from graph.graph_def.node
    for function in graph.graph_def.library.function:
        yield from function.node_def


def _signatures(graphs: Iterable[Any]) -> dict[str, Signature]:
    return {name: one for graph in graphs for name, one in signatures_of(graph).items()}
