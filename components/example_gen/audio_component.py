"""The declaration of AudioExampleGen. Light."""

from __future__ import annotations

import math

from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike
from headrace.components.example_gen.component import SourceExampleGen
from headrace.components.example_gen.file_options import label_options
from headrace.errors import DefinitionError
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2


class AudioExampleGen(SourceExampleGen):
    """Read sounds, a folder for each class, into `tf.train.Example` records, divided into splits.

    WAV, FLAC, OGG (Vorbis and Opus), AIFF, AU and MP3 are known by their content, whatever their names, and read by
    `soundfile`; see `ImageFolderExampleGen` for folders, tables and archives, which are the same here.

    Outputs:
        examples: `Examples`, one folder for each split; see `CsvExampleGen`. Each example has the features `audio`
            (32-bit floats from -1 to 1 of one channel, the mean of all), `rate` (samples a second in `audio`),
            `channels` (of the file), `duration` (in seconds), `label` and `path` (bytes in UTF-8; the path is relative
            to `input_base`). The run's summary counts all files: read, in quarantine, and others.

    Args:
        input_base: The folder that holds those of the classes, its address, or a zip archive of it.
        label: See `ImageFolderExampleGen`.
        table: See `ImageFolderExampleGen`.
        path_column: See `ImageFolderExampleGen`.
        rate: Samples a second to which each sound is brought (`scipy.signal.resample_poly`); by default its own.
        seconds: To which each sound is cut at its end, or filled up with silence; by default none is.
        keep_encoded: Whether `audio` holds the file's bytes in the place of samples: smaller, and to be decoded by
            `tf.audio.decode_wav` or what else the file needs.
        input_config: See `ImageFolderExampleGen`.
        output_config: See `CsvExampleGen`.
        range_config: See `CsvExampleGen`.
        output_data_format: See `CsvExampleGen`.
        num_shards: See `CsvExampleGen`.
        on_error: What becomes of a sound that cannot be read, such as one that is truncated, empty or not there: `"fail"`
            ends the run, `"quarantine"` sets it aside; see `SourceExampleGen`.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`.

    Raises:
        DefinitionError: If a parameter cannot be used as given.

    Example:
        >>> sounds = AudioExampleGen("words", rate=16_000, seconds=1)
        >>> sorted(sounds.outputs)
        ['examples']
    """

    SOURCE = "headrace.sources.sounds.sound_source:SoundSource"

    def __init__(
        self,
        input_base: str | None = None,
        label: str | None = "folder",
        table: str | None = None,
        *,
        path_column: str | None = None,
        rate: int | None = None,
        seconds: float | None = None,
        keep_encoded: bool = False,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        on_error: str = "fail",
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        name = type(self).__name__
        options = label_options(name, label, table, path_column)
        if rate is not None:
            if type(rate) is not int or rate < 1:
                raise DefinitionError(f"{name}: rate is {rate!r}.", "give samples a second, such as 16000.")
            options["rate"] = rate
        if seconds is not None:
            if type(seconds) not in (int, float) or not 0 < seconds < math.inf:
                raise DefinitionError(f"{name}: seconds is {seconds!r}.", "give a number above 0.")
            options["seconds"] = seconds
        if keep_encoded:
            if rate is not None or seconds is not None:
                raise DefinitionError(
                    f"{name}: keep_encoded leaves the file's bytes as they are, and rate or seconds would change them.",
                    "leave out keep_encoded, or rate and seconds.",
                )
            options["keep_encoded"] = True
        super().__init__(
            options,
            input_base,
            input_config,
            output_config,
            range_config,
            output_data_format=output_data_format,
            num_shards=num_shards,
            on_error=on_error,
            splits=splits,
            split_by=split_by,
        )
