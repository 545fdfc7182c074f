"""Whether a small or a large value of a metric is good, and that a metric exists."""

from __future__ import annotations

import re
from collections.abc import Iterable

from headrace.errors import TrainingError, did_you_mean, listed

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


def check_exists(monitor: str, known: Iterable[str], where: str) -> None:
    """Check that training records a metric.

    Raises:
        TrainingError: If it does not, naming those it does.
    """
    names = list(known)
    if monitor not in names:
        raise TrainingError(
            f"{where}: monitor is '{monitor}', and training records {listed(names)}.",
            f"{did_you_mean(monitor, names)}Correct monitor, or compile the model with this metric: "
            "model.compile(metrics=[...]).",
        )
