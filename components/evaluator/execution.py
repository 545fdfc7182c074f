"""One execution of the Evaluator: evaluates the model, writes TFMA's result files, blesses the model or not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import tensorflow_model_analysis as tfma
from apache_beam.metrics.metric import MetricsFilter
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import artifact_utils

from headrace.authoring import Artifact
from headrace.components.evaluator import (
    batches,
    checked_extractors,
    checks,
    classes,
    decisions,
    intervals,
    merging,
    predictions,
    preparing,
    results,
    summaries,
    tfma_internals,
    verdict,
)
from headrace.components.evaluator.preparation import Evaluation
from headrace.components.evaluator.tfma_internals import constants, metric_specs, model_util
from headrace.errors import EmptyDataError, listed
from headrace.formats import artifacts, blessings, tensorflow_paths, verdicts
from headrace.formats import decisions as decision_files
from headrace.formats.examples import examples as examples_io
from headrace.formats.tfx_bsl_internals import example_coder, tensor_adapter
from headrace.runtime.context import ExecutionContext
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread

# TFMA's own extractors take time that grows with the square of the batch where values are missing.
_ROW_WISE_BATCH_ROWS = 1_000

MakePipeline = Callable[[], beam.Pipeline]
# Of each file the number of its rows, and the metrics whose rows TFMA added one by one.
Found = SharedFolder[tuple[int, tuple[str, ...]]]


def run(context: ExecutionContext, make_pipeline: MakePipeline) -> None:
    """Fill `evaluation` and `blessing`; see `Evaluator`.

    Args:
        context: The execution.
        make_pipeline: Makes a pipeline whose steps may be spread over the context's side processes.
    """
    context.progress.report("checking model and configuration")
    evaluation = preparing.prepare(context)
    folder = context.output("evaluation").uri
    os.makedirs(folder, exist_ok=True)
    splits = ", ".join(dict.fromkeys(split for _, split in evaluation.examples))
    context.progress.report(f"evaluating {splits}")
    if needs_tfma := _needs_tfma(evaluation):
        context.ran_stock(needs_tfma)
        num_rows = _run_by_rows(context, evaluation, folder, make_pipeline())
    else:
        num_rows = _run_by_batches(context, evaluation, folder, make_pipeline)
    if num_rows == 0:
        raise EmptyDataError(
            f"{context.node_id}: splits {splits} have no row to evaluate.",
            "check the output of ExampleGen.",
        )
    context.progress.report("writing the verdict")
    _bless(context, evaluation, folder, num_rows)


def _run_by_rows(
    context: ExecutionContext, evaluation: Evaluation, folder: str, pipeline: beam.Pipeline
) -> int | None:
    """Evaluate with TFMA's own extractors and evaluators; return the number of rows where it is known."""
    with pipeline, merging.mended():
        _evaluate_by_rows(pipeline, context, evaluation, folder)
    return _num_rows(pipeline.result)


def _run_by_batches(
    context: ExecutionContext, evaluation: Evaluation, folder: str, make_pipeline: MakePipeline
) -> int:
    """Evaluate batch by batch; return the number of rows."""
    # One for all stages: a process that has loaded the models keeps them.
    models = evaluation.asked or predictions.of(evaluation, context.node_id)
    class_names = _class_names(context, evaluation, models, make_pipeline)
    with make_pipeline() as pipeline:
        left = _evaluate_by_batches(pipeline, context, evaluation, models, folder, class_names)
    if class_names:
        classes.write(class_names, folder)
    found = list(left.read())
    if names := {name for _, row_wise in found for name in row_wise}:
        context.ran_own(f"TFMA itself adds up {listed(names)}, row by row")
    return sum(num_rows for num_rows, _ in found)


def _class_names(
    context: ExecutionContext,
    evaluation: Evaluation,
    models: predictions.Predictions | None,
    make_pipeline: MakePipeline,
) -> list[bytes]:
    """Names of the classes that labels and predictions hold, in order; none where predictions are numbers."""
    if evaluation.class_names:
        return [name.encode() for name in evaluation.class_names]
    if not checks.has_class_names(evaluation.config, evaluation.saved_models, evaluation.examples):
        return []
    parts = _parts(evaluation)
    names: SharedFolder[Sequence[bytes]] = _shared_folder(context, "FindClassNames", parts)
    find = _batch_step(batches.FindClassNames, context, evaluation, models, (), intervals.Sampling())
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | "Files" >> beam.Create(parts)
            | "FindClassNames" >> beam.ParDo(Spread(find, context.side_processes))
            | "Keep" >> beam.MapTuple(names.keep)
        )
    return sorted({name for found in names.read() for name in found})


