"""The declaration of ImageFolderExampleGen. Light."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike
from headrace.components.example_gen.component import SourceExampleGen
from headrace.components.example_gen.file_options import label_options
from headrace.errors import DefinitionError
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2

_CHANNELS = (1, 3, 4)


class ImageFolderExampleGen(SourceExampleGen):
    """Read pictures, a folder for each class, into `tf.train.Example` records, divided into splits.

    PNG, JPEG, GIF, BMP, WebP, TIFF and PPM are known by their content, whatever their names. Each is decoded to see
    that it can be. The bytes of PNG, JPEG, GIF (TensorFlow takes the first frame with `expand_animations=False`) and
    BMP stay as they are in the file, for `tf.io.decode_image`; what that does not read, or not to the same pixels
    (other formats, JPEG of CMYK, 16 bits), and what is resized becomes PNG, turned upright by its EXIF orientation.

    ::

        signs/fist/1.png                 label "fist"
        signs/hand/old/7.jpg             label "hand"
        signs/train/fist/1.png           label "fist": folders that are named as splits are no classes
        signs.zip                        the same in an archive

    Outputs:
        examples: `Examples`, one folder for each split; see `CsvExampleGen`. Each example has the features `image`
            (encoded bytes), `label` and `path` (bytes in UTF-8; the path is relative to `input_base`), `height`,
            `width` and `channels` (integers, of what `tf.io.decode_image` makes of `image`) and `format` (`png`, `jpeg`,
            `gif` or `bmp`). The run's summary counts all files: read, in quarantine, and others, such as `notes.txt`.

    Args:
        input_base: The folder that holds those of the classes, its address, or a zip archive of it.
        label: `"folder"`: the folder right below `input_base`, or below the folder of a split, is the class. `None`:
            there is no label. With `table`, the column that becomes the feature `label`; by default that of this name.
        table: A CSV or Parquet file, below `input_base` or with a path of its own, which names the pictures, relative
            to `input_base`. Its other columns become features too.
        path_column: The table's column of paths.
        image_size: Height and width to which each picture is resized (Lanczos); by default none is.
        channels: 1, 3 or 4: grey, colour, colour with opacity; by default each picture's own.
        input_config: Named splits, each with a pattern of folders, such as `"train/*"`, or `"span-{SPAN}/*"`; see
            `CsvExampleGen`. Default: one split of all.
        output_config: See `CsvExampleGen`.
        range_config: See `CsvExampleGen`.
        output_data_format: See `CsvExampleGen`.
        num_shards: See `CsvExampleGen`.
        on_error: What becomes of a picture that cannot be read, such as one that is truncated, empty, not there, or of
            more pixels than Pillow takes for harmless: `"fail"` ends the run, `"quarantine"` sets it aside; see
            `SourceExampleGen`.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`.

    Raises:
        DefinitionError: If a parameter cannot be used as given.

    Example:
        >>> pictures = ImageFolderExampleGen("signs", image_size=(64, 64), on_error="quarantine")
        >>> sorted(pictures.outputs)
        ['examples']
    """

    SOURCE = "headrace.sources.images.image_source:ImageSource"

    def __init__(
        self,
        input_base: str | None = None,
        label: str | None = "folder",
        table: str | None = None,
        *,
        path_column: str | None = None,
        image_size: Sequence[int] | None = None,
        channels: int | None = None,
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
        if image_size is not None:
            options["image_size"] = _size(name, image_size)
        if channels is not None:
            if isinstance(channels, bool) or channels not in _CHANNELS:
                raise DefinitionError(f"{name}: channels is {channels!r}.", "give 1, 3 or 4.")
            options["channels"] = channels
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


def _size(name: str, given: Sequence[int]) -> list[int]:
    """Height and width."""
    numbers = list(given) if isinstance(given, (list, tuple)) else []
    if len(numbers) != 2 or not all(type(number) is int and number > 0 for number in numbers):
        raise DefinitionError(
            f"{name}: image_size is {given!r}.", "give height and width in pixels: image_size=(64, 64)."
        )
    return numbers
