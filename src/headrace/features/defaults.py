"""A `preprocessing_fn` that decides by the schema, and by a look at some rows, what is made of each feature."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.errors import DefinitionError, UserFunctionError
from headrace.features import categories, dates, facts, images, notes, scaling, texts, values
from headrace.features import roles as role_choices
from headrace.features.libraries import tf
from headrace.features.options import Options, checked
from headrace.features.roles import INPUTS, Choice

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

FUNCTION = "headrace.features.defaults.preprocessing_fn"
"""What stands for a `DefaultPreprocessing` in the parameters of Transform."""

OPTIONS_KEY = "default_preprocessing"
"""Where its options stand in `custom_config`."""

# Beyond this skewness, numbers from 0 on are brought in by their logarithm.
_LONG_TAIL = 2.0
_WEEKDAYS, _MONTHS, _HOURS = 7, 12, 24


class DefaultPreprocessing:
    """A `preprocessing_fn` made by `default_preprocessing`; Transform hands it the schema, and rows to look at."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.settings().items())
        return f"default_preprocessing({given})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DefaultPreprocessing) and self.settings() == other.settings()

    def __hash__(self) -> int:
        return hash(repr(self))

    def settings(self) -> dict[str, object]:
        """Return what is not the default, as JSON can hold it; equal settings make equal functions."""
        plain = Options()
        found = {one.name: getattr(self.options, one.name) for one in dataclasses.fields(Options)}
        return {name: _plain(value) for name, value in found.items() if value != getattr(plain, name)}

    def choices(self, schema: object = None, sample: object = None) -> list[Choice]:
        """Return what each feature is taken for.

        Args:
            schema: Proto or path, unless one was given to `default_preprocessing`.
            sample: Some rows, an Arrow table or batch.

        Raises:
            UserFunctionError: If there is no schema, or see `roles.choose`.
        """
        found = self.options.schema if schema is None else schema
        if found is None:
            raise UserFunctionError(
                "default_preprocessing was called without a schema, by which it decides.",
                "let your preprocessing_fn take it: def preprocessing_fn(inputs, schema), which Headrace's Transform "
                "fills, and hand it on; or give default_preprocessing the path of a schema.",
            )
        known = facts.from_rows(sample) if sample is not None else None
        return role_choices.choose(_schema_proto(found), self.options.label, self.options.roles, known)

    def __call__(self, inputs: Mapping[str, Any], schema: Any = None, sample: Any = None) -> dict[str, Any]:
        """Return the transformed features, and the label, each as `NAME_xf`.

        Args:
            inputs: Raw features by name.
            schema: See `choices`.
            sample: See `choices`.

        Raises:
            UserFunctionError: See `choices`; and where nothing is left for a model.
        """
        chosen = self.choices(schema, sample)
        notes.note_choices(chosen)
        outputs: dict[str, Any] = {}
        for choice in chosen:
            if choice.role in (*INPUTS, "label") and choice.feature in inputs:
                outputs |= self._made(choice, inputs[choice.feature])
        if self.options.pca is not None:
            self._lay_along_directions(chosen, outputs)
        if not any(choice.role in INPUTS for choice in chosen):
            raise UserFunctionError(
                f"default_preprocessing: no feature is left for a model: {role_choices.table(chosen)}",
                "say in roles what they are: roles={'NAME': 'number'}.",
            )
        return outputs

    def _made(self, choice: Choice, x: Any) -> dict[str, Any]:
        make = getattr(self, f"_{choice.role}")
        name = f"{choice.feature}{self.options.suffix}"
        made = make(choice, x)
        return made if isinstance(made, dict) else {name: made}

    def _number(self, choice: Choice, x: Any) -> Any:
        options, known = self.options, choice.facts
        is_one = isinstance(x, tf.SparseTensor) or x.shape.rank == 1 or x.shape[-1] == 1
        read = values.number(x) if x.dtype == tf.string else x
        if options.numbers == "buckets":
            return scaling.buckets(read, options.num_buckets)
        if known is not None and known.least is not None and known.least >= 0 and known.skewness > _LONG_TAIL:
            read = scaling.log(read)
        filled = values.impute(read, options.missing) if is_one and _may_be_missing(x, known) else read
        scaled = (
            scaling.min_max(filled) if options.numbers == "min_max" else scaling.z_score(filled, options.clip)
        )
        outputs = {f"{choice.feature}{options.suffix}": scaled}
        has_gaps = known is not None and (
            known.num_missing or (x.dtype == tf.string and known.share_numbers < 1)
        )
        if is_one and options.indicator and has_gaps:
            told = values.is_missing(values.number(x) if x.dtype == tf.string else x)
            outputs[f"{choice.feature}_missing{options.suffix}"] = told
        return outputs

    def _category(self, choice: Choice, x: Any) -> Any:
        options = self.options
        if x.dtype != tf.string and x.dtype.is_floating:
            x = tf.strings.as_string(values.dense(x, -1.0))
        is_short = bool(choice.values) and len(choice.values) < options.max_categories
        if options.categories == "vocabulary":
            return categories.vocabulary(x, options.max_categories, name=choice.feature)
        # A word more than were seen: the rows that were looked at are not all.
        width = len(choice.values) + 1 if is_short else options.max_categories
        return categories.one_hot(x, width, name=choice.feature)

    def _list(self, choice: Choice, x: Any) -> Any:
        return categories.many_hot(x, self.options.max_categories, name=choice.feature)

    def _text(self, choice: Choice, x: Any) -> Any:
        options = self.options
        size, ngrams, level, name = options.max_words, options.ngrams, options.level, choice.feature
        if options.texts == "tokens":
            return texts.tokens(x, size, options.text_length, ngrams, level, name)
        make = texts.tf_idf if options.texts == "tf_idf" else texts.bag_of_words
        return make(x, size, ngrams, level, name=name)

    def _date(self, choice: Choice, x: Any) -> Any:
        format = self.options.date_formats.get(choice.feature) or choice.date_format or None
        moments = dates.read_moments(x, format, choice.unit)
        is_known = moments.is_known

        def around(part: str, period: int) -> Any:
            number = tf.cast(dates.part_of(moments, part), tf.float32)
            return dates.cyclic(tf.where(is_known, number, float("nan")), period)

        days = tf.cast(dates.part_of(moments, "days"), tf.float64)
        of_day = tf.cast(moments.seconds, tf.float64) / 86_400
        when = tf.where(is_known, days + of_day, tf.constant(float("nan"), tf.float64))
        parts = [
            scaling.z_score(when, self.options.clip),
            around("month", _MONTHS),
            around("weekday", _WEEKDAYS),
            around("hour", _HOURS),
        ]
        return tf.concat(parts, axis=1)

    def _image(self, choice: Choice, x: Any) -> Any:
        height, width = self.options.image_size
        return images.image(x, (height, width), self.options.channels)

    def _label(self, choice: Choice, x: Any) -> Any:
        classes = self.options.classes
        if classes is None and x.dtype == tf.string and choice.values:
            # As scikit-learn numbers classes, where the schema knows them.
            classes = sorted(choice.values)
        return categories.label(x, classes, name=choice.feature)

    def _lay_along_directions(self, chosen: Sequence[Choice], outputs: dict[str, Any]) -> None:
        names = [f"{choice.feature}{self.options.suffix}" for choice in chosen if choice.role == "number"]
        columns = [outputs.pop(name) for name in names]
        outputs[f"numbers_pca{self.options.suffix}"] = scaling.pca(columns, self.options.pca or 1)


