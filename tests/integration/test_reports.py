"""Every artifact type as a page and as text, from small artifacts; and the commands on a real store."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time

import nodes
import pytest
import report_artifacts as artifacts
from click.testing import CliRunner
from conftest_runs import workers
from rich.console import Console

from headrace.artifact_types.own import OWN
from headrace.authoring import Pipeline
from headrace.authoring.light import authoring
from headrace.cli.main import cli
from headrace.components import CsvExampleGen, ExampleValidator, SchemaGen, StatisticsGen
from headrace.orchestration.engine import start as engine
from headrace.reports.artifacts.renderers import render
from headrace.reports.blocks.blocks import Chart, FeatureList, Note, Report, Section, Table
from headrace.reports.blocks.pages import render_page, walk
from headrace.reports.blocks.texts import print_report
from headrace.run_options import RunOptions

with authoring():
    from tfx.types.channel_utils import union

_ = (workers,)  # fixtures

KINDS = {
    "examples": artifacts.examples,
    "statistics": artifacts.statistics,
    "anomalies": artifacts.anomalies,
    "evaluation": artifacts.evaluation,
    "model_run": artifacts.model_run,
    "tuner_results": artifacts.tuner_results,
}


def page_of(subject) -> str:
    return render_page(Report("t", "s", render(subject)))


def of_type(blocks, kind):
    return [block for block in walk(blocks) if isinstance(block, kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_are_shown_and_not_run(tmp_path, kind):
    """No script of the data reaches the page, be it in HTML, in JSON or in a chart's specification."""
    page = page_of(KINDS[kind](tmp_path / kind))

    own = re.sub(r"<script( type=\"application/json\"[^>]*)?>.*?</script>", "", page, flags=re.DOTALL)
    assert "<script>alert" not in own
    assert "alert(2)</script>" not in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_report_has_a_text(tmp_path, kind):
    console = Console(width=110, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_report(console, Report("t", "s", render(KINDS[kind](tmp_path / kind))))

    assert len(console.export_text().splitlines()) > 8


def test_examples_show_images_as_thumbnails_and_text_in_full(tmp_path):
    blocks = render(artifacts.examples(tmp_path / "examples"))

    table = of_type(blocks, Table)[0]
    row = dict(zip(table.columns, table.cells[1]))
    assert row["picture"].image.startswith("data:image/png;base64,")
    assert row["text"].text == "row 1 — “quoted” & <b>bold</b>"
    assert row["empty"].text == "–"
    assert len(table.rows) == 20


def test_statistics_list_first_what_is_worth_looking_at(tmp_path):
    """A feature whose splits differ comes before one that is alike in both."""
    features = of_type(render(artifacts.statistics(tmp_path / "statistics")), FeatureList)[0].features

    assert any("splits differ: KS" in text for _, text in features[0].remarks)
    assert not any("differ" in text for _, text in features[-1].remarks)
    assert '<path class="s0" d="M' in features[0].sparkline
    assert '<path class="s1" d="M' in features[0].sparkline


def test_correlations_come_from_the_examples(tmp_path):
    examples = artifacts.examples(tmp_path / "examples").artifact
    subject = artifacts.statistics(tmp_path / "statistics")
    subject = artifacts.subject(subject.artifact, inputs={"examples": [examples]})

    text = [note.text for note in of_type(render(subject), Note)]

    assert "Strongest: number and double (1.00)." in text


def test_many_features_make_a_small_page(tmp_path):
    """100 features stay under 1 MB, thousands under 2.2 kB each."""
    assert len(page_of(artifacts.statistics(tmp_path / "some", 100))) < 1_000_000
    started = time.process_time()
    page = page_of(artifacts.statistics(tmp_path / "many", 2_000))

    assert len(page) < 4_400_000
    assert time.process_time() - started < 30, "of this process alone: the machine may be busy"


def test_two_spans_stand_over_each_other(tmp_path):
    one = artifacts.statistics(tmp_path / "one", splits=("train",))
    two = artifacts.statistics(tmp_path / "two", splits=("train",))
    two.artifact.id = 12

    features = of_type(render(one, two), FeatureList)[0]

    assert [name for _, name in features.legend] == ["train (2)", "train (12)"]


def test_schema_and_its_changes(tmp_path):
    before = artifacts.schema(tmp_path / "before", 'feature { name: "a" type: INT }', 3)
    now = artifacts.schema(
        tmp_path / "now", 'feature { name: "a" type: FLOAT presence { min_fraction: 1 } }', 9
    )

    blocks = render(now, before)

    changes = next(
        block for block in blocks if isinstance(block, Section) and block.title == "Changes against schema 3"
    )
    rows = [[cell.text for cell in row] for row in changes.blocks[0].cells]
    assert rows == [["a", "type", "INT", "FLOAT"], ["a", "presence", "optional", "required"]]


def test_anomalies_give_reason_values_and_distances(tmp_path):
    tables = of_type(render(artifacts.anomalies(tmp_path / "anomalies")), Table)

    assert [cell.text for cell in tables[0].cells[0]] == [
        artifacts.HOSTILE,
        "Unexpected string values",
        "Examples contain values missing: Prcard",
        "not in the schema",
    ]
    assert [[cell.text for cell in row][2:] for row in tables[1].cells] == [
        ["L∞", "0.31", "0.01", "over"],
        ["Jensen-Shannon", "0.002", "0.01", "within"],
    ]


def test_evaluation_has_verdict_intervals_baseline_and_curves(tmp_path):
    blocks = render(artifacts.evaluation(tmp_path / "evaluation"))

    assert blocks[0] == Note("NOT BLESSED", "bad")
    overall = next(
        table for table in of_type(blocks, Table) if table.caption == "Metrics of the whole data set"
    )
    assert list(overall.columns) == ["metric", "candidate", "interval", "baseline", "change"]
    assert [cell.text for cell in overall.cells[0]] == ["auc", "0.9", "0.87 to 0.93", "0.88", "+0.02"]
    assert [chart.title for chart in of_type(blocks, Chart)] == [
        "ROC, AUC 0.8333",
        "Precision and recall, AUC 0.7771",
        "Precision, recall and F1 by threshold",
        "Calibration",
        "Residuals",
        "auc by slice",
    ]
    matrix = next(table for table in of_type(blocks, Table) if table.caption.startswith("Counts, and rates"))
    assert [cell.text for cell in matrix.cells[0]] == ["actual 0", "50\n83.3 %", "5\n8.3 %", "5\n8.3 %", "60"]


def test_learning_curves_mark_the_best_epoch(tmp_path):
    blocks = render(artifacts.model_run(tmp_path / "model_run"))

    assert of_type(blocks, Note)[0].text.startswith("Overfitting after epoch 5: ")
    assert '"best epoch 5"' in str(of_type(blocks, Chart)[0].spec).replace("'", '"')


def test_an_artifact_without_files_says_who_made_it(tmp_path):
    """The reader learns what is gone, which run made it, and how to make it again."""
    from headrace.store.read.graph import Place

    subject = artifacts.examples(tmp_path / "examples")
    place = Place("taxi", "CsvExampleGen", "2026-11-21-1")
    subject = artifacts.subject(subject.artifact, place=place, command="headrace run taxi --set epochs=3")
    shutil.rmtree(tmp_path / "examples")

    assert render(subject) == [
        Note(
            f"The files of Examples 1 are gone: {tmp_path / 'examples'}. CsvExampleGen of run 2026-11-21-1 made it.",
            "bad",
            "Make them again with what made them: headrace run taxi --set epochs=3",
        )
    ]


def test_every_renderer_exists_and_loads_no_tensorflow():
    """A page takes tenths of a second, not the five seconds of TensorFlow's import."""
    script = (
        "import sys\n"
        "from headrace.artifact_types.own import OWN, At\n"
        "for kind in OWN.values():\n"
        "    for part in (kind.read, kind.summarize, kind.changes, kind.page, kind.overlay):\n"
        "        _ = part.load() if isinstance(part, At) else None\n"
        "import headrace.reports.runs.page, headrace.reports.blocks.pages, headrace.reports.blocks.texts\n"
        "from headrace.formats.bare_protos import proto_class\n"
        "for name in ('Example', 'SavedModel', 'PredictionLog', 'MetricsForSlice'): proto_class(name)\n"
        "print([n for n in ('tensorflow', 'apache_beam', 'pyarrow', 'pandas', 'tensorflow_model_analysis') if n in sys.modules])\n"
        "import tensorflow as tf\n"
        "print(tf.train.Example().ByteSize())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[:2] == ["[]", "0"]
    assert {"Examples", "Model", "ModelEvaluation"} <= set(OWN)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with a run of the data validation part of a pipeline."""
    root = tmp_path_factory.mktemp("reports")
    data = root / "data"
    data.mkdir()
    lines = ["number,word", *[f"{number},{'ab'[number % 2]}" for number in range(60)]]
    (data / "data.csv").write_text("\n".join(lines))
    examples = CsvExampleGen(input_base=str(data))
    statistics = StatisticsGen(examples=examples.outputs["examples"])
    schema = SchemaGen(statistics=statistics.outputs["statistics"])
    validator = ExampleValidator(statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"])
    pipeline = Pipeline("small", components=[examples, statistics, schema, validator])
    engine.run(pipeline, RunOptions(store=str(root / "store"))).raise_for_failure()
    return str(root / "store")


def invoke(*arguments: str):
    return CliRunner().invoke(cli, list(arguments), env={"COLUMNS": "110"})


def test_show_prints_an_artifact(store):
    """By id and by run and output, with what it holds."""
    done = invoke("show", "latest/SchemaGen.schema", "--store", store)

    assert done.exit_code == 0, done.output
    assert "SchemaGen.schema of pipeline small" in done.output
    assert re.search(r"number\s+INT\s+required", done.output)
    number = re.match(r"Schema (\d+)", done.output)[1]
    assert invoke("show", number, "--store", store).output == done.output


def test_show_writes_a_page(store, tmp_path):
    out = tmp_path / "statistics.html"
    done = invoke("show", "latest/StatisticsGen.statistics", "--store", store, "--html", str(out))

    assert done.output.startswith(f"Wrote {out} (")
    page = out.read_text()
    assert "Correlation" in page or "number" in page
    assert '<svg class="hist"' in page


def test_show_refuses_to_compare_unlike_artifacts(store):
    done = invoke(
        "show", "latest/SchemaGen.schema", "--with", "latest/StatisticsGen.statistics", "--store", store
    )

    assert done.exit_code == 1
    assert "cannot be compared with ExampleStatistics" in done.output


def test_report_holds_the_run_and_all_its_artifacts(store, tmp_path):
    """Graph, timings and a section for each artifact that the graph and the table link to."""
    out = tmp_path / "run.html"
    done = invoke("report", "latest", "--store", store, "--out", str(out))

    assert done.exit_code == 0, done.output
    page = out.read_text()
    links = set(re.findall(r'href="#(artifact-\d+)"', page))
    assert len(links) == 4
    assert all(f'id="{link}"' in page for link in links)
    assert page.count('class="box done"') >= 4
    assert "When each node ran" in page
    assert len(page) < 3_000_000


def test_a_report_that_cannot_be_written_says_so(store):
    done = invoke("report", "--store", store, "--out", "/nowhere/run.html")

    assert done.exit_code == 1
    assert "StoreError: /nowhere/run.html cannot be written: No such file or directory." in done.output


def test_the_page_of_a_partial_run_draws_the_lines_between_what_it_reused(tmp_path, workers):
    """Lines of nodes that an earlier run executed stand in no execution of this one."""

    def run(**options):
        make = nodes.Make()
        use = nodes.Use(given=make.outputs["out"])
        join = nodes.Join(given=union([make.outputs["out"], use.outputs["out"]]))
        pipeline = Pipeline("small", components=[make, use, join])
        settings = RunOptions(store=str(tmp_path / "store"), **options)
        engine.run(pipeline, settings, pool=workers).raise_for_failure()

    run()
    run(only=["Join"], cache=False)

    done = invoke("report", "--store", str(tmp_path / "store"), "--out", str(tmp_path / "run.html"))

    assert done.exit_code == 0, done.output
    # Two lines end at Join, in one head.
    assert (tmp_path / "run.html").read_text().count('class="head"') == 2
