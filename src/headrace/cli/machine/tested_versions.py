"""The versions that Headrace is tested with; the lock files in `requirements/` hold them in full."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Generation:
    """One generation of TFX.

    Attributes:
        tfx: Its version.
        pythons: The versions of Python that it runs on.
        min_glibc: The oldest C library that its wheels run on.
        packages: The versions of what it works with, to the part that matters.
    """

    tfx: str
    pythons: tuple[tuple[int, int], ...]
    min_glibc: tuple[int, ...]
    packages: dict[str, tuple[str, ...]]


GENERATIONS = (
    Generation(
        "1.16",
        ((3, 10),),
        (2, 17),
        {
            "tensorflow": ("2.16",),
            "apache-beam": ("2.74",),
            "ml-metadata": ("1.16",),
            "tfx-bsl": ("1.16",),
            "tensorflow-data-validation": ("1.16",),
            "tensorflow-transform": ("1.16",),
            "tensorflow-model-analysis": ("0.47",),
            "keras": ("3.12",),
            "tensorboard": ("2.16",),
            "pyarrow": ("10",),
            "numpy": ("1.26",),
            "pandas": ("1.5",),
            "protobuf": ("3.20",),
        },
    ),
    Generation(
        "1.21",
        ((3, 11), (3, 12), (3, 13)),
        (2, 39),
        {
            "tensorflow": ("2.21",),
            "apache-beam": ("2.77",),
            "ml-metadata": ("1.21",),
            "tfx-bsl": ("1.21",),
            "tensorflow-data-validation": ("1.21",),
            "tensorflow-transform": ("1.21",),
            "tensorflow-model-analysis": ("0.52",),
            "keras": ("3.15",),
            "tensorboard": ("2.21",),
            "pyarrow": ("18",),
            "numpy": ("2.4",),
            "pandas": ("2.3",),
            "protobuf": ("6.33",),
        },
    ),
)

COMMON: dict[str, tuple[str, ...]] = {
    "dill": ("0.4",),
    "pyfarmhash": ("0.3",),
    "google-crc32c": ("1",),
    "click": ("8",),
    "rich": ("13", "14", "15"),
    "pydantic": ("2",),
    "PyYAML": ("6",),
}