def default_preprocessing(
    schema: object = None,
    *,
    label: str | None = None,
    roles: Mapping[str, str] | None = None,
    **options: object,
) -> DefaultPreprocessing:
    """Return a `preprocessing_fn` that makes what a model takes of each feature of a schema.

    Where a pipeline is declared there is no schema yet: `Transform(preprocessing_fn=default_preprocessing(label=
    "quality"))` decides when it runs, by its schema and by a look at the first 10,000 rows to analyze. In a
    function of your own, take the two and hand them on:

        default = default_preprocessing(label="quality")

        def preprocessing_fn(inputs, schema, sample):
            outputs = default(inputs, schema, sample)
            outputs["ratio_xf"] = z_score(inputs["sugar"] / inputs["alcohol"])
            return outputs

    What is made: numbers with mean 0 and deviation 1, long tails by their logarithm, missing values filled with the
    median and told by a column of their own; categories with a column for each value; texts by the words in them;
    dates as a number, and month, weekday and hour on circles; pictures as floats of one size. What identifies rows,
    and what the splits disagree about, is left out. `explain` says all of it in a table.

    Args:
        schema: A path of a `schema.pbtxt` or its folder, or the proto, to use instead of Transform's.
        label: The feature to predict: text becomes the numbers of classes, numbers stay as they are.
        roles: What features are taken for, where you know better: `"number"`, `"category"`, `"text"`, `"date"`,
            `"image"`, `"list"` (of words), `"label"`; and left out: `"id"`, `"ignore"`, `"group"`, `"time"`.
        options:
            - `classes`: The label's classes in order, or `True` to number whole numbers too. By default those that
              the schema lists, sorted; else the most frequent first.
            - `numbers`: `"z_score"`, `"min_max"` or `"buckets"`; `num_buckets`, 10; `clip`, deviations from the
              mean, 5, or `None`; `missing`, a strategy of `impute` or a number; `indicator`, whether missing
              numbers are told; `pca`, to lay all numbers along so many directions.
            - `categories`: `"one_hot"` or `"vocabulary"`; `max_categories`, 50.
            - `texts`: `"tf_idf"`, `"bag_of_words"` or `"tokens"`; `max_words`, 1000; `ngrams`, 1; `level`,
              `"word"` or `"char"`; `text_length`, 100, the tokens of a text.
            - `image_size`, (64, 64); `channels`, 3.
            - `date_formats`: How dates are written, by feature, in `strptime`'s signs.
            - `suffix`: Of the names of what is made, `"_xf"`.

    Raises:
        DefinitionError: If an option is unknown or has no such value.
    """
    return DefaultPreprocessing(
        checked(label=label, roles=dict(roles or {}), schema=_schema_text(schema), **options)
    )


