"""Span and version resolution; its agreement with TFX's is tested in tests/integration."""

from __future__ import annotations

import pytest

from headrace.authoring.light import authoring
from headrace.errors import DataError, DefinitionError, MissingFileError
from headrace.sources import spans

with authoring():
    from tfx.proto import example_gen_pb2, range_config_pb2


def _split(pattern, name="train"):
    return example_gen_pb2.Input.Split(name=name, pattern=pattern)


def _touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def _static(start, end=None):
    static = range_config_pb2.StaticRange(
        start_span_number=start, end_span_number=start if end is None else end
    )
    return range_config_pb2.RangeConfig(static_range=static)


def test_pattern_without_placeholders_is_span_zero(tmp_path):
    """Files need not exist yet for this question."""
    assert spans.resolve(str(tmp_path), [_split("*.csv")], None) == spans.Resolved(0, None, ["*.csv"])


@pytest.mark.parametrize("folder", ["days", "days[1]", "a/days", "a[1]/days"])
@pytest.mark.parametrize("written", ["{}", "{}/", "{}//", ".//{}", "file://{}//"])
def test_slashes_may_be_doubled(tmp_path, monkeypatch, folder, written):
    """As in any path of this machine, whatever else is in it."""
    monkeypatch.chdir(tmp_path)
    _touch(tmp_path / folder, "span3/a")
    base = written.format(tmp_path / folder if "file" in written else folder.replace("/", "//"))

    assert spans.resolve(base, [_split("span{SPAN}/*")], None).span == 3


def test_latest_span_and_its_latest_version_win(tmp_path):
    """Numbers are compared as numbers: span 10 is later than span 9."""
    _touch(tmp_path, "span9/v3/a", "span10/v1/a", "span10/v2/a", "span2/v9/a")
    found = spans.resolve(str(tmp_path), [_split("span{SPAN}/v{VERSION}/*")], None)
    assert found == spans.Resolved(10, 2, ["span10/v2/*"])


def test_widths_keep_zeros(tmp_path):
    """With widths, placeholders may stand side by side."""
    _touch(tmp_path, "0103/a", "0201/a")
    found = spans.resolve(str(tmp_path), [_split("{SPAN:2}{VERSION:2}/*")], None)
    assert found == spans.Resolved(2, 1, ["0201/*"])


def test_zeros_without_width_are_found_again(tmp_path):
    """What stood in the path is what is read, not the bare number."""
    _touch(tmp_path, "span-007/a")
    assert spans.resolve(str(tmp_path), [_split("span-{SPAN}/*")], None).patterns == ["span-007/*"]


def test_date_counts_days(tmp_path):
    """1970-01-02 is span 1."""
    _touch(tmp_path, "19700102/a", "19700101/a")
    found = spans.resolve(str(tmp_path), [_split("{YYYY}{MM}{DD}/*")], None)
    assert found == spans.Resolved(1, None, ["19700102/*"])


@pytest.mark.parametrize(
    ("pattern", "filled"),
    [("span{SPAN}/*", "span1/*"), ("s{SPAN:2}/*", "s01/*"), ("{YYYY}{MM}{DD}/*", "19700102/*")],
)
def test_static_range_picks_a_span(tmp_path, pattern, filled):
    """A span may be older than the latest."""
    _touch(tmp_path, "span1/a", "span2/a", "s01/a", "s02/a", "19700102/a", "19700103/a")
    found = spans.resolve(str(tmp_path), [_split(pattern)], _static(1))
    assert found == spans.Resolved(1, None, [filled])


def test_missing_span_is_named(tmp_path):
    """The reader sees the pattern, the span asked for and the folder."""
    _touch(tmp_path, "span1/a")
    with pytest.raises(MissingFileError) as caught:
        spans.resolve(str(tmp_path), [_split("span{SPAN}/*")], _static(3))
    assert str(caught.value) == (
        f"split 'train': no file matches pattern 'span{{SPAN}}/*' with span 3 in '{tmp_path}'.\n"
        "  Fix: correct the pattern or range_config, or put the span's files in place."
    )


