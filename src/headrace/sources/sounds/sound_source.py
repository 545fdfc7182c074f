"""Sounds as a source. Light."""

from __future__ import annotations

from headrace.sources.labelled.labelled_source import FOLDER, LabelledFileSource
from headrace.sources.reading import Reader
from headrace.sources.sounds import sound_kinds


class SoundSource(LabelledFileSource):
    """Files of sounds.

    Args:
        label: See `LabelledFileSource`.
        table: See `LabelledFileSource`.
        path_column: See `LabelledFileSource`.
        rate: Samples a second that each sound is brought to; `None` leaves it.
        seconds: The length that each sound is brought to; `None` leaves it.
        keep_encoded: Whether the file's bytes are kept in the place of samples.
    """

    KIND = "sounds"
    SUFFIXES = sound_kinds.SUFFIXES
    FEATURES = ("audio", "rate", "channels", "duration")

    def __init__(
        self,
        label: str | None = FOLDER,
        table: str | None = None,
        path_column: str = "path",
        rate: int | None = None,
        seconds: float | None = None,
        keep_encoded: bool = False,
    ) -> None:
        super().__init__(label, table, path_column)
        self._rate = rate
        self._seconds = seconds
        self._keep_encoded = keep_encoded

    def reader(self, payload_format: int) -> Reader:
        """Return what reads sounds."""
        from headrace.sources.sounds.sound_reader import SoundReader

        with_label = self._label == FOLDER and self._table is None
        return SoundReader(self._rate, self._seconds, with_label=with_label, keep_encoded=self._keep_encoded)
