"""A training that is killed goes on from its last checkpoint, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import checkpoint_training
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headrace.training import checkpoints
from headrace.usercode import functions


@pytest.mark.parametrize("kind", ["memory", "streamed"])
def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(tmp_path, kind):
    """Order of rows, dropout, noise, optimizer, learning rate, callbacks' counts: all go on after SIGKILL."""
    path, run_path = str(tmp_path / "kept" / "a.checkpoint"), str(tmp_path / "run")
    script = checkpoint_training.__file__
    killed = subprocess.run([sys.executable, script, path, run_path, kind], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    found = checkpoints.read(path)
    assert found is not None
    assert found.epochs == checkpoint_training.KILLED_IN

    is_streamed = kind == "streamed"
    begun = functions.load_module(script).Killing.begun
    begun.clear()
    resumed, gone_on = checkpoint_training.train(path, str(tmp_path / "second"), is_streamed)
    assert begun == list(range(checkpoint_training.KILLED_IN, checkpoint_training.EPOCHS))
    whole, undisturbed = checkpoint_training.train("", str(tmp_path / "whole"), is_streamed)

    for one, other in zip(resumed.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(one, other)
    assert gone_on.history == undisturbed.history
    assert (gone_on.steps, gone_on.best) == (undisturbed.steps, undisturbed.best)
    for name in ("history.csv",):
        assert (tmp_path / "second" / name).read_text() == (tmp_path / "whole" / name).read_text()
    assert _scalars(tmp_path / "second") == _scalars(tmp_path / "whole")


def _scalars(folder):
    """What TensorBoard reads of the losses."""
    found = {}
    for part in ("train", "validation"):
        events = EventAccumulator(str(folder / part)).Reload()
        for tag in events.Tags()["tensors"]:
            if tag.startswith("epoch_"):
                found[part, tag] = [one.step for one in events.Tensors(tag)]
    assert len(found) >= 4
    return found


def test_a_damaged_checkpoint_or_one_of_another_model_lets_training_begin_anew(tmp_path):
    path = str(tmp_path / "a.checkpoint")
    with open(path, "wb") as file:
        file.write(b"PK no zip")
    assert checkpoints.read(path) is None
    assert not os.path.exists(path)


def test_what_is_kept_is_json_and_arrays_alone(tmp_path):
    """Nothing of it is unpickled."""
    import zipfile

    path = str(tmp_path / "a.checkpoint")
    checkpoint_training.train(path, "", False)
    with zipfile.ZipFile(path) as file:
        meta = json.loads(file.read("meta.json"))
        assert meta["epochs"] >= 1
        for name in file.namelist():
            if name != "meta.json":
                with file.open(name) as part:
                    np.lib.format.read_array(part, allow_pickle=False)
