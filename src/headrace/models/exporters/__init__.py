"""What writes a trained model as a SavedModel, whatever framework trained it.

A framework adds one module, an `Exporter` (see `servable`), and a line in `frameworks`; it is imported only for objects
of this framework. `saving` writes the files, the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headrace.formats import model_labels
from headrace.models.exporters import frameworks

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2


def export_model(
    model: Any,
    path: str,
    *,
    transform_graph_path: str | None = None,
    schema: schema_pb2.Schema | None = None,
    schema_path: str | None = None,
    label: str | None = None,
    features: Sequence[str] | None = None,
    num_classes: int | None = None,
) -> None:
    """Save a model with the signatures `serving_default` and `transform_features`.

    Both take one tensor `examples` of serialized raw tf.Examples. `serving_default` reads what the model's
    inputs are made of and nothing else, so requests need no label. `transform_features` returns all
    transformed features, the label among them, in the shapes in which Transform makes them; without a
    transform graph, the raw features as the model gets them.

    Args:
        model: Of Keras 3; its inputs are named after (transformed) features, or its one input is the numbers of a row
            side by side; see `keras_inputs`. A subclassed model takes a dict of all. Or a fitted estimator or Pipeline of
            scikit-learn, XGBoost or LightGBM; see `estimator_exporter`.
        path: The folder to write, such as `fn_args.serving_model_dir`.
        transform_graph_path: Such as `fn_args.transform_graph_path`. It becomes a part of the model.
        schema: Of raw examples, where there is no transform graph.
        schema_path: The schema's file instead of the schema, such as `fn_args.schema_path`.
        label: What the model predicts: kept from a model that is given all other features, and written beside the
            model, where an Evaluator finds it.
        features: Those that it is given, in the order in which they stand side by side. Default: all, in the order of
            the schema or the transform graph.
        num_classes: Of an estimator whose training rows may lack classes: how many the label has. Default: what the
            schema or the transform graph says of the label, or the greatest class that was learned.

    Raises:
        ModelError: If nothing is known that exports such an object, naming what can be exported.
        TrainingError: If the model has an input that is no feature.

    Example:
        >>> def run_fn(fn_args):
        ...     model = train(fn_args)
        ...     export_model(
        ...         model, fn_args.serving_model_dir, transform_graph_path=fn_args.transform_graph_path
        ...     )
    """
    exporter = frameworks.find(model, "export_model")
    from headrace.models.exporters import saving

    reader = saving.make_reader(transform_graph_path, schema, schema_path)
    known = reader.features.without(*([label] if label else []))
    chosen = known if features is None else known.choose(features, "export_model")
    of_label = reader.features[label].num_values if label is not None and label in reader.features else None
    if of_label is not None:
        num_classes = max(of_label, num_classes or 0)
    saving.save(exporter.servable(model, chosen, "export_model", num_classes), reader, path)
    if label:
        model_labels.write(path, model_labels.ModelLabel(label, bool(transform_graph_path)))


def check(model: Any, where: str) -> None:
    """Check before training that a model can be exported after it.

    Raises:
        ModelError: If it cannot, naming what can be.
    """
    frameworks.find(model, where).check(model, where)


def told(model: Any) -> str:
    """Return the size of a trained model in words, such as `"200 trees, 31,000 nodes"`; empty where nothing is known."""
    return frameworks.find(model, "told").told(model)


def start_from(model: Any, path: str, where: str) -> None:
    """Give a model the weights of one that `export_model` wrote.

    Args:
        model: Built, and not yet trained.
        path: Folder of the SavedModel.
        where: The node, for messages.

    Raises:
        TrainingError: If the SavedModel has other weights than the model.
        ModelError: If nothing is known of such an object.
    """
    frameworks.find(model, where).start_from(model, path, where)