def _shared_folder(
    context: ExecutionContext, stage: str, parts: Sequence[batches.FilePart]
) -> SharedFolder[Any]:
    """Return where each part of the examples leaves what a stage found in it."""
    return SharedFolder.make(context.tmp_path, f"{context.node_id}: Beam stage '{stage}'", len(parts))


def _needs_tfma(evaluation: Evaluation) -> str:
    """Why TFMA's own extractors and evaluators are needed, which go row by row; empty where they are not."""
    if tfma_internals.MISSING:
        return tfma_internals.MISSING
    config = evaluation.config
    needs = {
        "the module file has custom_extractors": evaluation.extractors is not None,
        "a model is no SavedModel with signatures": len(evaluation.saved_models) != len(evaluation.models),
        "metrics_specs have a query_key": any(spec.query_key for spec in config.metrics_specs),
        "slicing_specs have slice_keys_sql": any(spec.slice_keys_sql for spec in config.slicing_specs),
        "cross_slicing_specs are given": bool(config.cross_slicing_specs),
        "options have disabled_outputs": bool(config.options.disabled_outputs.values),
    }
    return next((reason for reason, holds in needs.items() if holds), "")


def _evaluate_by_batches(
    pipeline: beam.Pipeline,
    context: ExecutionContext,
    evaluation: Evaluation,
    models: predictions.Predictions | None,
    folder: str,
    class_names: Sequence[bytes],
) -> Found:
    """Add the evaluation to a pipeline; return what each file leaves."""
    config = evaluation.config
    computations = results.separate(
        metric_specs.to_computations(list(config.metrics_specs), eval_config=config, schema=evaluation.schema)
    )
    sampling = intervals.sampling(config)
    evaluate = _batch_step(
        batches.EvaluateFile, context, evaluation, models, computations.combined, sampling, class_names
    )
    parts = _parts(evaluation)
    found: Found = _shared_folder(context, "EvaluateFile", parts)
    _ = (
        pipeline
        | "Files" >> beam.Create(parts, reshuffle=len(parts) > 1)
        | "EvaluateFile" >> beam.ParDo(Spread(evaluate, context.side_processes))
        | "Slices" >> beam.FlatMap(_slices, found)
        | "BySlice" >> beam.GroupByKey()
        | "FinishSlice" >> beam.ParDo(results.FinishSlice(config, computations, sampling))
        | "AllSlices" >> beam.combiners.ToList()
        | "Write" >> beam.Map(results.write, config, folder)
    )
    paths = {model.model_name: str(model.model_path) for model in predictions.shared_models(evaluation)}
    results.write_eval_config(config, paths, folder)
    return found


def _batch_step(
    step: type[batches.EvaluateFile],
    context: ExecutionContext,
    evaluation: Evaluation,
    models: predictions.Predictions | None,
    computations: Sequence[Any],
    sampling: intervals.Sampling,
    class_names: Sequence[bytes] = (),
) -> batches.EvaluateFile:
    config = evaluation.config
    return step(
        config,
        models,
        computations,
        evaluation.schema,
        batches.representations(evaluation.schema),
        batches.needed_features(config, computations, predictions.are_of_examples(evaluation)),
        sampling,
        class_names,
        context.progress,
    )


def _parts(evaluation: Evaluation) -> list[batches.FilePart]:
    files = [
        (path, artifacts.payload_format(artifact))
        for artifact, split in evaluation.examples
        for path in artifacts.split_files(artifact, split)
    ]
    return [batches.FilePart(index, path, payload) for index, (path, payload) in enumerate(files)]


