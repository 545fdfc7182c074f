"""The spans, versions and patterns that the driver of ExampleGens finds, against stock TFX's on the same folders."""

from __future__ import annotations

import pytest
from tfx.components.example_gen import driver as stock_driver
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.utils import proto_utils

from headrace.components.example_gen import CsvExampleGen
from headrace.components.example_gen.driver import Driver

_STATIC = range_config_pb2.RangeConfig(
    static_range=range_config_pb2.StaticRange(start_span_number=1, end_span_number=1)
)
_ROLLING = range_config_pb2.RangeConfig(rolling_range=range_config_pb2.RollingRange(num_spans=1))
_FILES = [
    *("span1/v1/a/x", "span1/v2/a/x", "span2/v1/a/x", "span2/v1/b/x", "span1/v2/b/x", "span10/a", "span1/b"),
    *("s01/v01/a", "s01/v02/a", "s02/v07/a", "s11/v03/a", "0102/a", "0201/a", "0111/a"),
    *("1970-01-02/x", "1970-01-03/x", "2020-02-29/x", "19700102/v1/x", "19700102/v3/x", "20210101/v2/x"),
    *("plain/a", "plain/b"),
]
# Patterns of one or two splits, in the ways in which TFX's own tests use them.
_CASES = [
    (["plain/*"], None),
    (["plain/a", "plain/b"], None),
    (["span{SPAN}/v{VERSION}/a/*"], None),
    (["span{SPAN}/v{VERSION}/a/*", "span{SPAN}/v{VERSION}/b/*"], None),
    (["span{SPAN}/v{VERSION}/a/*", "span{SPAN}/v{VERSION}/b/*"], _STATIC),
    (["span{SPAN}/a"], None),
    (["span{SPAN}/?"], _ROLLING),
    (["span{SPAN}/[ab]"], _STATIC),
    (["s{SPAN:2}/v{VERSION:2}/*"], None),
    (["s{SPAN:2}/v{VERSION:2}/*"], _STATIC),
    (["{SPAN:2}{VERSION:2}/a"], None),
    (["{SPAN:2}{VERSION:2}/a"], _STATIC),
    (["{YYYY}-{MM}-{DD}/*"], None),
    (["{YYYY}-{MM}-{DD}/*"], _STATIC),
    (["{YYYY}{MM}{DD}/v{VERSION}/*"], _STATIC),
    (["span{SPAN}/none"], None),
    (["span{SPAN:1}/v{VERSION}/a/*"], None),
    (["{VERSION}/*"], None),
    (["{SPAN}/{SPAN}"], None),
    (["{YYYY}/{MM}"], None),
    (["{SPAN}/{YYYY}{MM}{DD}"], None),
    (["{SPAN:0}/*"], None),
    (["{SPAN:x}/*"], None),
    (["span{SPAN}/a", "plain/*"], None),
    (["span{SPAN}/v{VERSION}/a/*", "s{SPAN:2}/v{VERSION:2}/a"], None),
    (["plain/*"], _STATIC),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Folders of spans, versions and dates."""
    folder = tmp_path_factory.mktemp("spans")
    for name in _FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return str(folder)


def _decided(driver, properties):
    """Span, version and filled-in patterns; or that it was refused."""
    try:
        resolved = driver.resolve_exec_properties(dict(properties), None, None)
    except ValueError:
        return "refused"
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(resolved["input_config"], config)
    return resolved["span"], resolved["version"], [split.pattern for split in config.splits]


@pytest.mark.parametrize(("patterns", "range_config"), _CASES)
def test_span_and_version_equal_stock(data, patterns, range_config):
    """The same span, version and patterns from the same folders, or a refusal by both."""
    config = example_gen_pb2.Input(
        splits=[
            example_gen_pb2.Input.Split(name=f"s{place}", pattern=pattern)
            for place, pattern in enumerate(patterns)
        ]
    )
    properties = CsvExampleGen(data, input_config=config, range_config=range_config).exec_properties
    assert _decided(Driver(None), properties) == _decided(stock_driver.FileBasedDriver(None), properties)
