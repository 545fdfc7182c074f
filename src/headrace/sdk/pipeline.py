"""The former place of the pipeline: `headrace.authoring`."""

from headrace.authoring.pipeline import Pipeline as Pipeline
