"""Model and PushedModel in Python: what it predicts, and what it is made of."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.errors import DefinitionError, ModelError, ModelInputError, listed
from headrace.formats import pushed_models
from headrace.models import example_features, kept_weights, row_features
from headrace.models.description import Description, describe
from headrace.models.example_features import ExampleFeature
from headrace.models.saved_model import SavedModel, folders
from headrace.models.signatures import SERVING, Signature, check_exists
from headrace.results import class_names
from headrace.results import rows as model_rows
from headrace.results.result import Bounds, Result, plain

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from headrace.models.model import Model as LoadedModel
    from headrace.results.examples import Examples

# Weights of more values than this are told by their shape.
MAX_SHOWN_VALUES = 20


class Model(Result):
    """A model: what `headrace.load` returns of a `Model` artifact.

    The files are a SavedModel, whatever framework trained it, and stay one: there is no way back to the Keras layers or
    the estimator that `build_model` returned. `path` is what `tf.saved_model.load`, TensorFlow Serving and others take.

    Example:
        >>> import headrace
        >>> model = headrace.load("latest/Trainer.model")  # doctest: +SKIP
        >>> model.predict(frame)  # doctest: +SKIP
           probabilities
        0       0.041223
        >>> model.weights["dense/kernel"].shape  # doctest: +SKIP
        (11, 8)
    """

    @functools.cached_property
    def saved_model_path(self) -> str:
        """The folder of the SavedModel.

        Raises:
            ModelError: If the artifact holds none, or several.
        """
        found = list(folders(self.path))
        if len(found) != 1:
            what = f"{len(found)} SavedModels: {listed(found)}" if found else "no SavedModel"
            raise ModelError(
                f"{self._where} holds {what}.",
                "give load the folder of one." if found else "export the model as a SavedModel.",
            )
        return found[0]

    @functools.cached_property
    def signatures(self) -> Mapping[str, Signature]:
        """What can be called, by name: inputs and outputs with types and shapes."""
        return dict(sorted(self._files.signatures.items()))

    @functools.cached_property
    def features(self) -> Mapping[str, ExampleFeature]:
        """What `predict` reads of each row, by name: type, shape, and whether each row must have it.

        Empty where the model's file does not tell.
        """
        return self._features(SERVING) or {}

    @functools.cached_property
    def weights(self) -> Mapping[str, NDArray[Any]]:
        """Its variables by name, such as `"dense/kernel"`, as numpy arrays: all are read, from the files alone.

        Raises:
            MalformedFileError: If the files are damaged.
        """
        return kept_weights.read(self.saved_model_path)

    @functools.cached_property
    def weight_features(self) -> Mapping[str, Sequence[str]]:
        """What feature each row of a weight is multiplied with, for the weights that work on features themselves.

        A row is named after the feature of the Examples that it comes from, `name[2]` for the third value of one that has
        several.
        """
        return row_features.read(self._files.graphs[0])

    @functools.cached_property
    def class_names(self) -> Sequence[str]:
        """The names of the classes 0, 1, 2 ... of its label, where Transform made numbers of them; else none."""
        return class_names.of_label(self._inputs, self._parameters)

    def predict(
        self,
        rows: object,
        *,
        signature: str = SERVING,
        split: str | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Return what the model gives for rows, as a DataFrame with a row for each.

        Columns are named as the outputs are; one with several values in each row has a column for each value:
        `probabilities_cash`, `probabilities_card` where classes have names, else `probabilities_0` and so on.

        Args:
            rows: A DataFrame of pandas or polars, an Arrow table, a dict of columns, a dict of one row, a list of dicts,
                serialized tf.Examples, or what `load` returned of an Examples artifact. What the model does not read is
                passed over; None and pandas' NaN stand for no value.
            signature: What to call; what `transform_features` gives are the features after Transform.
            split: Of an Examples artifact; left out, all its splits, one after another.
            limit: At most so many rows of an Examples artifact.

        Raises:
            ModelInputError: If a feature is not there, or of another type or shape, naming it and the row.
            ModelError: If there is no such signature, or it fails.
        """
        import pandas as pd

        arrays = self.predict_arrays(rows, signature=signature, split=split, limit=limit)
        columns = {
            name: values for output, array in arrays.items() for name, values in self._columns(output, array)
        }
        index = getattr(rows, "index", None)
        return pd.DataFrame(columns, index=index if isinstance(index, pd.Index) else None)

    def predict_arrays(
        self, rows: object, *, signature: str = SERVING, split: str | None = None, limit: int | None = None
    ) -> dict[str, NDArray[np.generic]]:
        """Return what the model gives for rows: an array for each output, whose first size is that of the rows.

        Arguments and errors are those of `predict`.
        """
        check_exists(signature, self.signatures, self._where, "the signature's name")
        given = getattr(rows, "serialized", None)
        if given is None and (split is not None or limit is not None):
            raise DefinitionError(
                "split and limit choose rows of an Examples artifact, and other rows were given.",
                "leave them out, or give what headrace.load returned of Examples.",
            )
        called = self._called
        parts = [called(batch, signature) for batch in self._batches(rows, signature, split, limit)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `ModelData`."""
        if not (found := list(folders(self.path))):
            return model_data(None, self.class_names, bounds)
        return model_data(SavedModel(found[0], self._where), self.class_names, bounds)

    @property
    def _where(self) -> str:
        return f"{self.type_name} {self.artifact_id}" if self.artifact_id else f"the model in {self.uri}"

    @functools.cached_property
    def _files(self) -> SavedModel:
        return SavedModel(self.saved_model_path, self._where)

    @functools.cached_property
    def _loaded(self) -> LoadedModel:
        with _quietly():
            from headrace.models import model

            return model.load(self.saved_model_path, where=self._where)

    @property
    def _called(self) -> Callable[[Any, str], Mapping[str, NDArray[Any]]]:
        return self._loaded.predict

    def _features(self, signature: str) -> dict[str, ExampleFeature] | None:
        called = self.signatures.get(signature)
        if called is None or not called.takes_examples:
            return None
        return example_features.read(self._files.graphs[0], signature)

    def _batches(self, rows: Any, signature: str, split: str | None, limit: int | None) -> Iterator[Any]:
        examples: Examples | None = rows if hasattr(rows, "serialized") else None
        if examples is not None:
            found = examples.serialized(split, limit=limit)
        elif isinstance(rows, (list, tuple)) and rows and all(isinstance(one, bytes) for one in rows):
            found = iter([list(rows)])
        elif self.signatures[signature].takes_examples:
            table = model_rows.to_table(rows, "the rows")
            found = model_rows.serialized(table, self._features(signature), "the rows")
        else:
            yield model_rows.to_tensors(rows, "the rows")
            return
        first = next(found, None)
        if first is None:
            raise ModelInputError("there are no rows to predict.", "give at least one.")
        yield first
        yield from found

    def _columns(self, output: str, array: NDArray[Any]) -> Iterator[tuple[str, Any]]:
        flat = array.reshape(len(array), -1)
        if array.dtype == object:
            flat = np.array([[_text(one) for one in row] for row in flat], dtype=object)
        if flat.shape[1] == 1:
            yield output, flat[:, 0]
            return
        names = self.class_names
        has_names = len(names) == flat.shape[1] and array.ndim == 2
        for at in range(flat.shape[1]):
            yield f"{output}_{names[at] if has_names else at}", flat[:, at]


class PushedModel(Model):
    """A model that was pushed: what `headrace.load` returns of a `PushedModel` artifact."""

    @property
    def destination(self) -> str:
        """Folder or address that it was pushed to; empty where nothing was pushed."""
        return pushed_models.read(self.artifact).destination

    @property
    def version(self) -> str:
        """The name of its version there."""
        return pushed_models.read(self.artifact).version

    @property
    def is_pushed(self) -> bool:
        """Whether it was pushed."""
        return bool(self.destination)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `PushedModelData`."""
        return {"is_pushed": self.is_pushed, "destination": self.destination, "version": self.version}


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Around the import of TensorFlow: what it and its friends say of the machine is of no use to who predicts."""
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def model_data(files: SavedModel | None, names: Sequence[str], bounds: Bounds) -> dict[str, object]:
    """Return what is told of a model: the shape `ModelData`; without a SavedModel its parts are empty."""
    if files is None:
        return {"num_parameters": 0, "num_trainable": 0, "tensorflow_version": "", "class_names": [],
                "features": [], "signatures": [], "layers": [], "weights": []}  # fmt: skip
    found: Description = describe(files)
    graph = files.graphs[0]
    read = example_features.read(graph, SERVING) if SERVING in files.signatures else None
    return {
        "num_parameters": sum(one.size for one in found.variables),
        "num_trainable": sum(one.size for one in found.variables if one.is_trainable),
        "tensorflow_version": found.tensorflow_version,
        "class_names": bounds.first("class_names", names),
        "features": [
            {"name": one.name, "type_name": one.type_name, "shape": None if one.shape is None else list(one.shape),
             "is_required": one.is_required}
            for one in bounds.first("features", list((read or {}).values()))
        ],
        "signatures": [
            {"name": one.name, "inputs": _tensors(one.inputs), "outputs": _tensors(one.outputs)}
            for one in bounds.first("signatures", found.signatures)
        ],
        "layers": [
            {"name": one.name, "operations": list(one.operations), "shape": None if one.shape is None else list(one.shape),
             "num_parameters": one.num_parameters, "inputs": list(one.inputs)}
            for one in bounds.first("layers", found.layers)
        ],
        "weights": [
            {"name": one.name, "type_name": one.type_name, "shape": list(one.shape),
             "values": None if one.values is None else plain(one.values, bounds, f"weights.{one.name}"),
             "features": list(one.features)}
            for one in bounds.first("weights", kept_weights.shown(files, MAX_SHOWN_VALUES))
        ],
    }  # fmt: skip


def _tensors(tensors: Mapping[str, Any]) -> list[dict[str, object]]:
    return [
        {"name": name, "type_name": one.dtype, "shape": None if one.shape is None else list(one.shape)}
        for name, one in tensors.items()
    ]


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
