"""The interface of sources: what looks, what is named in parameters, and what cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.authoring.light import authoring
from headrace.errors import DefinitionError, MissingFileError
from headrace.files import payloads
from headrace.sources import source as sources
from headrace.sources.csv.csv_source import CsvSource
from headrace.sources.file_source import FileSource
from headrace.sources.function_source import FileFunctionSource, FunctionSource
from headrace.sources.source import Request, Source, Unreadable

with authoring():
    from tfx.proto import example_gen_pb2, range_config_pb2

FUNCTION = "headrace.sources.function_source:FunctionSource"


def request(place, *patterns, range_config=None):
    splits = [example_gen_pb2.Input.Split(name=f"s{at}", pattern=text) for at, text in enumerate(patterns)]
    return Request(str(place), splits, range_config)


def test_looking_loads_no_heavy_library():
    """A driver looks in the process that plans."""
    code = (
        "import sys; import headrace.sources.csv.csv_source, headrace.sources.parquet.parquet_source, "
        "headrace.sources.tfrecord.tfrecord_source, headrace.sources.function_source, headrace.sources.declaring;"
        "print([m for m in ('tensorflow', 'apache_beam', 'pyarrow', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_files_are_surveyed_by_span_and_asked_for_again_by_what_was_found(tmp_path):
    """The executor asks with the patterns of the driver's survey, and sees the same files."""
    for span in (1, 2):
        (tmp_path / f"span-{span}").mkdir()
        (tmp_path / f"span-{span}" / "a.csv").write_text(f"x\n{span}\n")

    found = FileSource().survey(request(tmp_path, "span-{SPAN}/*.csv"))

    assert (found.span, found.version, found.place) == (2, None, str(tmp_path))
    assert [(split.name, split.pattern, split.items) for split in found.splits] == [
        ("s0", "span-2/*.csv", (str(tmp_path / "span-2" / "a.csv"),))
    ]
    again = FileSource().survey(request(tmp_path, found.splits[0].pattern))
    assert again.splits == found.splits
    assert FileSource().fingerprint(again) == FileSource().fingerprint(found)


def test_each_format_is_known_by_the_same_fingerprint(tmp_path):
    """The driver needs not know the format."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    asked = request(tmp_path, "*")

    one, other = (kind.fingerprint(kind.survey(asked)) for kind in (FileSource(), CsvSource()))

    assert one == other
    assert one.startswith("split:s0,num_files:1,total_bytes:4,sha256:")


def test_files_elsewhere_are_watched_and_those_here_are_not(tmp_path):
    (tmp_path / "a").write_text("x")
    here = FileSource().survey(request(tmp_path, "*"))
    assert FileSource().watched(here) == ""
    assert (
        FileSource().no_rows(here.splits, here.place)
        == f"the files that match '*' in '{tmp_path}' hold no rows"
    )


def test_missing_files_are_an_error_of_the_survey(tmp_path):
    with pytest.raises(MissingFileError, match="no file matches"):
        FileSource().survey(request(tmp_path, "*.csv"))


def test_parameters_name_a_source_with_its_options():
    """So that any launcher finds it."""
    parameters = {
        "source": FUNCTION,
        "source_fn": "module:rows",
        "source_options": json.dumps({"parameters": {"count": 3}, "run_each_time": True}),
    }

    source = sources.named_in(parameters)

    assert type(source) is FunctionSource
    found = source.survey(request("", "*"))
    assert [split.items for split in found.splits] == [("rows",)]
    assert payloads.is_unknown(source.fingerprint(found))
    assert source.fingerprint(found) != source.fingerprint(found)
    assert sources.named_in({"input_base": "data"}) is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source": "headrace.sources.nowhere:Kind"}, "cannot be imported: No module named"),
        ({"source": "headrace.sources.source:Kind"}, "cannot be imported: module"),
        ({"source": "headrace.sources.source:Survey"}, "is no subclass of headrace.sources.source.Source"),
        ({"source": FUNCTION, "source_options": '{"speed": 1}'}, "does not take these options"),
        ({"source": ":"}, "cannot be imported"),
    ],
)
def test_what_is_no_source_is_refused(parameters, message):
    with pytest.raises(DefinitionError, match=message):
        sources.named_in(parameters)


def test_function_that_is_called_once_is_known_by_code_and_parameters():
    """Which the cache key has already: the fingerprint stays."""
    source = FunctionSource("module:rows")
    found = source.survey(request("", "*"))
    assert source.fingerprint(found) == "function:rows"
    assert source.no_rows(found.splits) == "rows yields no rows"


def test_function_that_is_called_once_has_no_spans_and_one_split():
    span = range_config_pb2.RangeConfig(
        static_range=range_config_pb2.StaticRange(start_span_number=1, end_span_number=1)
    )
    for asked in (request("", "*", range_config=span), request("", "a", "b")):
        with pytest.raises(DefinitionError, match="rows takes no path: it is called once"):
            FunctionSource("module:rows").survey(asked)


def test_function_of_files_is_known_by_their_content(tmp_path):
    (tmp_path / "a").write_text("x")
    found = FileSource().survey(request(tmp_path, "*"))
    assert FileFunctionSource("m:f").fingerprint(found) == FileSource().fingerprint(found)
    assert payloads.is_unknown(FileFunctionSource("m:f", run_each_time=True).fingerprint(found))


def test_unreadable_says_where_and_why():
    assert Unreadable("a.json", "is no JSON", "line 3").problem == "a.json, line 3: is no JSON"
    assert Unreadable("a.png", "is no picture").problem == "a.png: is no picture"
    # What users have at hand becomes text, which is what is recorded.
    given = Unreadable(Path("a.json"), ValueError("is no JSON"), 3)
    assert given == Unreadable("a.json", "is no JSON", "3")


def test_the_interface_is_whole():
    """A source that lacks a part cannot be made."""
    with pytest.raises(TypeError, match="abstract"):
        Source()
