"""ModelRun: learning curves, the best epoch, and whether the model over- or underfits."""

from __future__ import annotations

import math
from collections.abc import Mapping

from headrace.formats import hyperparameters, training_histories
from headrace.formats.training_histories import History, best_epoch
from headrace.reports.blocks import charts
from headrace.reports.blocks.blocks import Block, Chart, Facts, Note, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.store.session import Subject
from headrace.ui.units import plural

# A validation loss that rose by this share since its best epoch is called overfitting.
_RISE = 0.05
_GAP = 0.25
_STILL_FALLING = 0.02
_MAX_ROWS = 200


def render(subject: Subject, other: Subject | None = None) -> list[Block]:
    """Return the learning curves that the Trainer recorded; with `other`, those of both over each other."""
    if other is not None:
        return _compared(subject, other)
    history = training_histories.read(subject.artifact.uri)
    trial = _trial(subject)
    if not any(history.values()):
        text = "No learning curve: the training function recorded no history."
        return [*(trial or [Note(text, "info")]), *_tensorboard(subject)]
    epochs = max(len(values) for values in history.values())
    best = best_epoch(history)
    tone, verdict = judge(history)
    blocks: list[Block] = [
        *trial,
        Facts(
            [
                ("epochs", epochs),
                *([("best epoch", best + 1)] if best is not None else []),
                *_last(history, best),
            ]
        ),
        Note(verdict, tone),
    ]
    names = sorted({name.removeprefix("val_") for name in history}, key=lambda name: (name != "loss", name))
    blocks += [_chart(name, history, best) for name in names]
    columns = list(history)
    rows: list[list[Value]] = [
        [epoch + 1, *[history[name][epoch] if epoch < len(history[name]) else None for name in columns]]
        for epoch in range(min(epochs, _MAX_ROWS))
    ]
    footnote = f"The first {_MAX_ROWS} epochs." if epochs > _MAX_ROWS else ""
    blocks.append(Table(["epoch", *columns], rows, caption="Values by epoch", footnote=footnote))
    return [*blocks, *_tensorboard(subject)]


def _trial(subject: Subject) -> list[Block]:
    """What a Tuner tried here, and what became of it; nothing of a Trainer's."""
    trial = hyperparameters.trial_of(subject.artifact)
    if trial is None:
        return []
    facts: list[tuple[str, Value]] = [("trial", f"{trial.trial_id}, {trial.state}")]
    facts += [("score", trial.score)] if trial.score is not None else []
    facts += [(name, str(value)) for name, value in sorted(trial.values.items())]
    return [Facts(facts), *([Note(trial.message, "bad")] if trial.message else [])]


def _compared(subject: Subject, other: Subject) -> list[Block]:
    return compared(
        {f"ModelRun {one.artifact.id}": training_histories.read(one.artifact.uri) for one in (subject, other)}
    )


def compared(histories: Mapping[str, History]) -> list[Block]:
    """Return the learning curves of several trainings over each other, by what each is called."""
    blocks: list[Block] = []
    for label, history in histories.items():
        if not any(history.values()):
            text = f"{label} has no learning curve: its training recorded none."
            blocks.append(Note(text, "warning"))
    bests = {label: best_epoch(history) for label, history in histories.items()}
    names = list(dict.fromkeys(name for history in histories.values() for name in history))
    rows: list[list[Value]] = [
        ["epochs", *[max(map(len, history.values()), default=0) for history in histories.values()]],
        ["best epoch", *[None if best is None else best + 1 for best in bests.values()]],
    ]
    for name in names:
        values = [_at(history.get(name, []), bests[label]) for label, history in histories.items()]
        rows.append([f"{name} at best", *values])
    blocks.append(Table(["", *histories], rows, caption="Compared"))
    return [*blocks, *[_chart_of_all(name, histories) for name in names]]


def _at(values: list[float], epoch: int | None) -> float | None:
    return values[epoch] if epoch is not None and epoch < len(values) else None


def _chart_of_all(name: str, histories: Mapping[str, History]) -> Chart:
    series = [label for label, history in histories.items() if history.get(name)]
    rows = [
        {"x": epoch + 1, "y": value, "series": label}
        for label in series
        for epoch, value in enumerate(histories[label][name])
        if math.isfinite(value)
    ]
    spec = charts.lines(rows, "epoch", name, series=series, marks=[], is_counted=True)
    ends = [
        f"{label} {format_number(histories[label][name][0])} to {format_number(histories[label][name][-1])}"
        for label in series
    ]
    return Chart(name, spec, f"{name} by epoch: {', '.join(ends)}")


def _tensorboard(subject: Subject) -> list[Block]:
    run_id = subject.place.run_id
    if not run_id:
        return []
    return [Note("More of it in TensorBoard:", "info", f"headrace tensorboard {run_id}")]


def judge(history: History) -> tuple[str, str]:
    """Return tone and sentence: how training went, and what to try."""
    loss, val = history.get("loss", []), history.get("val_loss", [])
    if any(not math.isfinite(value) for value in [*loss, *val]):
        return (
            "bad",
            "The loss became NaN or infinite: lower the learning rate and look for extreme values in the data.",
        )
    best = best_epoch(history)
    if not val or not loss or best is None:
        return "info", "No loss on validation data was recorded: over- and underfitting cannot be told."
    rise = (val[-1] - val[best]) / abs(val[best]) if val[best] else 0.0
    if rise > _RISE and best < len(val) - 1:
        return "warning", (
            f"Overfitting after epoch {best + 1}: the validation loss rose from {format_number(val[best])} to "
            f"{format_number(val[-1])} while training went on. Stop earlier, or regularize more."
        )
    if (
        len(val) > 1
        and best == len(val) - 1
        and val[-2]
        and (val[-2] - val[-1]) / abs(val[-2]) > _STILL_FALLING
    ):
        return "info", (
            f"Underfitting, perhaps: the validation loss still fell in the last epoch, from {format_number(val[-2])} to "
            f"{format_number(val[-1])}. More steps may give a better model."
        )
    last = min(len(loss), len(val)) - 1
    if val[last] - loss[last] > _GAP * abs(val[last]):
        return "warning", (
            f"Some overfitting: the loss is {format_number(loss[last])} on training and {format_number(val[last])} on "
            "validation data."
        )
    return "good", "Training settled: the validation loss follows the training loss and has stopped falling."


def _last(history: History, best: int | None) -> list[tuple[str, Value]]:
    if best is None:
        return []
    return [(f"{name} at best", values[best]) for name, values in history.items() if best < len(values)]


def _chart(name: str, history: History, best: int | None) -> Chart:
    labels = {name: "train", f"val_{name}": "validation"}
    series = [label for key, label in labels.items() if key in history]
    rows = [
        {"x": epoch + 1, "y": value, "series": label}
        for key, label in labels.items()
        for epoch, value in enumerate(history.get(key, []))
        if math.isfinite(value)
    ]
    epochs = max(len(history.get(key, [])) for key in labels)
    marks = []
    if best is not None:
        is_right = best + 1 > epochs / 2
        marks = [{"x": best + 1, "label": f"best epoch {best + 1}", "is_right": is_right}]
    spec = charts.lines(rows, "epoch", name, series=series, marks=marks, is_counted=True)
    ends = [
        f"{label} {format_number(history[key][0])} to {format_number(history[key][-1])}"
        for key, label in labels.items()
        if history.get(key)
    ]
    return Chart(name, spec, f"{name} over {plural(epochs, 'epoch')}: {', '.join(ends)}")
