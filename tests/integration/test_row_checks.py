"""Checks of rows by ExampleValidator: each planted fault is an anomaly, in TFX's file and with its rows beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dirty_rows
import numpy as np
import pytest
import soundfile
from dirty_rows import Row

from headrace import checks
from headrace.components import ExampleValidator
from headrace.errors import AnomaliesError, DefinitionError
from headrace.formats import artifacts, findings, protos
from headrace.store.session import open_store
from headrace.testing import channel, make_examples, make_schema, make_statistics, run_component


def _check(folder: Path, splits: dict[str, list[Row]], *made: Any, **arguments: Any) -> Any:
    examples = make_examples(folder / "rows", splits)
    component = ExampleValidator(examples=channel(examples), checks=list(made), **arguments)
    return run_component(component, folder / "store")


def _found(result: Any, split: str = "train") -> dict[str, Any]:
    """The findings of a split by problem."""
    folder = artifacts.split_path(result.output("anomalies"), split)
    found = findings.read(folder)
    assert found is not None
    return {one.problem: one for one in found.findings}


def _rows(finding: Any) -> list[int]:
    return [sample.row for sample in finding.samples]


def test_each_special_picture_is_found_and_no_good_one(tmp_path: Path) -> None:
    result = _check(tmp_path, {"train": dirty_rows.pictures()}, checks.images())

    named = {
        problem: {sample.features["path"].removeprefix("special/") for sample in finding.samples}
        for problem, finding in _found(result).items()
    }
    assert named == {
        "Undecodable pictures": {"truncated.png", "empty.png", "text.png"},
        "Too small": {"tiny.png"},
        "Unusual colour model": {"cmyk.jpg"},
        "Extension of another format": {"really_jpeg.png"},
        "Blank pictures": {"blank.png"},
        "Blurred pictures": {"blurred.png"},
        "Pictures of 1 channel": {"grey.png"},
        "Pictures of 4 channels": {"cmyk.jpg"},
        "Grey pictures": {"grey.png"},
    }
    assert all(sample.thumbnail for sample in _found(result)["Blurred pictures"].samples)
    anomalies = protos.read_anomalies(result.output("anomalies"), "train").anomaly_info["image"]
    assert anomalies.short_description == "Multiple errors"
    assert len(anomalies.reason) == len(named)
    assert anomalies.severity == anomalies.ERROR


def test_formats_channels_and_share_are_as_asked_for(tmp_path: Path) -> None:
    rows = [
        {"image": dirty_rows.encoded(dirty_rows.picture(seed), "JPEG" if seed % 4 else "PNG")}
        for seed in range(8)
    ]
    found = _found(_check(tmp_path / "1", {"train": rows}, checks.images(formats=["jpeg"], channels=4)))
    assert found["Unexpected format"].num_rows == 2
    assert found["Pictures of 3 channels"].num_rows == 8
    assert found["Pictures of 3 channels"].is_error

    assert (
        _found(_check(tmp_path / "2", {"train": rows}, checks.images(formats=["jpeg"], max_share=0.25))) == {}
    )


def test_texts_that_are_empty_long_foreign_or_decoded_wrongly(tmp_path: Path) -> None:
    rows = dirty_rows.texts()
    rows += [
        {"text": "camión".encode("latin-1"), "label": 0},
        {"text": "camiÃ³n bonito".encode(), "label": 0},
        {"text": b"this is a longer sentence in English about nothing at all", "label": 0},
    ]
    found = _found(
        _check(
            tmp_path, {"train": rows}, checks.texts(language={"es", "zh"}), checks.duplicates(label="label")
        )
    )

    assert {problem: _rows(finding) for problem, finding in found.items()} == {
        "Not UTF-8": [10],
        "Decoded with the wrong encoding": [11],
        "Empty texts": [4],
        "Texts too long": [6],
        "Unexpected language": [12],
        "Contradicting labels": [7, 8],
    }
    assert found["Contradicting labels"].samples[0].note == "contradicts train 8"


def test_words_that_train_does_not_know(tmp_path: Path) -> None:
    splits = {
        "train": [{"text": b"a good film"}, {"text": b"a bad film"}],
        "eval": [{"text": b"a good film"}],
        "test": [{"text": b"strange unheard words film"}],
    }
    result = _check(tmp_path, splits, checks.texts(out_of_vocabulary=0.5))

    assert _found(result, "eval") == {}
    assert "75.0 % of the words of split 'test'" in _found(result, "test")["Unknown words"].description


@pytest.mark.parametrize("is_encoded", [True, False])
def test_sounds_of_another_rate_silent_clipped_or_broken(tmp_path: Path, is_encoded: bool) -> None:
    import io

    tone = (0.5 * np.sin(np.arange(4000) / 5)).astype(np.float32)
    samples = [tone, tone, tone, np.zeros(4000, np.float32), np.clip(5 * tone, -1, 1), tone[:100]]
    rates = [8000, 8000, 4000, 8000, 8000, 8000]
    rows: list[Row] = []
    for one, rate in zip(samples, rates, strict=True):
        if is_encoded:
            out = io.BytesIO()
            soundfile.write(out, one, rate, format="WAV", subtype="FLOAT")
            rows.append({"clip": out.getvalue()})
        else:
            rows.append({"audio": one.tolist(), "rate": rate})
    rows.append({"clip": b"RIFF no sound"} if is_encoded else {"audio": None, "rate": 8000})

    found = _found(_check(tmp_path, {"train": rows}, checks.sounds(seconds=(0.2, 2))))

    assert {problem: _rows(finding) for problem, finding in found.items()} == {
        "Undecodable sounds": [7],
        "Unexpected length": [6],
        "Unexpected rate": [3],
        "Silent sounds": [4],
        "Clipped sounds": [5],
    }


def test_text_among_numbers_nan_outliers_and_missing_labels_are_named(tmp_path: Path) -> None:
    """In a CSV, one text makes the whole column text: the column counts as one of numbers all the same."""
    rows: list[Row] = [
        {"sugar": b"%.2f" % (1.5 + at / 50), "alcohol": 9.0 + at / 40, "label": at % 2} for at in range(60)
    ]
    rows[3]["sugar"], rows[10]["label"], rows[20]["alcohol"] = b"n/a", None, 1e9
    rows[25]["alcohol"], rows[30]["sugar"] = float("nan"), b"7e7"
    splits = {"train": rows[:40], "eval": rows[40:]}

    result = _check(tmp_path, splits, checks.numbers(required="label"), checks.balance("label"))

    anomalies = findings.read(artifacts.split_path(result.output("anomalies"), "train"))
    assert anomalies is not None
    assert {(one.feature, one.problem, *_rows(one)) for one in anomalies.findings} == {
        ("label", "Missing values", 11),
        ("label", "No label", 11),
        ("sugar", "Text among numbers", 4),
        ("sugar", "Far outliers", 31),
        ("alcohol", "Not finite", 26),
        ("alcohol", "Far outliers", 21),
    }
    assert _found(result, "eval") == {}


def test_classes_that_are_rare_or_in_one_split_alone(tmp_path: Path) -> None:
    splits = {
        "train": [{"label": b"a"}] * 150 + [{"label": b"b"}] * 50 + [{"label": b"c"}],
        "eval": [{"label": b"a"}] * 10 + [{"label": b"d"}] * 9,
    }
    result = _check(tmp_path, splits, checks.balance("label", min_share=0.02))

    train, held_out = _found(result), _found(result, "eval")
    assert set(train) == {"Few rows of a class", "Small share of a class", "Class in one split alone"}
    assert "'c' (1 row)" in train["Few rows of a class"].description
    assert "'c' (1 row), 'b' (50 rows)" in train["Class in one split alone"].description
    assert set(held_out) == {"Class not in 'train'"}
    assert held_out["Class not in 'train'"].is_error


def test_a_number_that_is_predicted_is_no_class(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        _check(tmp_path, {"train": [{"price": 1.5}]}, checks.balance("price"))

    assert caught.value.problem == (
        "ExampleValidator: balance: label 'price' holds 1.5, where whole numbers are needed."
    )


def test_a_planted_leak_is_an_anomaly_of_the_later_split(tmp_path: Path) -> None:
    rows = dirty_rows.numbers(60)
    held_out = dirty_rows.numbers(20, seed=1)
    held_out[4] = {**rows[7], "label": 9}  # Another label makes it no less known.
    made = checks.leaks(label="label", fail_on="error")

    with pytest.raises(AnomaliesError) as caught:
        _check(tmp_path / "1", {"train": rows, "eval": held_out}, made)
    assert "eval: the dataset: Rows of another split (1 of 20 rows (5 %)" in caught.value.problem

    result = _check(tmp_path / "2", {"train": rows, "eval": held_out}, {**made, "fail_on": None})
    found = _found(result, "eval")["Rows of another split"]
    assert [(one.row, one.note) for one in found.samples] == [(5, "copy of train 8")]
    assert _found(result, "train") == {}
    info = protos.read_anomalies(result.output("anomalies"), "eval").dataset_anomaly_info
    assert info.short_description == "Rows of another split"


def test_near_copies_groups_and_times_leak_as_well(tmp_path: Path) -> None:
    first = dirty_rows.picture(0)
    train = [
        {
            "image": dirty_rows.encoded(dirty_rows.picture(at)),
            "patient": at,
            "day": f"2026-03-{at + 1:02}".encode(),
        }
        for at in range(6)
    ]
    held_out = [
        {"image": dirty_rows.encoded(first, "JPEG"), "patient": 50, "day": b"2026-04-01"},
        {"image": dirty_rows.encoded(dirty_rows.picture(9)), "patient": 3, "day": b"2026-03-02"},
    ]
    made = checks.leaks(keys=["image"], near=checks.near_images(), group="patient", time="day")
    found = _found(_check(tmp_path, {"train": train, "eval": held_out}, made), "eval")

    assert {problem: _rows(finding) for problem, finding in found.items()} == {
        "Rows near to those of another split": [1],
        "Group in two splits": [2],
        "Times overlap": [2],
    }
    assert "'train' ends at 2026-03-06, 'eval' begins at 2026-03-02" in found["Times overlap"].description


def test_gaps_repeated_times_and_order_by_group(tmp_path: Path) -> None:
    hours = [at for at in range(40) if at not in (10, 11, 12, 13)]
    rows: list[Row] = [
        {"time": f"2026-03-{1 + hour // 24:02}T{hour % 24:02}:00:00".encode(), "sensor": name}
        for name in (b"a", b"b")
        for hour in (hours if name == b"a" else range(40))
    ]
    rows += [{"time": b"2026-03-01T05:00:00", "sensor": b"a"}, {"time": None, "sensor": b"b"}]
    found = _found(_check(tmp_path, {"train": rows}, checks.series("time", group="sensor")))

    assert {problem: _rows(finding) for problem, finding in found.items()} == {
        "Gaps in time": [11],
        "Repeated times": [77],
        "Rows out of order": [77],
        "Rows without a time": [78],
    }
    assert (
        "more than 3 hours, 3 times the usual step (the longest 5 hours)" in found["Gaps in time"].description
    )


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (checks.images(), "images: no feature holds pictures. The examples have 'label' (integers)"),
        (checks.balance("lable"), "balance: there is no feature 'lable'. The examples have 'label', 'text'."),
        (checks.texts("label"), "texts: feature 'label' holds integers, where texts are needed."),
        (
            checks.texts(language=["spanish"]),
            "texts: language names 'spanish', which py3langid does not tell.",
        ),
        (checks.series("text"), "series: none of the values of 'text' is a time."),
        (checks.leaks(group="patient"), "leaks: there is no feature 'patient'."),
    ],
)
def test_what_the_data_does_not_have_is_named(tmp_path: Path, made: Any, problem: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        _check(tmp_path, {"train": [{"text": b"some words", "label": 1}]}, made)

    assert caught.value.problem.startswith(f"ExampleValidator: {problem}")


def test_rows_and_statistics_are_validated_together(tmp_path: Path) -> None:
    """Anomalies of the schema stay what they are; a check that never stops leaves them to stop the pipeline."""
    schema = make_schema(tmp_path / "schema", 'feature { name: "gone" type: INT presence { min_count: 1 } }')
    statistics = make_statistics(tmp_path / "statistics", {"train": "datasets { num_examples: 3 }"})
    inputs = {"statistics": channel(statistics), "schema": channel(schema)}
    rows = {"train": [{"x": 1}] * 3}

    result = _check(tmp_path / "1", rows, checks.duplicates(), **inputs)
    anomalies = protos.read_anomalies(result.output("anomalies"), "train")
    assert anomalies.anomaly_info["gone"].short_description == "Column dropped"
    assert anomalies.dataset_anomaly_info.short_description == "Duplicates"

    with pytest.raises(AnomaliesError) as caught:
        _check(tmp_path / "2", rows, checks.duplicates(fail_on="never"), **inputs, fail_on="any")
    assert "gone: Column dropped" in caught.value.problem
    assert "Duplicates" not in caught.value.problem


def test_its_page_shows_rows_and_calls_nothing_good_that_is_not(tmp_path: Path) -> None:
    from headrace.reports.artifacts import renderers
    from headrace.reports.blocks.blocks import Note
    from headrace.reports.blocks.pages import walk

    good = {"train": dirty_rows.numbers(10), "eval": dirty_rows.numbers(10, seed=1)}
    bad = {**good, "eval": good["train"]}
    tones = {}
    for name, splits in (("good", good), ("bad", bad)):
        result = _check(tmp_path / name, splits, checks.leaks(), checks.duplicates())
        with open_store(result.store) as store:
            blocks = list(walk(renderers.render(store.subject(result.output("anomalies").id))))
        tones[name] = [(note.tone, note.text) for note in blocks if isinstance(note, Note)]

    assert ("good", "No anomalies: the checks of rows found nothing (leaks, duplicates).") in tones["good"]
    assert ("bad", "1 anomaly found.") in tones["bad"]
    assert ("good", "No anomalies.") in tones["bad"]  # Of split train.
