"""InferenceResult in Python: what a BulkInferrer predicted, beside what it predicted from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from headrace.errors import DefinitionError
from headrace.formats import predictions
from headrace.formats.examples import plain_rows
from headrace.models import warmup
from headrace.results.result import Bounds, Result, plain

if TYPE_CHECKING:
    import pandas as pd

_BATCH_ROWS = 10_000
_SHOWN_ROWS = 100
_PREDICTED = " (predicted)"


class InferenceResult(Result):
    """Predictions: what `headrace.load` returns of an `InferenceResult` artifact.

    Example:
        >>> import headrace
        >>> found = headrace.load("latest/BulkInferrer.inference_result")  # doctest: +SKIP
        >>> found.predictions[["alcohol", "probabilities"]].head()  # doctest: +SKIP
    """

    @property
    def predictions(self) -> pd.DataFrame:
        """All predictions; see `to_pandas`."""
        return self.to_pandas()

    def to_pandas(self, *, limit: int | None = None) -> pd.DataFrame:
        """Return a row for each prediction: the features it was made from, and the outputs of the model.

        A value alone is one, several are a list. An output that is named as a feature has `" (predicted)"` behind its
        name.

        Args:
            limit: At most so many; all where left out, which then lie in memory at once.
        """
        import pandas as pd

        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
            raise DefinitionError(f"limit={limit!r}: it takes a whole number from 0.", "Correct limit.")
        return pd.DataFrame([_flat(*pair) for pair in itertools.islice(self._pairs(), limit)])

    def batches(self, *, rows: int = _BATCH_ROWS) -> Iterator[pd.DataFrame]:
        """Yield the predictions as DataFrames of at most `rows` rows, so that no more of them lies in memory."""
        import pandas as pd

        pairs = self._pairs()
        while found := list(itertools.islice(pairs, rows)):
            yield pd.DataFrame([_flat(*pair) for pair in found])

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `InferenceResultData`."""
        num_predictions = 0
        first: list[dict[str, object]] = []
        for row, outputs in self._pairs():
            num_predictions += 1
            if len(first) < min(_SHOWN_ROWS, bounds.max_items):
                told = Bounds(100, bounds.cut)
                first.append(
                    {
                        "row": plain(row, told, "predictions.row"),
                        "outputs": plain(outputs, told, "predictions.outputs"),
                    }
                )
        if num_predictions > len(first):
            bounds.cut.append(f"predictions: {len(first):,} of {num_predictions:,}")
        return {"num_predictions": num_predictions, "predictions": first}

    def _pairs(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for log in predictions.read(self.path, 1_000):
            yield from _of_log(log)


def _flat(row: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    told = {f"{name}{_PREDICTED}" if name in row else name: value for name, value in outputs.items()}
    return {**row, **told}


def _of_log(log: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request, response = log.predict_log.request, log.predict_log.response
        outputs = {name: warmup.to_array(tensor) for name, tensor in sorted(response.outputs.items())}
        records = [record for tensor in request.inputs.values() for record in tensor.string_val]
        rows = [_row(record) for record in records]
        if not rows:
            given = {name: warmup.to_array(tensor) for name, tensor in sorted(request.inputs.items())}
            rows = [
                {name: _alone(values[at]) for name, values in given.items()} for at in range(_size(given))
            ]
        for at, row in enumerate(rows):
            yield row, {name: _alone(values[at]) for name, values in outputs.items() if at < len(values)}
    elif kind in ("classify_log", "regress_log"):
        one = getattr(log, kind)
        results = one.response.result
        if kind == "regress_log":
            told: list[Any] = [float(each.value) for each in results.regressions]
        else:
            told = [
                {each.label or str(at): float(each.score) for at, each in enumerate(found.classes)}
                for found in results.classifications
            ]
        for example, answer in zip(one.request.input.example_list.examples, told):
            yield _row(example.SerializeToString()), {"result": answer}


def _size(given: Mapping[str, Any]) -> int:
    return min((len(values) for values in given.values() if values.ndim), default=0)


def _row(record: bytes) -> dict[str, Any]:
    try:
        return {name: _one(values) for name, values in plain_rows.parse_example(record).items()}
    except Exception:  # not a tf.Example: models may take any string
        return {"input": record}


def _one(values: list[Any]) -> Any:
    found = [_text(value) for value in values]
    return (found[0] if found else None) if len(found) < 2 else found


def _alone(value: Any) -> Any:
    """Return what an output holds for a row: a value, where it is one."""
    if getattr(value, "size", 1) != 1:
        return [_text(one) for one in value.tolist()] if value.ndim == 1 else value.tolist()
    found = value.ravel().tolist()[0] if hasattr(value, "ravel") else value
    return _text(found)


def _text(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
