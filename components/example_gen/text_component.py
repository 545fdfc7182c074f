"""The declaration of TextExampleGen. Light."""

from __future__ import annotations

from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike
from headrace.components.example_gen.component import SourceExampleGen
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.sources import line_blocks
from headrace.sources.text.text_source import FOLDER, FORMS, JSONL, LINES
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2

_LABELS = {FOLDER: ("folder", "none"), LINES: ("first", "last", "none")}


class TextExampleGen(SourceExampleGen):
    r"""Read texts into `tf.train.Example` records, divided into splits.

    The texts lie there in one of three forms, which is decided by what lies there where it is not given:

    - `"folder"`: a file for each text in a folder for each class, as in `pos/1.txt`. Features `text`, the file's
      content as it is; `label`, its folder's name; `path`, relative to `input_base`.
    - `"lines"`: a text in each line. Features `text`, without the line end, and with `label` given, `label`.
    - `"jsonl"`: a JSON object in each line (files `*.jsonl`, `*.ndjson`), read as `JsonExampleGen` does; the field `text`
      names becomes feature `text`, that of `label` feature `label`; the other fields keep their names.

    All texts become UTF-8. Files may be packed by gzip or zstd. An empty file or line is an empty text. A byte order mark
    at the start of a file is no part of it.

    Outputs:
        examples: `Examples`, one folder for each split; see `CsvExampleGen`.

    Args:
        input_base: The folder that holds the texts, or its address. With the default pattern, `"folder"` reads the files
            in its subfolders.
        input_config: Named splits, each with a file pattern. Of texts in `train/pos/1.txt` and `test/neg/2.txt`:
            `{"splits": [{"name": "train", "pattern": "train/*/*"}, {"name": "eval", "pattern": "test/*/*"}]}`.
        output_config: See `CsvExampleGen`.
        range_config: See `CsvExampleGen`.
        form: `"folder"`, `"lines"` or `"jsonl"`.
        text: The JSON field that holds the text.
        label: Where the label is. Form `"folder"`: `"folder"` (default), or `"none"` for no label, then without
            subfolders. Form `"lines"`: `"first"` or `"last"` of a line, parted from the text by `separator`, or `"none"`
            (default). Form `"jsonl"`: the field's name.
        separator: What parts label and text in a line. With `label="first"` the first one counts, with `"last"` the last.
        encoding: A name that Python knows, such as `"latin-1"`, `"utf-16"` or `"gb18030"`. Files of lines in an encoding
            of which a byte depends on others, as UTF-16, are not cut: a file is read by one worker.
        max_length: The most characters of a text; a longer one counts as unreadable.
        places: Whether lines have the features `path` and `line`, their number.
        output_data_format: See `CsvExampleGen`.
        num_shards: See `CsvExampleGen`.
        on_error: What becomes of a text that is not of the encoding, holds a NUL byte, is longer than `max_length` or
            64 MiB, or lacks its label: `"fail"` or `"quarantine"`; see `SourceExampleGen`.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`.

    Raises:
        DefinitionError: If a parameter cannot be used as given.

    Example:
        >>> example_gen = TextExampleGen(input_base="reviews", encoding="latin-1")
        >>> sorted(example_gen.outputs)
        ['examples']
    """

    SOURCE = "headrace.sources.text.text_source:TextSource"

    def __init__(
        self,
        input_base: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        *,
        form: str | None = None,
        text: str | None = None,
        label: str | None = None,
        separator: str = "\t",
        encoding: str = "utf-8",
        max_length: int | None = None,
        places: bool = False,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        on_error: str = "fail",
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        _check(form, text, label, separator, max_length)
        known = line_blocks.checked_encoding(encoding, "TextExampleGen")
        given = {
            "form": form,
            "text": text,
            "label": label,
            "separator": None if separator == "\t" else separator,
            "encoding": None if known == line_blocks.UTF_8 else known,
            "max_length": max_length,
            "places": places or None,
        }
        super().__init__(
            {name: value for name, value in given.items() if value is not None},
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


def _check(form: str | None, text: str | None, label: str | None, separator: str, max_length: object) -> None:
    if form is not None and form not in FORMS:
        raise DefinitionError(
            f"TextExampleGen: form is {form!r}; it is one of {listed(FORMS)}.",
            f"{did_you_mean(str(form), FORMS)}Correct form, or leave it out to have it decided by what lies there.",
        )
    known = _LABELS.get(form or "", ())
    if known and label is not None and label not in known:
        raise DefinitionError(
            f"TextExampleGen: label is {label!r}; of form '{form}' it is one of {listed(known)}.",
            "correct label.",
        )
    if text is not None and form not in (None, JSONL):
        raise DefinitionError(
            f"TextExampleGen: text names a JSON field, and form is '{form}'.",
            "leave text out, or give form='jsonl'.",
        )
    if not isinstance(separator, str) or not separator or "\n" in separator:
        raise DefinitionError(
            f"TextExampleGen: separator is {separator!r}.", "give the characters between label and text."
        )
    if max_length is not None and (
        isinstance(max_length, bool) or not isinstance(max_length, int) or max_length < 1
    ):
        raise DefinitionError(
            f"TextExampleGen: max_length is {max_length!r}.", "give a number of characters from 1 on."
        )
