"""`Transform`: features computed by the user's `preprocessing_fn` with TensorFlow Transform."""

from headrace.components.transform.component import Transform

__all__ = ["Transform"]
