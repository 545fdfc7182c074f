"""Nodes for the tests of the engine that need the whole of TFX: Beam, old-style executors, own drivers."""

import apache_beam as beam
import nodes
from tfx import types
from tfx.dsl.component.experimental.annotations import BeamComponentParameter, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base import base_component, base_driver, base_executor, executor_spec
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.proto.orchestration import driver_output_pb2
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.types.standard_artifacts import Schema


@component(use_beam=True)
def BeamNode(
    out: OutputArtifact[Schema],
    count: Parameter[int],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
):
    with beam_pipeline as pipeline:
        _ = (
            pipeline
            | beam.Create(list(range(count)))
            | beam.combiners.ToList()
            | beam.Map(lambda values, uri: nodes.write(uri, "+".join(map(str, sorted(values)))), out.uri)
        )


class OldStyleSpec(types.ComponentSpec):
    PARAMETERS = {"text": ExecutionParameter(type=str)}
    INPUTS = {}
    OUTPUTS = {"out": ChannelParameter(type=Schema)}


class OldStyleExecutor(base_executor.BaseExecutor):
    def Do(self, input_dict, output_dict, exec_properties):
        nodes.write(output_dict["out"][0].uri, exec_properties["text"])


class OldStyleDriver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    def __init__(self, handle):
        base_driver.BaseDriver.__init__(self, handle)
        portable_base_driver.BaseDriver.__init__(self, handle)

    def run(self, execution_info):
        output = driver_output_pb2.DriverOutput()
        for name, value in execution_info.exec_properties.items():
            output.exec_properties[name].string_value = f"{value} driven"
        for key, artifacts in execution_info.output_dict.items():
            for artifact in artifacts:
                output.output_artifacts[key].artifacts.add().CopyFrom(artifact.mlmd_artifact)
        return output


class OldStyle(base_component.BaseComponent):
    SPEC_CLASS = OldStyleSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(OldStyleExecutor)
    DRIVER_CLASS = OldStyleDriver

    def __init__(self, text: str):
        super().__init__(spec=OldStyleSpec(text=text, out=types.Channel(type=Schema)))
