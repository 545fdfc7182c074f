"""TFX's Importer and Resolver, with their outputs as attributes too.

In stores and compiled pipelines they are TFX's own.
"""

from __future__ import annotations

from typing import Any, Generic, cast

from headrace.authoring.light import authoring
from headrace.authoring.outputs import ArtifactT, OutputOf, UndeclaredOutputs

with authoring():
    from tfx.dsl.components.common import importer, resolver
    from tfx.types.channel import BaseChannel

# The parameter of a compiled Importer that says where its artifact is.
SOURCE_URI: str = importer.SOURCE_URI_KEY


class ImporterOutputs(UndeclaredOutputs, Generic[ArtifactT]):
    """What an Importer names; `output_key` may give it another key."""

    result: OutputOf[ArtifactT]


class Importer(importer.Importer, Generic[ArtifactT]):
    """TFX's Importer: an artifact that is there already, of which the nodes after it take note.

    Outputs:
        result: The artifact.

    Args:
        source_uri: Where it is.
        artifact_type: Its type, such as `standard_artifacts.Schema`.
        reimport: Whether it becomes a new artifact in each run.
        properties: Those that its type declares.
        custom_properties: Others.
        output_key: Another key than `result`.
    """

    def __init__(
        self,
        source_uri: str,
        artifact_type: type[ArtifactT],
        reimport: bool | None = False,
        properties: dict[str, str | int] | None = None,
        custom_properties: dict[str, str | int] | None = None,
        output_key: str | None = None,
    ) -> None:
        super().__init__(source_uri, artifact_type, reimport, properties, custom_properties, output_key)
        self._named_outputs: ImporterOutputs[ArtifactT] = ImporterOutputs(super().outputs)

    @property
    def outputs(self) -> ImporterOutputs[ArtifactT]:
        """The channel of the artifact."""
        return self._named_outputs

    @classmethod
    def get_class_type(cls) -> str:
        """The MLMD execution type: that of TFX's."""
        return cast("str", importer.Importer.get_class_type())


class Resolver(resolver.Resolver):
    """TFX's Resolver: artifacts of earlier runs, chosen by a strategy.

    Outputs:
        Those of the channels, under the names under which they are given.

    Args:
        strategy_class: Such as `LatestArtifactStrategy`.
        config: The strategy's arguments.
        channels: Among what is chosen, by name.
    """

    def __init__(
        self,
        strategy_class: type[resolver.ResolverStrategy] | None = None,
        config: dict[str, Any] | None = None,
        **channels: BaseChannel,
    ) -> None:
        super().__init__(strategy_class, config, **channels)
        self._named_outputs = UndeclaredOutputs(super().outputs)

    @property
    def outputs(self) -> UndeclaredOutputs:
        """The channels of what is chosen."""
        return self._named_outputs

    @classmethod
    def get_class_type(cls) -> str:
        """The MLMD execution type: that of TFX's."""
        return cast("str", resolver.Resolver.get_class_type())
