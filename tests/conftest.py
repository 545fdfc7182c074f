"""What holds for all tests.

Property tests: the same examples in each run, few of them; `HEADRACE_EXAMPLES=20000` looks for new ones. The width of
the terminal that the tests are started in does not count. No workers' server stays behind, unless a test asks for one.
"""

import os

import pytest
from hypothesis import settings

# Imported by tests before pytest takes them for plugins.
pytest.register_assert_rewrite(
    "conftest_training", "conftest_transform", "conftest_serving", "conftest_example_gen", "conftest_warm"
)

_EXAMPLES = int(os.environ.get("HEADRACE_EXAMPLES", "0"))

settings.register_profile("same", derandomize=True, deadline=None, max_examples=60)
settings.register_profile("search", deadline=None, max_examples=_EXAMPLES or 1, print_blob=True)
settings.load_profile("search" if _EXAMPLES else "same")

os.environ.pop("COLUMNS", None)
os.environ["HEADRACE_SERVER"] = "0"