def _evaluate_by_rows(
    pipeline: beam.Pipeline, context: ExecutionContext, evaluation: Evaluation, folder: str
) -> None:
    models = list(evaluation.models)
    shared = models[0] if len(models) == 1 else models or None
    tensor_adapter_config = None
    if evaluation.schema is not None:
        tensor_adapter_config = tensor_adapter.TensorAdapterConfig(
            arrow_schema=_arrow_schema(evaluation.schema),
            tensor_representations=batches.representations(evaluation.schema),
        )
    make_extractors = evaluation.extractors or tfma.default_extractors
    extractors = make_extractors(
        eval_shared_model=shared,
        eval_config=evaluation.config,
        tensor_adapter_config=tensor_adapter_config,
    )
    _ = _read(pipeline, context, evaluation) | "Evaluate" >> tfma.ExtractEvaluateAndWriteResults(
        eval_shared_model=shared,
        eval_config=evaluation.config,
        extractors=checked_extractors.with_checks(extractors, evaluation.config),
        output_path=folder,
        tensor_adapter_config=tensor_adapter_config,
    )


def _read(pipeline: beam.Pipeline, context: ExecutionContext, evaluation: Evaluation) -> beam.PCollection:
    parts = [
        pipeline
        | f"Read[{split}][{number}]"
        >> examples_io.ReadRecordBatches(
            artifact,
            split,
            schema=evaluation.schema,
            raw_record_column=constants.ARROW_INPUT_COLUMN,
            batch_rows=_ROW_WISE_BATCH_ROWS,
            progress=context.progress,
        )
        for number, (artifact, split) in enumerate(evaluation.examples)
    ]
    return parts | "AllParts" >> beam.Flatten() | "CountRows" >> beam.Map(_count_rows)


def _slices(evaluated: batches.Evaluated, found: Found) -> Iterator[tuple[Any, results.Part]]:
    """Yield what a file added to each slice, by slice; keep the number of its rows, and what went row by row."""
    found.keep(evaluated.index, (evaluated.num_rows, evaluated.row_wise))
    for (key, sample), num_rows, accumulators in evaluated.accumulators:
        yield key, (evaluated.index, sample, num_rows, accumulators)


def _count_rows(batch: Any) -> Any:
    beam.metrics.Metrics.counter("headrace", "rows").inc(batch.num_rows)
    return batch


def _num_rows(result: Any) -> int | None:
    """Rows that were read; `None` on a runner that keeps no counters."""
    try:
        counters = result.metrics().query(MetricsFilter().with_name("rows"))["counters"]
    except (AttributeError, NotImplementedError):
        return None
    return sum(counter.committed or 0 for counter in counters) if counters else None


def _arrow_schema(schema: schema_pb2.Schema) -> Any:
    return example_coder.ExamplesToRecordBatchDecoder(schema.SerializeToString()).ArrowSchema()


def _bless(context: ExecutionContext, evaluation: Evaluation, folder: str, num_rows: int | None) -> None:
    judged = verdict.judge(evaluation.given, evaluation.config, folder)
    is_blessed = None
    if evaluation.is_validated:
        is_blessed = bool(tfma.load_validation_result(tensorflow_paths.without_signs(folder)).validation_ok)
        _mark(context, is_blessed)
    verdicts.write(folder, is_blessed, judged)
    chosen = decisions.taken(evaluation.config, folder, [split for _, split in evaluation.examples])
    if chosen is not None:
        decision_files.write(folder, chosen)
        if is_blessed is not None:
            # Beside the verdict, where Pusher finds it.
            decision_files.write(context.output("blessing").uri, chosen)
    baseline = model_util.get_baseline_model_spec(evaluation.config)
    context.summarize(
        "evaluation", summaries.evaluation_line(folder, num_rows, baseline.name if baseline else None, chosen)
    )
    if context.optional_output("blessing") is not None:
        context.summarize("blessing", summaries.blessing_line(judged, is_blessed))


def _mark(context: ExecutionContext, is_blessed: bool) -> None:
    """Write the file and the properties by which TFX knows a blessed model."""
    models: Sequence[Artifact] = context.inputs.get("model") or []
    baselines: Sequence[Artifact] = context.inputs.get("baseline_model") or []
    blessings.write_model_blessing(
        context.output("blessing"),
        is_blessed,
        (artifact_utils.get_single_uri(list(models)), models[0].id) if models else None,
        (baselines[0].uri, baselines[0].id) if baselines else None,
        context.parameter("current_component_id") or "",
    )
