"""Transform's options: splits, cache, configuration, statistics, outputs left out, several spans."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest_transform import (
    STATISTICS,
    assert_equal_rows,
    odd_records,
    odd_schema,
    outputs_in,
    rows,
    transform,
    tree,
    vocabularies,
)
from executor_contexts import executor_context
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from headrace.components.transform import gathering
from headrace.components.transform.executor import Executor
from headrace.components.transform.layout import InputLayout, with_all_representations
from headrace.errors import DefinitionError, UnknownSplitError
from headrace.formats import protos
from headrace.testing import make_examples, make_schema

TWO_PASSES = "transform_functions.two_passes"
NO_ANALYZER = "transform_functions.no_analyzer"
ONE_PASS = "transform_functions.one_pass"


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    return make_schema(tmp_path_factory.mktemp("schema"), odd_schema())


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    records = odd_records(300)
    folder = tmp_path_factory.mktemp("odd")
    return make_examples(folder, {"train": records[:150], "eval": records[150:250], "test": records[250:]})


@pytest.fixture
def files_read(monkeypatch):
    """Paths of the files that analyzers and statistics read."""
    seen = []
    process = gathering._GatherFile.process

    def spy(self, element):
        seen.append(element[1][1])
        return process(self, element)

    monkeypatch.setattr(gathering._GatherFile, "process", spy)
    return seen


def test_splits_config_chooses_what_is_analyzed_and_transformed(examples, schema, tmp_path, files_read):
    """Only these files are read and written."""
    config = '{"analyze": ["train", "eval"], "transform": ["test"]}'
    run = transform(tmp_path, examples, schema, TWO_PASSES, splits_config=config)

    assert {Path(path).parent.name for path in files_read} == {"Split-train", "Split-eval"}
    assert tree(run.path("transformed_examples")) == ["Split-test/transformed_examples-00000-of-00001.gz"]
    assert run.outputs["transformed_examples"][0].split_names == '["test"]'
    assert run.summary("transformed_examples") == "test 50 rows"


def test_an_unknown_split_names_those_there_are(examples, schema, tmp_path):
    """And the likely typo."""
    config = '{"analyze": ["train"], "transform": ["evl"]}'
    with pytest.raises(UnknownSplitError) as caught:
        transform(tmp_path, examples, schema, NO_ANALYZER, splits_config=config)

    assert str(caught.value) == (
        "transform: splits_config: there is no split 'evl'. Examples artifact 0 has splits 'eval', 'test', "
        "'train'.\n"
        "  Fix: did you mean 'eval'? Correct the name, or add an output split named 'evl' to ExampleGen."
    )


def test_a_cache_serves_what_it_covers(examples, schema, tmp_path, files_read):
    """Without statistics nothing is analyzed again, and the result is the same."""
    options = {"without": STATISTICS, "disable_statistics": 1}
    first = transform(tmp_path / "first", examples, schema, ONE_PASS, **options)
    assert len(files_read) == 1
    files_read.clear()

    cache = first.outputs["updated_analyzer_cache"][0]
    second = transform(tmp_path / "second", examples, schema, ONE_PASS, cache=cache, **options)

    assert files_read == []
    assert vocabularies(second) == vocabularies(first)
    assert second.rows("eval").equals(first.rows("eval"))
    assert tree(second.path("updated_analyzer_cache")) == tree(first.path("updated_analyzer_cache"))


def test_a_new_span_costs_one_span(examples, schema, tmp_path, files_read):
    """With a cache of the older span only the new one is read, and the result is that of both."""
    newer = make_examples(
        tmp_path / "newer",
        {"train": odd_records(80, seed=1), "eval": odd_records(20, seed=2), "test": odd_records(5, seed=3)},
    )
    options = {"without": STATISTICS, "disable_statistics": 1}
    first = transform(tmp_path / "first", examples, schema, ONE_PASS, **options)
    whole = transform(tmp_path / "whole", [examples, newer], schema, ONE_PASS, **options)
    files_read.clear()

    cache = first.outputs["updated_analyzer_cache"][0]
    grown = transform(tmp_path / "grown", [examples, newer], schema, ONE_PASS, cache=cache, **options)

    assert [os.path.relpath(path, newer.uri) for path in files_read] == [
        "Split-train/data_tfrecord-00000-of-00001.gz"
    ]
    assert len(tree(grown.path("updated_analyzer_cache"))) == 2 * len(
        tree(first.path("updated_analyzer_cache"))
    )
    assert vocabularies(grown) == vocabularies(whole)
    for one, other in zip(grown.outputs["transformed_examples"], whole.outputs["transformed_examples"]):
        assert_equal_rows(rows(f"{one.uri}/Split-eval"), rows(f"{other.uri}/Split-eval"))


def test_several_spans_become_as_many_artifacts(examples, schema, tmp_path):
    """Below the one folder that was given, as in TFX."""
    run = transform(tmp_path, [examples, examples], schema, NO_ANALYZER)

    artifacts = run.outputs["transformed_examples"]
    assert [os.path.relpath(artifact.uri, tmp_path) for artifact in artifacts] == [
        "transformed_examples/0",
        "transformed_examples/1",
    ]
    assert {artifact.split_names for artifact in artifacts} == {'["train", "eval", "test"]'}
    assert rows(f"{artifacts[1].uri}/Split-train").num_rows == 150


def test_the_function_gets_its_configuration(examples, schema, tmp_path):
    """`custom_config` of the component."""
    run = transform(
        tmp_path, examples, schema, "transform_functions.configured", custom_config='{"factor": 3}'
    )
    plain = transform(tmp_path / "plain", examples, schema, NO_ANALYZER)

    tripled, doubled = (
        batch.column(0).flatten().to_numpy() for batch in (run.rows("eval"), plain.rows("eval"))
    )
    assert tripled == pytest.approx(doubled * 1.5, rel=1e-6)


def test_options_of_statistics_are_the_users(examples, schema, tmp_path):
    """`stats_options_updater_fn` sees both kinds."""
    run = transform(
        tmp_path,
        examples,
        schema,
        NO_ANALYZER,
        stats_options_updater_fn="transform_functions.fewer_buckets",
    )
    for key in ("pre_transform_stats", "post_transform_stats"):
        found = protos.read_binary(
            f"{run.path(key)}/FeatureStats.pb", statistics_pb2.DatasetFeatureStatisticsList
        )
        (feature,) = found.datasets[0].features
        assert len(feature.num_stats.histograms[0].buckets) == 3


def test_nothing_is_written_for_outputs_left_out(examples, schema, tmp_path):
    """Only the graph, when only the graph is wanted."""
    run = transform(
        tmp_path,
        examples,
        schema,
        TWO_PASSES,
        without=("transformed_examples", "updated_analyzer_cache", *STATISTICS),
        disable_statistics=1,
    )

    assert sorted(path.name for path in tmp_path.iterdir()) == ["tmp", "transform_graph"]
    assert run.summary("transform_graph") == "2 features, 1 vocabulary"


def test_statistics_without_their_outputs_lie_in_the_graph(examples, schema, tmp_path):
    """Where older pipelines look for them."""
    run = transform(tmp_path, examples, schema, NO_ANALYZER, without=STATISTICS)

    assert [path for path in tree(run.path("transform_graph")) if "feature_stats" in path] == [
        "post_transform_feature_stats/FeatureStats.pb",
        "post_transform_feature_stats/SchemaDiff.pb",
        "post_transform_feature_stats/schema.pbtxt",
        "pre_transform_feature_stats/FeatureStats.pb",
        "pre_transform_feature_stats/schema.pbtxt",
    ]


def test_a_module_file_names_both_functions(examples, schema, tmp_path):
    """`preprocessing_fn`, and `stats_options_updater_fn` where the file has it."""
    module = tmp_path / "features.py"
    module.write_text(
        "def preprocessing_fn(inputs):\n    return {'twice': inputs['x'] * 2.0}\n\n"
        "def stats_options_updater_fn(stats_type, stats_options):\n"
        "    stats_options.num_histogram_buckets = 2\n    return stats_options\n"
    )
    inputs = {"examples": [examples], "schema": [schema]}
    outputs = outputs_in(tmp_path)
    executor = Executor(executor_context(tmp_path))

    executor.Do(inputs, outputs, {"module_file": str(module), "custom_config": "null"})

    path = f"{outputs['post_transform_stats'][0].uri}/FeatureStats.pb"
    found = protos.read_binary(path, statistics_pb2.DatasetFeatureStatisticsList)
    assert len(found.datasets[0].features[0].num_stats.histograms[0].buckets) == 2


def test_one_function_is_needed(examples, schema, tmp_path):
    """Also where a pipeline was compiled elsewhere."""
    with pytest.raises(DefinitionError) as caught:
        transform(tmp_path, examples, schema, "", module_file=None)

    assert caught.value.problem == (
        "transform: none of module_file, module_path and preprocessing_fn are given, and exactly one is needed."
    )


def test_tensors_are_in_the_order_of_the_schema():
    """Also where the schema says how features become tensors: a proto's map has another order in each process."""
    names = [f"feature_{number}" for number in range(40, 0, -1)]
    schema = schema_pb2.Schema()
    for name in names:
        schema.feature.add(
            name=name, type=schema_pb2.FLOAT, presence={"min_fraction": 1.0}
        ).shape.SetInParent()

    for given in (schema, with_all_representations(schema)):
        assert list(InputLayout.from_schema(given).representations) == names