def preprocessing_fn(
    inputs: Mapping[str, Any], custom_config: Mapping[str, Any], schema: Any, sample: Any
) -> dict[str, Any]:
    """What Transform calls for a `DefaultPreprocessing`, whose options travel in `custom_config`."""
    return of_settings(custom_config[OPTIONS_KEY])(inputs, schema=schema, sample=sample)


def of_settings(settings: Mapping[str, Any]) -> DefaultPreprocessing:
    """Return the function that `DefaultPreprocessing.settings` tells."""
    return DefaultPreprocessing(Options(**settings))


def find(function: Callable[..., Any], custom_config: Mapping[str, Any]) -> DefaultPreprocessing | None:
    """Return the `DefaultPreprocessing` that a function is, or stands for; `None` for others."""
    if isinstance(function, DefaultPreprocessing):
        return function
    return of_settings(custom_config[OPTIONS_KEY]) if function is preprocessing_fn else None


def _may_be_missing(x: Any, known: facts.Facts | None) -> bool:
    return (
        isinstance(x, tf.SparseTensor)
        or x.dtype == tf.string
        or (known is not None and known.num_missing > 0)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _schema_text(schema: Any) -> str | None:
    """A schema as text that is recorded: a path, or the proto's text."""
    if schema is None or isinstance(schema, str):
        return schema
    if hasattr(schema, "uri"):
        return str(schema.uri)
    if hasattr(schema, "SerializeToString"):
        from google.protobuf import text_format

        return text_format.MessageToString(schema)
    if hasattr(schema, "__fspath__"):
        return str(schema.__fspath__())
    raise DefinitionError(
        f"default_preprocessing: schema is a {type(schema).__name__}.",
        "leave it out: Transform hands in its own; or give the path of a schema.pbtxt. Connect the schema that another "
        "node makes to Transform: Transform(schema=...).",
    )


def _schema_proto(schema: Any) -> schema_pb2.Schema:
    if not isinstance(schema, str):
        return schema
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from headrace import files
    from headrace.formats import protos

    if "{" in schema:
        return text_format.Parse(schema, schema_pb2.Schema())
    if files.is_folder(schema):
        return protos.read_schema_in(schema)
    return protos.read_text(schema, schema_pb2.Schema)
