"""Who asks a trained model asks `headrace.models`: nothing else loads one, or reads its weights."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("src/headrace", "components", "pipelines")
MODELS = ROOT / "src" / "headrace" / "models"

# How libraries load a model: a call that ends so, or an import of it.
LOADERS = (
    "saved_model.load",
    "saved_model.load_v2",
    "saved_model.loader.load",
    "models.load_model",
    "saving.load_model",
    "train.load_checkpoint",
    "layers.TFSMLayer",
)
MODULES = ("loader_impl", "load_model", "TFSMLayer")


def loads(text: str) -> list[str]:
    """What of a module loads a model in another way: names that are used, and modules that are imported."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            found += [name for loader in LOADERS if f".{name}".endswith(f".{loader}")]
            found += [name for module in MODULES if node.attr == module and name not in found]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [name for name in names if name.rpartition(".")[2] in MODULES]
            # `tensorflow` alone has a loader of this name; Headrace's own comes from `headrace.models`.
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("saved_model"):
                found += [name for name in names if name in ("load", "load_v2", "loader")]
    return found


def test_nothing_else_loads_a_model():
    """On failure the reader sees the file and the loader."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    others = [path for path in paths if MODELS not in path.parents]

    assert len(others) > 300
    assert {str(path.relative_to(ROOT)): found for path in others if (found := loads(path.read_text()))} == {}


def test_the_models_package_is_where_one_is_loaded():
    """The check above would see it there."""
    assert loads((MODELS / "tensorflow_runner.py").read_text()) == ["tf.saved_model.load"]
    assert loads((MODELS / "weights.py").read_text()) == ["tf.train.load_checkpoint"]


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf\nmodel = tf.saved_model.load(path)\n",
        "load = tf.compat.v1.saved_model.load_v2\n",
        "tf.compat.v1.saved_model.loader.load(session, tags, path)\n",
        "keras.models.load_model(path)\n",
        "keras.saving.load_model(path)\n",
        "from keras.models import load_model\n",
        "from tensorflow.python.saved_model import loader_impl\n",
        "import tensorflow.python.saved_model.loader_impl\n",
        "from tensorflow.saved_model import load\n",
        "layer = keras.layers.TFSMLayer(path)\n",
    ],
)
def test_other_ways_are_seen(text: str):
    assert loads(text)


def test_what_only_looks_like_one_is_none():
    assert (
        loads("from headrace.models.model import load\nload(path, where='node')\ntf.saved_model.save(m, p)\n")
        == []
    )
