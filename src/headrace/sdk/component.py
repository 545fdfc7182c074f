"""The former place of the bases of components: `headrace.authoring`."""

from headrace.authoring.component import Component as Component
from headrace.authoring.component import ComponentSpec as ComponentSpec
from headrace.authoring.component import NamedBeamExecutorSpec as NamedBeamExecutorSpec
from headrace.authoring.component import NamedExecutorSpec as NamedExecutorSpec
