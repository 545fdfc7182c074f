"""Where statistics, schemas and anomalies of Transform go."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.components.transform.tft_library import tfdv, tft
from headrace.errors import DefinitionError, listed
from headrace.formats import protos
from headrace.runtime.context import ExecutionContext

_KEYS = (
    "pre_transform_schema",
    "pre_transform_stats",
    "post_transform_schema",
    "post_transform_stats",
    "post_transform_anomalies",
)


@dataclass(frozen=True)
class StatisticsOutputs:
    """Folders of the five outputs, by key."""

    folders: dict[str, str]

    @classmethod
    def of(cls, context: ExecutionContext) -> StatisticsOutputs:
        """The declared artifacts; where there are none, folders in the graph artifact, as in older TFX."""
        given = {key: artifact.uri for key in _KEYS if (artifact := context.optional_output(key)) is not None}
        if given and len(given) != len(_KEYS):
            raise DefinitionError(
                f"{context.node_id}: of the outputs of statistics only {listed(given)} are declared.",
                f"declare all of {listed(_KEYS)}, or none.",
            )
        if given:
            return cls(given)
        graph_path = context.output("transform_graph").uri
        output = tft.TFTransformOutput
        before = os.path.dirname(os.path.join(graph_path, output.PRE_TRANSFORM_FEATURE_STATS_PATH))
        after = os.path.dirname(os.path.join(graph_path, output.POST_TRANSFORM_FEATURE_STATS_PATH))
        return cls({key: before if key.startswith("pre") else after for key in _KEYS})

    def write_before(
        self, found: statistics_pb2.DatasetFeatureStatisticsList, options: tfdv.StatsOptions
    ) -> None:
        """Write what was found in the input."""
        self._write("pre", found, options)

    def write_after(
        self, found: statistics_pb2.DatasetFeatureStatisticsList, options: tfdv.StatsOptions
    ) -> None:
        """Write what was found in the result, and what contradicts its schema."""
        self._write("post", found, options)
        if options.schema is not None:
            anomalies = tfdv.validate_statistics(found, options.schema)
            protos.write_anomalies(self.folders["post_transform_anomalies"], anomalies)

    def _write(
        self, side: str, found: statistics_pb2.DatasetFeatureStatisticsList, options: tfdv.StatsOptions
    ) -> None:
        protos.write_statistics(self.folders[f"{side}_transform_stats"], found)
        if options.schema is not None:
            protos.write_schema(self.folders[f"{side}_transform_schema"], options.schema)
