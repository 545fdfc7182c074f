"""Pictures: undecodable, of another format, size, number of channels or colour model, blank, blurred, grey."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from headrace.components.example_validator.row_checks.check import (
    Found,
    Noter,
    RowCheck,
    Scanned,
    over_share,
)
from headrace.quality import features, pictures
from headrace.quality.pictures import Measures
from headrace.quality.survey import IMAGE, Survey

_USUAL_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}
_EXTENSIONS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_UNDECODABLE, _CHANNELS, _GREY, _COLOURED = "undecodable", "channels", "grey", "coloured"
# Problem, whether it is an error, and the nearest of TFX's types.
_PROBLEMS = {
    "format": ("Unexpected format", True, "UNEXPECTED_DATA_TYPE"),
    "small": ("Too small", True, "INVALID_FEATURE_SHAPE"),
    "large": ("Too large", True, "INVALID_FEATURE_SHAPE"),
    "mode": ("Unusual colour model", False, "UNEXPECTED_DATA_TYPE"),
    "name": ("Extension of another format", False, "UNEXPECTED_DATA_TYPE"),
    "blank": ("Blank pictures", False, "UNKNOWN_TYPE"),
    "blurred": ("Blurred pictures", False, "UNKNOWN_TYPE"),
}


class Images(RowCheck):
    """The check `images`."""

    def __init__(self, spec: Mapping[str, Any], survey: Survey, where: str) -> None:
        super().__init__(spec, survey, where)
        self._feature = survey.the_one(IMAGE, spec["feature"], self.where)

    def note(self, batch: pa.RecordBatch, noter: Noter) -> None:
        """Decode and measure each picture."""
        paths = features.texts_of(batch, "path")
        for row, values in enumerate(features.bytes_of(batch, self._feature)):
            if not values:
                noter.note(row, _UNDECODABLE, "no picture")
            for data in values[:1]:
                self._note_one(row, data, paths[row] or "", noter)

    def _note_one(self, row: int, data: bytes, path: str, noter: Noter) -> None:
        image = pictures.decode(data)
        why = image if isinstance(image, str) else pictures.tensorflow_problem(data)
        if why or isinstance(image, str):
            noter.note(row, _UNDECODABLE, why)
            return
        found = pictures.measure(image)
        noter.note(row, (_CHANNELS, found.channels), f"{_channels(found.channels)} ({found.mode})")
        if found.deviation > self.spec["blank"]:
            noter.note(row, _GREY if found.is_grey else _COLOURED, found.mode)
        for key, words in self._problems(found, path):
            noter.note(row, key, words)

    def _problems(self, found: Measures, path: str) -> Iterable[tuple[str, str]]:
        spec, size = self.spec, f"{found.width} × {found.height} pixels"
        if spec["formats"] is not None and found.format not in spec["formats"]:
            yield "format", found.format
        least, most = spec["min_size"], spec["max_size"]
        if found.width < least[0] or found.height < least[1]:
            yield "small", size
        if found.width > most[0] or found.height > most[1]:
            yield "large", size
        if found.mode not in _USUAL_MODES:
            yield "mode", found.mode
        named = next((kind for end, kind in _EXTENSIONS.items() if path.lower().endswith(end)), found.format)
        if named != found.format:
            yield "name", f"a {found.format} file"
        if found.deviation <= spec["blank"]:
            yield "blank", f"grey values deviate by {found.deviation:.2g}"
        elif found.sharpness < spec["blurred"]:
            yield "blurred", f"variance of the Laplacian {found.sharpness:.3g}"

    def conclude(self, scanned: Scanned) -> Found:
        """Say what is above the share allowed; channels and colour are compared with what most pictures have."""
        tallies = {split: scanned.tally(split) for split in scanned.splits}
        overall: Counter[Any] = sum((Counter(tally.counts) for tally in tallies.values()), Counter())
        channels = {key[1]: n for key, n in overall.items() if isinstance(key, tuple) and key[0] == _CHANNELS}
        expected = self.spec["channels"] or max(channels, key=lambda one: (channels[one], one), default=0)
        finds_grey = self.spec["grey"] and overall[_GREY] < overall[_COLOURED]
        for split in scanned.splits:
            yield from self._of_split(split, scanned)
            for key in sorted(key for key in tallies[split].counts if isinstance(key, tuple)):
                if key[1] != expected:
                    yield from self._channels(split, scanned, key, expected)
            if finds_grey:
                text = "without colour, where most pictures have some"
                yield from over_share(
                    self, scanned, split, _GREY, self._feature, "Grey pictures", text, is_error=False
                )

    def _of_split(self, split: str, scanned: Scanned) -> Found:
        yield from over_share(
            self,
            scanned,
            split,
            _UNDECODABLE,
            self._feature,
            "Undecodable pictures",
            "not to be decoded",
            is_error=True,
            reason="LOW_SUPPORTED_IMAGE_FRACTION",
            always=True,
        )
        texts = {
            "format": f"not {' or '.join(self.spec['formats'] or [])}",
            "small": f"smaller than {_size(self.spec['min_size'])}",
            "large": f"larger than {_size(self.spec['max_size'])}",
            "mode": "not grey, RGB or RGBA",
            "name": "of another format than the end of the path says",
            "blank": f"of one colour: grey values deviate by {self.spec['blank']:g} or less",
            "blurred": f"blurred: the variance of the Laplacian is below {self.spec['blurred']:g}",
        }
        for key, (problem, is_error, reason) in _PROBLEMS.items():
            yield from over_share(
                self,
                scanned,
                split,
                key,
                self._feature,
                problem,
                texts[key],
                is_error=is_error,
                reason=reason,
            )

    def _channels(self, split: str, scanned: Scanned, key: tuple[str, int], expected: int) -> Found:
        is_asked = bool(self.spec["channels"])
        yield from over_share(
            self,
            scanned,
            split,
            key,
            self._feature,
            f"Pictures of {_channels(key[1])}",
            f"of {_channels(key[1])}, and not {expected} {'as asked for' if is_asked else 'as most'}",
            is_error=is_asked,
            reason="INVALID_FEATURE_SHAPE",
        )


def _channels(number: int) -> str:
    return f"{number} {'channel' if number == 1 else 'channels'}"


def _size(pair: list[float]) -> str:
    return f"{pair[0]:g} × {pair[1]:g} pixels"
