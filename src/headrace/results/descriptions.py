"""ExampleStatistics, Schema, ExampleAnomalies and TransformGraph in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.formats import artifacts, drift, findings, protos, transform_graphs
from headrace.reports import frames
from headrace.results.result import Bounds, Result, number, plain
from headrace.statistics.description_rows import CategoryRow, NumberRow, describe_splits

if TYPE_CHECKING:
    import pandas as pd
    from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

_TYPES = {0: "", 1: "string", 2: "int64", 3: "float32", 4: "struct"}
_SEVERITIES = {0: "unknown", 1: "warning", 2: "error"}
_ANOMALIES = ["split", "feature", "problem", "description", "severity", "reasons"]


class Statistics(Result):
    """Statistics of features: what `headrace.load` returns of an `ExampleStatistics` artifact.

    Example:
        >>> import headrace
        >>> headrace.load("latest/StatisticsGen.statistics").describe("train")  # doctest: +SKIP
    """

    @property
    def splits(self) -> Sequence[str]:
        """The names of its splits; none for statistics of all rows together."""
        return tuple(artifacts.split_names(self.artifact))

    def describe(self, split: str | None = None) -> pd.DataFrame:
        """Return the table of pandas' `describe()`; see `headrace.describe`.

        Raises:
            UnknownSplitError: If there is no such split.
        """
        return frames.describe(self.artifact, split)

    @property
    def protos(self) -> Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]:
        """TFDV's protos by split; under `"all"` those of all rows together."""
        return protos.statistics_by_split(self.artifact)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `StatisticsData`."""
        counts = {
            name: sum(int(one.num_examples) for one in proto.datasets) for name, proto in self.protos.items()
        }
        return {
            "splits": [
                {
                    "name": name,
                    "num_rows": counts.get(name or protos.ALL_SPLITS, 0),
                    "numbers": [
                        _number_data(one) for one in bounds.first(f"splits.{name}.numbers", found.numbers)
                    ],
                    "categories": [
                        _category_data(one)
                        for one in bounds.first(f"splits.{name}.categories", found.categories)
                    ],
                }
                for name, found in describe_splits(self.artifact).items()
            ]
        }


def _number_data(row: NumberRow) -> dict[str, object]:
    quarter, half, three_quarters = row.quartiles
    values = {
        "mean": row.mean,
        "std": row.std,
        "min": row.low,
        "25%": quarter,
        "50%": half,
        "75%": three_quarters,
    }
    told = {name: number(value) for name, value in {**values, "max": row.high}.items()}
    return {"name": row.name, "count": row.count, "missing": row.missing, **told, "rank_error": row.error}


def _category_data(row: CategoryRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("name", "count", "missing", "unique", "top", "freq")}


class Schema(Result):
    """What the data should be like: what `headrace.load` returns of a `Schema` artifact.

    Example:
        >>> import headrace
        >>> headrace.load("latest/SchemaGen.schema").to_pandas()  # doctest: +SKIP
    """

    @property
    def proto(self) -> schema_pb2.Schema:
        """The schema, as TFX's proto."""
        return protos.read_schema(self.artifact)

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each feature, under its name: type, share of rows that must have it, shape, and domain."""
        import pandas as pd

        rows = [_feature_data(one, self.proto) for one in self.proto.feature]
        return pd.DataFrame(rows, columns=list(_FEATURE_COLUMNS)).set_index("name")

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `SchemaData`."""
        schema = self.proto
        features = bounds.first("features", schema.feature)
        return {
            "features": [
                plain(_feature_data(one, schema), bounds, f"features.{one.name}") for one in features
            ]
        }


_FEATURE_COLUMNS = ("name", "type_name", "min_fraction", "shape", "values", "low", "high")


def _feature_data(feature: Any, schema: Any) -> dict[str, object]:
    domain = feature.WhichOneof("domain_info")
    values: list[str] | None = None
    low = high = None
    if domain == "domain":
        values = next((list(one.value) for one in schema.string_domain if one.name == feature.domain), None)
    elif domain == "string_domain":
        values = list(feature.string_domain.value)
    elif domain in ("int_domain", "float_domain"):
        bounds = getattr(feature, domain)
        low = bounds.min if bounds.HasField("min") else None
        high = bounds.max if bounds.HasField("max") else None
    shape = [int(one.size) for one in feature.shape.dim] if feature.HasField("shape") else None
    min_fraction = feature.presence.min_fraction if feature.HasField("presence") else 0.0
    told = (feature.name, _TYPES.get(feature.type, ""), min_fraction, shape, values, low, high)
    return dict(zip(_FEATURE_COLUMNS, told))


