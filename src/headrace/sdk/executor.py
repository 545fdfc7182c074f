"""The former place of the bases of executors: `headrace.runtime.executor`."""

from headrace.runtime.executor import BeamExecutor as BeamExecutor
from headrace.runtime.executor import Executor as Executor
