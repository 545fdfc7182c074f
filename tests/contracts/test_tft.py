"""What Transform builds on of TFT's private parts: a version that changes one is noticed here, and goes to TFX."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from planted import anew, executor_of, fresh, plant
from recording import context

from headrace.components.transform import accumulators, analysis, tft_internals
from headrace.components.transform.tft_internals import analyzer_nodes, beam_nodes, graph_tools
from headrace.internals import UnknownForm

analyzer_impls = tft_internals.analyzer_impls
OPERATIONS = sorted(tft_internals.FIELDS, key=lambda kind: kind.__name__)


def made(kind: type) -> Any:
    """An operation of which nothing is set."""
    return kind._make([None] * len(kind._fields))


def test_tfts_parts_have_the_form_that_is_built_on() -> None:
    """All operations are there, with the fields that are known, and nothing goes to TFX."""
    names = {kind.__name__ for kind in OPERATIONS}

    assert names == {*tft_internals._ANALYZER_FIELDS, *tft_internals._BEAM_FIELDS}
    assert all(tft_internals.is_known(made(kind)) for kind in OPERATIONS)
    assert executor_of("transform").NEEDS_STOCK == ""


@pytest.mark.parametrize("kind", OPERATIONS)
def test_an_operation_of_another_form_is_left_to_tfx(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with a field more or less, and one of a class made of it, may ask for something else."""
    fields = kind._fields
    operation, derived = made(kind), made(type("Derived", (kind,), {}))
    for other in ((*fields, "new_setting"), fields[1:]):
        monkeypatch.setattr(kind, "_fields", other)
        assert not tft_internals.is_known(operation)
    monkeypatch.setattr(kind, "_fields", fields)

    assert tft_internals.is_known(operation)
    assert not tft_internals.is_known(derived)


@pytest.mark.parametrize("kind", [analyzer_nodes.VocabularyPrune, beam_nodes.ExtractFromDict])
def test_the_plan_names_an_operation_of_another_form(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a plan does not support goes to TFX with this reason."""
    operation = made(kind)
    monkeypatch.setattr(kind, "_fields", (*kind._fields, "new_setting"))
    planner = analysis._Planner()
    planner.visit(operation, ())

    (told,) = planner.plan.unsupported

    assert told.startswith(f"another {kind.__name__} (TFT 1.")


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (analyzer_impls, "_split_inputs_by_key", None),
        (analyzer_impls, "_count_and_token_to_bytes", lambda count, token, encoding: b""),
        (tft_internals.impl_helper, "_validate_analyzers_fingerprint", None),
        (tft_internals.analyzers, "_QuantilesSketchCacheCoder", None),
        (tft_internals.analyzers, "_VocabOrderingType", SimpleNamespace(FREQUENCY=1)),
        (graph_tools, "get_dependent_inputs", lambda graph, inputs, outputs: []),
    ],
)
def test_without_a_part_of_the_known_form_tfxs_own_implementation_does_the_work(
    owner: Any, name: str, planted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names version and part."""
    plant(monkeypatch, owner, name, planted)

    with pytest.raises(UnknownForm, match=r"^TFT 1\.\d+\.\d+ has (no|another) \w+(, no \w+)?$"):
        anew(tft_internals)


def test_without_an_internal_module_stock_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The execution records why."""
    monkeypatch.delattr("tensorflow_transform.beam.combiner_packing_util")
    monkeypatch.setitem(sys.modules, "tensorflow_transform.beam.combiner_packing_util", None)
    asked = context()
    ran: list[Any] = []
    with fresh("headrace.components.transform"):
        executor = executor_of("transform")
        from headrace.components.transform import stock

        monkeypatch.setattr(stock, "run", lambda *given: ran.append(given))
        executor.Executor()._run_stock(asked, None, executor.NeedsStock(executor.NEEDS_STOCK))

    assert "combiner_packing_util" in executor.NEEDS_STOCK
    assert len(ran) == 1
    assert (asked.implementation.name, asked.implementation.reason) == ("stock", executor.NEEDS_STOCK)


def test_tokens_in_an_order_of_another_kind_are_left_to_tfx() -> None:
    """Only how often tokens occur, and their weights, are added up here."""
    kinds = [tft_internals.FREQUENCY, tft_internals.WEIGHTED_FREQUENCY, 17]
    operations = [analyzer_nodes.VocabularyAccumulate._make([kind, "string", "a"]) for kind in kinds]

    found = [type(accumulators.gatherer(one, ["x"])) for one in operations]

    assert found == [accumulators.Counted, accumulators.Weighed, type(None)]
