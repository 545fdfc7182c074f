"""Pictures as a source. Light."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.sources.images import image_kinds
from headrace.sources.labelled.labelled_source import FOLDER, LabelledFileSource
from headrace.sources.reading import Reader


class ImageSource(LabelledFileSource):
    """Files of pictures.

    Args:
        label: See `LabelledFileSource`.
        table: See `LabelledFileSource`.
        path_column: See `LabelledFileSource`.
        image_size: Height and width that each picture is brought to; `None` leaves it as it is.
        channels: 1, 3 or 4: what each picture is brought to; `None` leaves it as it is.
    """

    KIND = "pictures"
    SUFFIXES = image_kinds.SUFFIXES
    FEATURES = ("image", "height", "width", "channels", "format")

    def __init__(
        self,
        label: str | None = FOLDER,
        table: str | None = None,
        path_column: str = "path",
        image_size: Sequence[int] | None = None,
        channels: int | None = None,
    ) -> None:
        super().__init__(label, table, path_column)
        self._image_size = None if image_size is None else (image_size[0], image_size[1])
        self._channels = channels

    def reader(self, payload_format: int) -> Reader:
        """Return what reads pictures."""
        from headrace.sources.images.image_reader import ImageReader

        with_label = self._label == FOLDER and self._table is None
        return ImageReader(self._image_size, self._channels, with_label=with_label)
