"""The components: real TFX components that can stand in for the stock ones.

Importing this package is light; each executor loads its heavy libraries when its node runs.
"""

from headrace.authoring import (
    Importer,
    LatestArtifactStrategy,
    LatestBlessedModelStrategy,
    PreviousSpanStrategy,
    Resolver,
    latest_blessed_model,
)
from headrace.components.bulk_inferrer.component import BulkInferrer
from headrace.components.cleaner.component import Cleaner
from headrace.components.evaluator.component import Evaluator
from headrace.components.example_gen.audio_component import AudioExampleGen
from headrace.components.example_gen.component import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.frame_component import DataFrameExampleGen
from headrace.components.example_gen.function_component import FunctionExampleGen
from headrace.components.example_gen.image_component import ImageFolderExampleGen
from headrace.components.example_gen.json_component import JsonExampleGen
from headrace.components.example_gen.sql_component import SqlExampleGen
from headrace.components.example_gen.text_component import TextExampleGen
from headrace.components.example_validator.component import ExampleValidator
from headrace.components.feature_importance.component import FeatureImportance
from headrace.components.import_schema_gen.component import ImportSchemaGen
from headrace.components.infra_validator.component import InfraValidator
from headrace.components.model_selector.component import ModelSelector
from headrace.components.pusher.component import Pusher
from headrace.components.schema_gen.component import SchemaGen
from headrace.components.statistics_gen.component import StatisticsGen
from headrace.components.trainer.component import Trainer
from headrace.components.transform.component import Transform
from headrace.components.tuner.component import Tuner
from headrace.components.windows.component import Windows

__all__ = [
    "AudioExampleGen",
    "BulkInferrer",
    "Cleaner",
    "CsvExampleGen",
    "DataFrameExampleGen",
    "Evaluator",
    "ExampleValidator",
    "FeatureImportance",
    "FunctionExampleGen",
    "ImageFolderExampleGen",
    "ImportExampleGen",
    "ImportSchemaGen",
    "Importer",
    "InfraValidator",
    "JsonExampleGen",
    "LatestArtifactStrategy",
    "LatestBlessedModelStrategy",
    "ModelSelector",
    "ParquetExampleGen",
    "PreviousSpanStrategy",
    "Pusher",
    "Resolver",
    "SchemaGen",
    "SqlExampleGen",
    "StatisticsGen",
    "TextExampleGen",
    "Trainer",
    "Transform",
    "Tuner",
    "Windows",
    "latest_blessed_model",
]


def __dir__() -> list[str]:
    """Name what is public; the modules of the components are not."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
