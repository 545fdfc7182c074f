"""Test your own components and functions: artifacts from Python values, and one component run on them.

    from headrace import testing

    def test_my_component(tmp_path):
        rows = testing.make_examples(tmp_path / "rows", {"train": [{"fare": 1.5, "paid": "cash"}]})

        result = testing.run_component(Count(examples=testing.channel(rows)), tmp_path / "store")

        assert result.output("counts").uri

A component runs as in a pipeline, with driver, executor and publisher, but in the process of the test: what a test
puts in the place of something else is what the component finds, and a debugger stops in it.
"""

from headrace.testing.artifacts import (
    make_artifact,
    make_examples,
    make_schema,
    make_statistics,
    read_examples,
)
from headrace.testing.component_run import ComponentResult, channel, run_component

__all__ = [
    "ComponentResult",
    "channel",
    "make_artifact",
    "make_examples",
    "make_schema",
    "make_statistics",
    "read_examples",
    "run_component",
]


def __dir__() -> list[str]:
    """Name what is public."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
