"""Artifact types that TFX does not have, as TFX's classes. Light."""

from __future__ import annotations

from headrace.authoring import Artifact


class CleaningReport(Artifact):
    """What a Cleaner found and removed, with the rows in quarantine: see `headrace.formats.cleaning_reports`."""

    TYPE_NAME = "CleaningReport"


class ModelSelection(Artifact):
    """What a ModelSelector compared, and what it chose: see `headrace.formats.selections`."""

    TYPE_NAME = "ModelSelection"


class FeatureImportances(Artifact):
    """How much a model's score depends on each feature: see `headrace.formats.importances`."""

    TYPE_NAME = "FeatureImportances"
