"""TFX's own tests of its components, which its wheel carries, run with Headrace's classes in place of TFX's."""

from __future__ import annotations

from pathlib import Path

from tfx_own_tests import LEFT_OUT, assert_they_pass

# Module by module, how many of its cases run.
MODULES = {
    "bulk_inferrer.component_test": 2,
    "evaluator.component_test": 9,
    "example_gen.component_test": 8,
    "example_gen.csv_example_gen.component_test": 1,
    "example_gen.custom_executors.parquet_component_test": 1,
    "example_gen.driver_test": 4,
    "example_gen.import_example_gen.component_test": 1,
    "example_validator.component_test": 1,
    "infra_validator.component_test": 1,
    "pusher.component_test": 5,
    "pusher.executor_test": 9,
    "schema_gen.component_test": 2,
    "schema_gen.executor_test": 2,
    "schema_gen.import_schema_gen.component_test": 1,
    "schema_gen.import_schema_gen.executor_test": 1,
    "statistics_gen.component_test": 2,
    "statistics_gen.executor_test": 6,
    "trainer.component_test": 10,
    "transform.component_test": 9,
    "tuner.component_test": 4,
}


def test_headrace_passes_tfxs_own_tests(tmp_path):
    """All of them but those that `LEFT_OUT` gives a reason for."""
    assert_they_pass(MODULES, tmp_path)


def test_what_is_left_out_exists_and_says_why():
    """A case that TFX renames or drops is not left out in silence."""
    import tfx

    folder = Path(tfx.__file__).parent / "components"
    for name, reason in LEFT_OUT.items():
        module, _, case = name.rpartition("/")
        source = (folder / f"{module}.py").read_text()
        # The name of a parameterized case begins with that of its function.
        assert any(f"def {case[:length]}(" in source for length in range(5, len(case) + 1)), name
        assert reason
