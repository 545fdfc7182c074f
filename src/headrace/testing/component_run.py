"""One component run on artifacts that a test made."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headrace.authoring import Artifact, BaseChannel, BaseNode, Importer, Pipeline
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.files import addresses
from headrace.notebook import upstream
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.in_process import InProcess
from headrace.run_options import RunOptions
from headrace.store.results import NodeResult
from headrace.store.session import open_store

_PIPELINE = "test"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class ComponentResult:
    """What a component made.

    Attributes:
        node: How its execution ended, as runs tell it.
        outputs: The artifacts under each output key.
        store: The folder of the store that records it; `headrace.open_store` reads it.
    """

    node: NodeResult
    outputs: Mapping[str, Sequence[Artifact]]
    store: str

    def output(self, key: str) -> Artifact:
        """Return the one artifact under an output key.

        Raises:
            DefinitionError: If there is none, or more than one.
        """
        found = self.outputs.get(key, ())
        if len(found) != 1:
            raise DefinitionError(
                f"{self.node.node_id}: output '{key}' has {len(found)} artifacts; there are "
                f"{listed(self.outputs)}.",
                f"{did_you_mean(key, self.outputs)}Read `outputs` where there may be several.",
            )
        return found[0]


def channel(artifact: Artifact) -> BaseChannel:
    """Return what a component takes as an input, with one artifact in it.

    It is the output of an Importer: the artifact's files stay where they are, and its properties go with it.

    Raises:
        DefinitionError: If this is no artifact.
    """
    if not isinstance(artifact, Artifact):
        raise DefinitionError(
            f"channel takes an artifact, and was given a {type(artifact).__name__}.",
            "make one with make_artifact; an output of a component is a channel already.",
        )
    properties = {
        name: value
        for name in artifact.PROPERTIES or {}
        if artifact.mlmd_artifact.properties[name].WhichOneof("value")
        and (value := getattr(artifact, name)) is not None
    }
    custom = {
        name: getattr(value, value.WhichOneof("value"))
        for name, value in artifact.mlmd_artifact.custom_properties.items()
        if value.WhichOneof("value") in ("string_value", "int_value", "double_value")
    }
    importer = Importer(
        source_uri=artifact.uri, artifact_type=type(artifact), properties=properties, custom_properties=custom
    )
    return importer.with_id(f"given_{next(_numbers)}").outputs["result"]


def run_component(
    component: BaseNode, store: str | os.PathLike[str], *, runner: NodeRunner | None = None
) -> ComponentResult:
    """Run one component and all that it is connected to.

    Args:
        component: A component; its inputs are channels of `channel`, or outputs of other components.
        store: Folder of the store in which that is recorded, such as one in pytest's `tmp_path`. In a store that
            knows an equal execution, its outputs are taken from the cache.
        runner: Where nodes are executed; in this process where it is left out.

    Raises:
        DefinitionError: If this is no component.
        UnsupportedFeatureError: If the store is an address elsewhere.
        HeadraceError: What stopped the component, as in a pipeline.
    """
    if not isinstance(component, BaseNode) or isinstance(component, Pipeline):
        raise DefinitionError(
            f"run_component takes a component, and was given a {type(component).__name__}.",
            "make it first, as in SchemaGen(...); headrace.run runs pipelines.",
        )
    path = addresses.absolute_path(os.fspath(store), "the store")
    nodes = upstream.closure(component, lambda node_id: None)
    with upstream.set_apart(nodes) as registry:
        pipeline = Pipeline(_PIPELINE, components=nodes, dsl_context_registry=registry)
        result = engine.run(pipeline, RunOptions(store=path), pool=runner or InProcess())
    result.raise_for_failure()
    node = result.node(str(component.id))
    with open_store(path) as session:
        outputs = session.outputs(node.execution_id) if node.execution_id else {}
    return ComponentResult(node, outputs, path)
