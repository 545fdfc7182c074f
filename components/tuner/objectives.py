"""Whether a small or a large value of an objective is good."""

from __future__ import annotations

import re

# Words of Keras's names for losses and metrics that are errors, whole between underscores.
_ERRORS = re.compile(
    r"(^|_)(loss|error|crossentropy|divergence|hinge|poisson|cosh|logcosh|false|nll|perplexity"
    r"|mae|mse|mape|msle|rmse|bce|kld)(_|$)"
)


def direction(objective: str) -> str:
    """Return `"min"` for an objective that is an error by its name, else `"max"`.

    Args:
        objective: A metric as Keras names it, such as `"val_loss"` or `"val_binary_accuracy"`.
    """
    return "min" if _ERRORS.search(objective) else "max"
