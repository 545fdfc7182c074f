"""The former place of what a node needs of the machine: `headrace.options`."""

from headrace.authoring.node_options import with_resources as with_resources
