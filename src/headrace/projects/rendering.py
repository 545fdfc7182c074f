"""Files of a project from their templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2

from headrace.projects import literals

_FILTERS = {
    "py": literals.python,
    "pylist": literals.python_list,
    "pytuple": literals.python_tuple,
    "pydict": literals.python_dict,
    "comment": literals.comment,
    "doc": literals.docstring,
    "yaml": literals.yaml,
    "md": literals.markdown,
}


def render(template: str, values: Mapping[str, Any]) -> str:
    """Render a template of the folder `templates/`; a name that `values` lacks is an error.

    Args:
        template: Its name, without `.jinja`.
        values: What stands in it.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("headrace.projects", "templates"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        # Nothing of this is HTML: each value goes through the filter of the language that it stands in.
        autoescape=False,
    )
    environment.filters.update(_FILTERS)
    return environment.get_template(f"{template}.jinja").render(values)
