"""The former place of `authoring`; pipelines that an earlier version exported from a notebook import it from here."""

from headrace.authoring.light import authoring as authoring
