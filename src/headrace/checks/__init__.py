"""What ExampleValidator looks for in rows, beyond their statistics; and when two rows are near. Light.

Each function returns a plain mapping, which a configuration file may hold as well: `{"check": "images", "min_size":
[32, 32]}` is `images(min_size=(32, 32))`.

    ExampleValidator(
        examples=rows.outputs.examples,
        checks=[checks.images(), checks.leaks(group="patient", fail_on="any")],
        fail_on="error",
    )

All take `fail_on`: what of their findings stops the pipeline, `"never"`, `"error"` or `"any"`; where it is left out,
what the component says.
"""

from headrace.checks.items import images, numbers, sounds, texts
from headrace.checks.near import near_images, near_numbers, near_texts
from headrace.checks.together import balance, duplicates, leaks, series

__all__ = [
    "balance",
    "duplicates",
    "images",
    "leaks",
    "near_images",
    "near_numbers",
    "near_texts",
    "numbers",
    "series",
    "sounds",
    "texts",
]


def __dir__() -> list[str]:
    """Name what is public."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
