"""What the words of a run's settings mean."""

from __future__ import annotations

import pytest

from headrace.config.run_config import RunConfig


@pytest.mark.parametrize(("word", "fail_fast"), [("fast", True), ("late", False), (None, False)])
def test_only_fast_stops_at_the_first_failure(word: str | None, fail_fast: bool):
    assert RunConfig.model_validate({"fail": word}).fail_fast is fail_fast
