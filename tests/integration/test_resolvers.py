"""Importers and resolvers of TFX's DSL bring in what earlier runs or others made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nodes
from conftest_runs import Run, in_process, run, states, store, texts

from headrace.authoring import standard_artifacts
from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.components.common.importer import Importer
    from tfx.dsl.components.common.resolver import Resolver
    from tfx.dsl.input_resolution.canned_resolver_functions import latest_created
    from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
    from tfx.types.channel import Channel

_ = (run, store, in_process)  # fixtures


def test_an_importer_counts_by_what_it_imports(run: Run, tmp_path: Path):
    folder = tmp_path / "given"
    folder.mkdir()

    def build() -> list[Any]:
        importer = Importer(source_uri=str(folder), artifact_type=standard_artifacts.Schema).with_id("Given")
        return [importer, nodes.Use(given=importer.outputs["result"])]

    nodes.write(str(folder), "one")
    first, second = run(*build()), run(*build())
    nodes.write(str(folder), "two")
    third = run(*build())

    assert [states(result)["Use"] for result in (first, second, third)] == ["done", "cached", "done"]
    assert texts(third, "Use") == ["used two"]


def test_resolvers_and_resolver_functions_find_earlier_artifacts(run: Run):
    run(nodes.Make(text="earlier"))
    resolver = Resolver(
        strategy_class=LatestArtifactStrategy, given=Channel(type=standard_artifacts.Schema)
    ).with_id("Latest")
    by_function = nodes.Use(given=latest_created(Channel(type=standard_artifacts.Schema))).with_id(
        "ByFunction"
    )

    result = run(resolver, nodes.Use(given=resolver.outputs["given"]), by_function)

    assert result.is_success
    assert texts(result, "Use") == texts(result, "ByFunction") == ["used earlier"]


def test_a_partial_run_that_leaves_the_resolver_out_reuses_what_it_found(run: Run):
    def build() -> list[Any]:
        resolver = Resolver(
            strategy_class=LatestArtifactStrategy, given=Channel(type=standard_artifacts.Schema)
        ).with_id("Latest")
        return [resolver, nodes.Use(given=resolver.outputs["given"])]

    run(nodes.Make(text="earlier"))
    never_ran = run(*build(), only=["Use"])
    again = run(*build(), only=["Use"], cache=False)

    assert states(never_ran) == {"Latest": "not selected", "Use": "done"}
    assert states(again) == {"Latest": "not selected", "Use": "done"}
    assert texts(again, "Use") == ["used earlier"]


def test_a_resolver_may_find_nothing_where_what_follows_can_do_without(run: Run, capfd: Any):
    """As the look-up of an analyzer cache at the first run."""

    def build(*followers: Any) -> list[Any]:
        kind = Channel(type=standard_artifacts.Schema)
        latest = Resolver(strategy_class=LatestArtifactStrategy, given=kind).with_id("Latest")
        return [latest, *(follower(given=latest.outputs["given"]) for follower in followers)]

    needed = run(*build(nodes.Maybe, nodes.Use))
    without = run(*build(nodes.Maybe))

    assert states(needed) == {"Latest": "failed", "Maybe": "skipped", "Use": "skipped"}
    assert states(without) == {"Latest": "skipped", "Maybe": "done"}
    assert without.is_success
    assert without.node("Latest").reason == (
        "found nothing, and what follows can do without: Error while resolving inputs for Latest: "
        "LatestArtifactStrategy returned None"
    )
    assert texts(without, "Maybe") == ["nothing"]
    assert capfd.readouterr() == ("", "")