class Anomalies(Result):
    """What is wrong with data: what `headrace.load` returns of an `ExampleAnomalies` artifact.

    Example:
        >>> import headrace
        >>> anomalies = headrace.load("latest/ExampleValidator.anomalies")  # doctest: +SKIP
        >>> anomalies.is_anomalous, anomalies.to_pandas()  # doctest: +SKIP
    """

    @property
    def protos(self) -> Mapping[str, anomalies_pb2.Anomalies]:
        """TFDV's protos by split."""
        return protos.anomalies_by_split(self.artifact)

    @property
    def is_anomalous(self) -> bool:
        """Whether anything was found, a warning included."""
        return any(True for _ in self._found())

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each anomaly: split, feature (empty for the split as a whole), words, severity, kinds."""
        import pandas as pd

        return pd.DataFrame(list(self._found()), columns=_ANOMALIES)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `AnomaliesData`."""
        found = list(self._found())
        measured = {
            name: list(one.measurements)
            for name in self.protos
            if name and (one := drift.read(artifacts.split_path(self.artifact, name))) is not None
        }
        checks = {
            check: None
            for name in self.protos
            if (rows := findings.read(artifacts.split_path(self.artifact, name) if name else self.path))
            is not None
            for check in rows.checks
        }
        return {
            "is_anomalous": bool(found),
            "num_anomalies": len(found),
            "anomalies": [plain(one, bounds, "anomalies") for one in bounds.first("anomalies", found)],
            "checks": bounds.first("checks", list(checks)),
            "drift": [
                {
                    "split": name,
                    "feature": one.feature,
                    "measure": one.measure,
                    "value": number(one.value),
                    "noise": number(one.noise),
                    "threshold": number(one.threshold),
                    "is_over": one.is_over,
                }
                for name, moved in measured.items()
                for one in bounds.first(f"drift.{name}", moved)
            ],
        }

    def _found(self) -> Iterator[dict[str, object]]:
        kind = anomaly_types()
        for split, proto in self.protos.items():
            infos = [("", proto.dataset_anomaly_info)] if proto.HasField("dataset_anomaly_info") else []
            infos += sorted(proto.anomaly_info.items())
            for feature, info in infos:
                path = ".".join(info.path.step) or feature
                reasons = [kind.Name(reason.type) for reason in info.reason]
                severity = _SEVERITIES.get(info.severity, "unknown")
                told = (split, path, info.short_description, info.description, severity, reasons)
                yield dict(zip(_ANOMALIES, told))


def anomaly_types() -> Any:
    """Return the enum of kinds of anomalies."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    return anomalies_pb2.AnomalyInfo.Type


class TransformGraph(Result):
    """What Transform does: what `headrace.load` returns of a `TransformGraph` artifact.

    Example:
        >>> import headrace
        >>> graph = headrace.load("latest/Transform.transform_graph")  # doctest: +SKIP
        >>> graph.vocabularies["company"][:3]  # doctest: +SKIP
    """

    @property
    def inputs(self) -> schema_pb2.Schema:
        """The schema of what goes in."""
        return transform_graphs.read_raw_schema(self.path)

    @property
    def outputs(self) -> schema_pb2.Schema:
        """The schema of what comes out."""
        return transform_graphs.read_transformed_schema(self.path)

    @property
    def vocabularies(self) -> Mapping[str, Sequence[str]]:
        """The terms of each vocabulary in their order, by the name of its file."""
        return transform_graphs.read_vocabularies(self.path)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `TransformGraphData`."""
        return {
            **{
                name: [
                    plain(_feature_data(one, schema), bounds, name)
                    for one in bounds.first(name, schema.feature)
                ]
                for name, schema in (("inputs", self.inputs), ("outputs", self.outputs))
            },
            "vocabularies": [
                {"name": name, "size": len(terms), "terms": bounds.first(f"vocabularies.{name}", terms)}
                for name, terms in bounds.pairs("vocabularies", self.vocabularies).items()
            ],
        }
