"""What may run on what, and what is stale."""

from __future__ import annotations

from typing import Any

import nodes
import pytest

from headrace.authoring import standard_artifacts
from headrace.errors import DefinitionError, InputResolutionError
from headrace.notebook.session import Session, Step, check_not_skipped
from headrace.store.results import NodeResult, NodeState


def ran(session: Session, component: Any, artifact_id: int, run_id: str) -> list[str]:
    """Record that a component ran and made one artifact."""
    planned, _, _ = session.plan(component)
    artifact = standard_artifacts.Schema()
    artifact.id = artifact_id
    result = NodeResult(str(component.id), NodeState.DONE, execution_id=artifact_id)
    return session.add(Step(component, run_id, result, {"out": [artifact]}, tuple(planned)))


def test_what_was_not_run_is_named_in_order():
    make = nodes.Make()
    use = nodes.Use(given=make.outputs["out"])
    last = nodes.Constant(given=use.outputs["out"])

    with pytest.raises(InputResolutionError) as caught:
        Session().plan(last)

    assert str(caught.value) == (
        "Constant: it takes outputs of Make, Use, which were not run in this context.\n"
        "  Fix: run in this order: context.run(make), context.run(use), context.run(constant). What the store "
        "holds already comes from the cache."
    )


def test_a_component_made_anew_and_not_run_is_told_from_the_old_one():
    session = Session()
    ran(session, nodes.Make(), 1, "run-1")
    use = nodes.Use(given=nodes.Make().outputs["out"])

    with pytest.raises(InputResolutionError) as caught:
        session.plan(use)

    assert str(caught.value) == (
        "Use: it takes outputs of Make, which was not run in this context. Another Make was run, of an older "
        "cell; Use is connected to the new one.\n"
        "  Fix: run in this order: context.run(make), context.run(use). What the store holds already comes from "
        "the cache."
    )


def test_running_a_redefined_component_says_what_became_stale():
    session = Session()
    make = nodes.Make()
    use = nodes.Use(given=make.outputs["out"])
    ran(session, make, 1, "run-1")
    ran(session, use, 2, "run-2")

    notes = ran(session, nodes.Make(text="new"), 3, "run-3")

    assert notes == ["now stale, made from the older Make: Use. Run their cells again."]
    assert session.plan(use)[2] == [
        "Use takes the outputs of an older Make (run run-1); a newer one ran in run run-3. To use it, run the "
        "cell that defines Use again."
    ]


def test_a_cell_run_again_with_the_same_result_makes_nothing_stale():
    """Running all cells from the top, with hits in the cache, is no change."""
    session = Session()
    make = nodes.Make()
    ran(session, make, 1, "run-1")
    use = nodes.Use(given=make.outputs["out"])
    ran(session, use, 2, "run-2")
    again = nodes.Make()

    assert ran(session, again, 1, "run-3") == []

    last = nodes.Constant(given=use.outputs["out"])
    last.add_upstream_node(again)
    planned, _, notes = session.plan(last)
    assert [id(node) for node in planned] == [id(node) for node in (again, use, last)]
    assert notes == []


def test_two_versions_of_one_component_do_not_mix():
    session = Session()
    make = nodes.Make()
    use = nodes.Use(given=make.outputs["out"])
    ran(session, make, 1, "run-1")
    ran(session, use, 2, "run-2")
    newer = nodes.Make(text="new")
    ran(session, newer, 3, "run-3")
    last = nodes.Constant(given=use.outputs["out"])
    last.add_upstream_node(newer)

    with pytest.raises(DefinitionError) as caught:
        session.plan(last)

    assert str(caught.value) == (
        "Constant: it depends on two different versions of Make, of runs run-1 and run-3.\n"
        "  Fix: run the cells that define and run Use, Constant again, in this order."
    )


def test_an_upstream_node_that_was_skipped_is_named():
    make = nodes.Make()
    use = nodes.Use(given=make.outputs["out"])
    result = NodeResult("Make", NodeState.SKIPPED, reason="its condition is false")

    with pytest.raises(InputResolutionError) as caught:
        check_not_skipped(use, [Step(make, "run-1", result)])

    assert str(caught.value) == (
        "Use: Make was skipped in run run-1 and made nothing: its condition is false.\n"
        "  Fix: change what made it skip, then: context.run(make), context.run(use)."
    )
