"""A Tuner in a run whose trials are trained side by side: what becomes of each, and what TensorBoard shows of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import tuned_models
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from headrace import testing
from headrace.components import Tuner
from headrace.formats import hyperparameters
from headrace.orchestration.runners.local.workers import Workers
from headrace.runtime.processes import side_processes

_SCHEMA = "\n".join(
    f'feature {{ name: "{name}" type: FLOAT presence {{ min_fraction: 1 }} shape {{ dim {{ size: 1 }} }} }}'
    for name in "xy"
)


def _events_of(folder: str) -> dict[str, object]:
    """Return the hyperparameters of a trial, and the names of its scalars, as TensorBoard reads them."""
    read = EventAccumulator(folder)
    read.Reload()
    metadata = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    info = plugin_data_pb2.HParamsPluginData.FromString(metadata).session_start_info
    return {
        "how": info.hparams["how"].string_value,
        "units": info.hparams["units"].number_value,
        "scalars": [tag for tag in read.Tags()["tensors"] if not tag.startswith("_")],
    }


@pytest.mark.skipif(
    side_processes.num_processors() < 2, reason="with one processor nothing runs side by side"
)
def test_values_that_kill_their_process_fail_their_trial_alone(tmp_path: Path) -> None:
    """However many processes they kill: others take their place."""
    numbers = [{"x": float(x), "y": 2.0 * x} for x in range(16)]
    rows = testing.make_examples(tmp_path / "rows", {"train": numbers, "eval": numbers})
    schema = testing.make_schema(tmp_path / "schema", _SCHEMA)
    space = {"how": ["killed", "plain", "raises"], "units": [1, 2, 3]}
    tuner = Tuner(
        examples=testing.channel(rows),
        schema=testing.channel(schema),
        build_model=tuned_models.build_model,
        label="y",
        search_space=space,
        tune_args={"num_parallel_trials": 2},
        epochs=2,
        search="grid",
    )

    with Workers(lambda: ["headrace.components.tuner.executor"]) as workers:
        result = testing.run_component(tuner, tmp_path / "store", runner=workers)

    trials = [hyperparameters.trial_of(one) for one in result.outputs["trials"]]
    ended = [(one.values["how"], one.values["units"], one.state, one.message[:10]) for one in trials if one]
    # The best first, then those that failed, in the order in which they began.
    assert sorted(ended[:3]) == [("plain", units, "complete", "") for units in (1, 2, 3)]
    assert ended[3:] == [
        *[("killed", units, "failed", "its proces") for units in (1, 2, 3)],
        *[("raises", units, "failed", "ValueError") for units in (1, 2, 3)],
    ]
    events = [_events_of(one.uri) for one in result.outputs["trials"]]
    assert [(one["how"], one["units"]) for one in events] == [
        (how, float(units)) for how, units, _, _ in ended
    ]
    assert [one["scalars"] for one in events] == [["val_loss"]] * 3 + [[]] * 6
