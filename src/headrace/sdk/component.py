"""The former place of the bases of components: `headrace.authoring`."""

from headrace.authoring.declarations import Component as Component
from headrace.authoring.declarations import ComponentSpec as ComponentSpec
from headrace.authoring.declarations import NamedBeamExecutorSpec as NamedBeamExecutorSpec
from headrace.authoring.declarations import NamedExecutorSpec as NamedExecutorSpec
