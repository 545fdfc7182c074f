"""Evaluator: metrics per slice, and whether a model is good enough to go on."""

from headrace.components.evaluator.component import Evaluator

__all__ = ["Evaluator"]
