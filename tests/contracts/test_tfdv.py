"""What statistics build on of TFDV's and tfx_bsl's private parts: with another form, TFDV's transform does the work."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow_data_validation as tfdv
from planted import anew, executor_of, fresh, plant

from headrace.formats import tfx_bsl_internals
from headrace.internals import UnknownForm, fields_of
from headrace.statistics import accumulation, tfdv_internals

FORM = r"has (no|another) \w+$"


def test_tfdvs_parts_have_the_form_that_is_built_on() -> None:
    """Statistics of the usual kind are computed here, and lengths of numbers are quick."""
    assert {name.removeprefix("_") for name in fields_of(tfdv.StatsOptions())} <= tfdv_internals.OPTIONS
    assert accumulation.why_not(tfdv.StatsOptions()) == ""
    assert tfdv_internals._TEXTS.unknown == []
    assert executor_of("statistics_gen").NEEDS_STOCK == ""


def test_options_with_an_unknown_field_go_to_tfdv() -> None:
    """Whatever its value: nobody knows what it means."""
    options = tfdv.StatsOptions()
    options._new_setting = None

    reason = accumulation.why_not(options)

    assert reason.startswith("TFDV 1.")
    assert reason.endswith("has StatsOptions with new_setting")
    needed = executor_of("statistics_gen")._needs_tfdv({"FORMAT_TF_EXAMPLE"}, options, is_sharded=False)
    assert needed == reason


def test_options_that_lack_what_is_read_go_to_tfdv(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed option would be one that is not set."""
    monkeypatch.delattr(tfdv.StatsOptions, "example_weight_map")

    assert accumulation.why_not(tfdv.StatsOptions()).endswith("has StatsOptions without example_weight_map")


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (tfdv_internals.stats_impl, "get_generators", None),
        (
            tfdv_internals.top_k_uniques_stats_generator,
            "TopKUniquesStatsGenerator",
            lambda name, schema, least: None,
        ),
        (tfdv_internals.slicing_util, "default_slicer", lambda record_batch, keys: None),
        (tfdv_internals.merge_util, "merge_dataset_feature_statistics", None),
    ],
)
def test_without_a_part_of_the_known_form_tfdvs_transform_does_the_work(
    owner: Any, name: str, planted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of StatisticsGen's, whatever is asked for, and all of Transform's."""
    plant(monkeypatch, owner, name, planted)
    with pytest.raises(UnknownForm, match=FORM):
        anew(tfdv_internals)

    with fresh("headrace.components.statistics_gen", "headrace.statistics"):
        executor = executor_of("statistics_gen")
        needed = executor._needs_tfdv({"FORMAT_TF_EXAMPLE"}, tfdv.StatsOptions(), is_sharded=False)

    assert name in needed


def test_what_only_helps_is_left_out_where_it_has_another_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick way to take the lengths of numbers."""
    generator = tfdv_internals.basic_stats_generator
    monkeypatch.delattr(generator, "_PartialStringStats")

    found = anew(tfdv_internals)
    found.take_text_lengths_with(len)

    assert len(found._TEXTS.unknown) == 2


@pytest.mark.parametrize("name", ["TensorAdapter", "TensorAdapterConfig"])
def test_tfx_bsl_of_another_form_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands in for it, so its import ends with the reason."""
    monkeypatch.setattr(tfx_bsl_internals.tensor_adapter, name, lambda columns: None)

    with pytest.raises(UnknownForm, match=FORM):
        anew(tfx_bsl_internals)