def test_splits_must_agree_on_the_span(tmp_path):
    """The message names what each split has."""
    _touch(tmp_path, "1/train/a", "2/train/a", "1/eval/a")
    with pytest.raises(DataError) as caught:
        spans.resolve(str(tmp_path), [_split("{SPAN}/train/*"), _split("{SPAN}/eval/*", "eval")], None)
    assert str(caught.value) == (
        "split 'train' has span 2 as its latest and split 'eval' has span 1; all splits are read from one "
        "span and version.\n  Fix: add the missing files, or name the span in range_config."
    )


def test_text_where_a_number_should_be_is_shown(tmp_path):
    """The path and the text are named."""
    _touch(tmp_path, "span1/a", "spanner/a")
    with pytest.raises(DataError) as caught:
        spans.resolve(str(tmp_path), [_split("span{SPAN}/*")], None)
    assert str(caught.value) == (
        f"split 'train': '{tmp_path}/spanner/a' has no number or date where pattern 'span{{SPAN}}/*' has one: "
        "{SPAN} 'ner'.\n  Fix: rename that file or folder, or make the pattern narrower."
    )


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("{SPAN}/{SPAN}", "has {SPAN} more than once."),
        ("{SPAN:0}/*", "has width '0' for {SPAN}, which is not a positive number of digits."),
        ("{SPAN:x}/*", "has width 'x' for {SPAN}, which is not a positive number of digits."),
        ("{VERSION}/*", "has {VERSION} without a span."),
        ("{YYYY}-{MM}/*", "has a date without {DD}."),
        ("{SPAN}/{YYYY}{MM}{DD}/*", "has a span and a date."),
    ],
)
def test_placeholders_that_do_not_go_together(pattern, problem):
    """Each mistake has its own words."""
    with pytest.raises(DefinitionError) as caught:
        spans.SplitPattern.parse("train", pattern)
    assert caught.value.problem == f"split 'train': pattern '{pattern}' {problem}"
    assert caught.value.fix


@pytest.mark.parametrize(
    ("pattern", "range_config", "start"),
    [
        ("*", _static(1), "range_config is given, and no split pattern has a span or a date."),
        ("{SPAN}", _static(1, 2), "range_config asks for spans 1 to 2; an ExampleGen reads one span."),
        ("{SPAN}", range_config_pb2.RangeConfig(), "range_config is empty."),
        ("{SPAN:1}", _static(12), "split 'train': pattern '{SPAN:1}' has 1 digits for the span, and"),
        (
            "{SPAN}",
            range_config_pb2.RangeConfig(rolling_range=range_config_pb2.RollingRange(num_spans=2)),
            "range_config has a rolling_range of 2 spans from 0; an ExampleGen reads the latest span.",
        ),
    ],
)
def test_ranges_that_cannot_be_read(tmp_path, pattern, range_config, start):
    """An ExampleGen reads one span."""
    with pytest.raises(DefinitionError) as caught:
        spans.resolve(str(tmp_path), [_split(pattern)], range_config)
    assert caught.value.problem.startswith(start)


def test_splits_must_agree_on_the_version(tmp_path):
    """Of one span, each split has its latest version: other ones are not mixed without a word."""
    _touch(tmp_path, "train/s1/v2/a", "eval/s1/v3/a")
    splits = [
        _split("train/s{SPAN}/v{VERSION}/*", "train"),
        _split("eval/s{SPAN}/v{VERSION}/*", "eval"),
    ]
    with pytest.raises(DataError) as caught:
        spans.resolve(str(tmp_path), splits, None)
    assert caught.value.problem == (
        "split 'train' has span 1 version 2 as its latest and split 'eval' has span 1 version 3; all splits are "
        "read from one span and version."
    )
    _touch(tmp_path, "train/s1/v3/a")
    assert spans.resolve(str(tmp_path), splits, None).version == 3


@pytest.mark.parametrize("folder", ["proj [v1]*?", "[ab]", "{x}", "a+b(c)|d", "{SPAN}"])
def test_spans_are_found_in_a_folder_of_any_name(tmp_path, folder):
    """Its signs are no pattern, no expression and no placeholder."""
    _touch(tmp_path, f"{folder}/span2/v1/a", f"{folder}/span2/v4/a")
    found = spans.resolve(str(tmp_path / folder), [_split("span{SPAN}/v{VERSION}/*")], None)
    assert found == spans.Resolved(2, 4, ["span2/v4/*"])
