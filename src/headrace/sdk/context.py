"""The former place of what an executor is given: `headrace.runtime.context`."""

from headrace.runtime.context import ExecutionContext as ExecutionContext
