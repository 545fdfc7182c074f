"""The declarations of the ExampleGen components."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from headrace.authoring.light import authoring
from headrace.components.example_gen import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.errors import DefinitionError

with authoring():
    from tfx.proto import example_gen_pb2


def test_declaring_loads_no_heavy_library():
    """A pipeline that is only looked at costs no import of TensorFlow, Beam, Arrow or numpy."""
    code = (
        "import sys; from headrace.components.example_gen import CsvExampleGen; CsvExampleGen('data');"
        "print([m for m in ('tensorflow', 'apache_beam', 'pyarrow', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_default_is_one_input_split_and_two_to_one_output_splits():
    """Without a configuration, all files of the folder become train and eval."""
    component = CsvExampleGen("data")
    assert json.loads(component.exec_properties["input_config"]) == {
        "splits": [{"name": "single_split", "pattern": "*"}]
    }
    assert json.loads(component.exec_properties["output_config"]) == {
        "split_config": {
            "splits": [{"hash_buckets": 2, "name": "train"}, {"hash_buckets": 1, "name": "eval"}]
        }
    }
    assert component.exec_properties["output_data_format"] == example_gen_pb2.FORMAT_TF_EXAMPLE
    assert component.exec_properties["output_file_format"] == example_gen_pb2.FORMAT_TFRECORDS_GZIP
    assert component.exec_properties["custom_config"] is None


def test_several_input_splits_are_kept():
    """Splits that the user made are not divided again."""
    split = example_gen_pb2.Input.Split
    config = example_gen_pb2.Input(splits=[split(name="a", pattern="a/*"), split(name="b", pattern="b/*")])
    component = CsvExampleGen("data", input_config=config)
    assert json.loads(component.exec_properties["output_config"]) == {}


def test_num_shards_travels_in_custom_config():
    """TFX has no property for it, and a stock executor must be able to run on the same properties."""
    component = ParquetExampleGen("data", num_shards=3)
    config = json.loads(component.exec_properties["custom_config"])["custom_config"]
    assert config["value"] == {"num_shards": 3.0}


def test_types_are_those_of_the_stock_components():
    """A store that stock TFX wrote is read by Headrace and the reverse."""
    home = "tfx.components.example_gen"
    assert CsvExampleGen("data").type == f"{home}.csv_example_gen.component.CsvExampleGen"
    assert ImportExampleGen("data").type == f"{home}.import_example_gen.component.ImportExampleGen"
    assert ParquetExampleGen("data").type == f"{home}.component.FileBasedExampleGen"


def test_payload_format_of_import_is_the_output_format():
    """Imported records stay what they are."""
    component = ImportExampleGen("data", payload_format=example_gen_pb2.FORMAT_PROTO)
    assert component.exec_properties["output_data_format"] == example_gen_pb2.FORMAT_PROTO


def test_number_of_shards_must_be_positive():
    """The message names the component, the parameter and the value."""
    with pytest.raises(DefinitionError) as caught:
        CsvExampleGen("data", num_shards=0)
    assert str(caught.value) == ("CsvExampleGen: num_shards is 0.\n  Fix: give a number of files, 1 or more.")


def test_unknown_payload_format_lists_those_there_are():
    """The names of TFX's enum are shown."""
    with pytest.raises(DefinitionError) as caught:
        ImportExampleGen("data", payload_format=3)
    assert caught.value.problem.startswith(
        "ImportExampleGen: 3 is not a payload format. There are 'FORMAT_PARQUET', "
    )

    with pytest.raises(DefinitionError, match=r"did you mean 'FORMAT_PARQUET'\?"):
        ImportExampleGen("data", payload_format="FORMAT_PARKET")
