"""`ModelSelector`: the best of several models, by a metric of their evaluations."""

from headrace.components.model_selector.component import ModelSelector

__all__ = ["ModelSelector"]
