"""What was decided while a `preprocessing_fn` was traced, noted in its graph for whoever traced it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from headrace.features.libraries import tf

if TYPE_CHECKING:
    from headrace.features.roles import Choice

_CHOICES = "headrace_choices"


def note_choices(choices: Iterable[Choice]) -> None:
    """Note in the graph that is being traced what each feature was taken for, and why."""
    if not tf.executing_eagerly():
        # As text, which a graph can be saved with.
        noted = tf.compat.v1.get_default_graph().get_collection_ref(_CHOICES)
        noted.extend(json.dumps([one.feature, one.role, one.why]) for one in choices)


def noted_choices(graph: tf.Graph) -> list[tuple[str, str, str]]:
    """Return what was noted in a graph: feature, taken for, why; each once, where a function decided twice."""
    texts = dict.fromkeys(graph.get_collection(_CHOICES))
    return [(feature, role, why) for feature, role, why in map(json.loads, texts)]
