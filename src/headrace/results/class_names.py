"""The names of the classes that a model's label stands for, where Transform made numbers of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence

from headrace.authoring import Artifact
from headrace.errors import HeadraceError
from headrace.formats import saved_models, transform_graphs
from headrace.reports.artifacts import transform_sources

_VOCABULARY = "vocabulary"


def of_label(inputs: Mapping[str, Sequence[Artifact]], parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the classes 0, 1, 2 ... of the label that a Trainer was given.

    They are the terms of the vocabulary through which Transform put the feature that the label is made of; a vocabulary's
    file is named after its feature.

    Args:
        inputs: What the Trainer read, by input key.
        parameters: What it was given, by name.

    Returns:
        None where there is no such vocabulary, the graph cannot be read, or which it is cannot be told.
    """
    label = parameters.get("label")
    graphs = inputs.get("transform_graph", ())
    if not isinstance(label, str) or not label or len(graphs) != 1 or not os.path.isdir(graphs[0].uri):
        return ()
    root = graphs[0].uri
    try:
        model = saved_models.read(transform_graphs.model_path(root), "the transform graph")
        features = transform_sources.input_names(model, transform_graphs.read_raw_schema(root))
        origin = transform_sources.sources(model, features).get(_plain(label))
        vocabularies = transform_graphs.read_vocabularies(root)
    except HeadraceError:
        return ()
    if origin is None or _VOCABULARY not in origin.operations or len(origin.inputs) != 1:
        return ()
    # Characters that are not ASCII are no part of a file's name.
    name = re.escape(re.sub(r"[^ -~]", "_", origin.inputs[0]))
    found = [terms for file, terms in vocabularies.items() if re.fullmatch(rf"{name}(_\d+)?", file)]
    return tuple(found[0]) if len(found) == 1 else ()


def _plain(label: str) -> str:
    """A parameter's text; some are recorded as JSON."""
    try:
        found = json.loads(label)
    except ValueError:
        return label
    return found if isinstance(found, str) else label
