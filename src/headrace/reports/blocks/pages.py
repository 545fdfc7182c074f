"""Write a report as one HTML file that loads nothing.

Texts are escaped by Jinja, data for scripts by `json_text`: a feature called `<script>` is shown, not run.
Rich charts are Vega-Lite's: a grammar that is well kept, with its interpreter in 900 kB of script that
`vl-convert-python` brings along, so no network is asked. Altair would write the same specifications from
Python classes, at the price of 0.5 s of import. The thousands of small histograms of a feature list and the
graphs of nodes are plain SVG (`drawings`): drawn by Vega, 5,000 of them would take a minute.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from headrace.reports.blocks.blocks import Block, Chart, FeatureList, Report, Section, Table
from headrace.reports.blocks.numbers import format_number

_VEGA_LITE = "6.4"
# Vega and Vega-Lite themselves cannot be had: the bundle knows default exports alone, and they have none.
_SNIPPET = "window.vegaEmbed=vegaEmbed;"
# So many bodies of features stand in the page itself; more are data that opening one brings in.
_MAX_BODIES = 200


def render_page(report: Report) -> str:
    """Return the whole page."""
    return _page(report, "file")


def render_cell(report: Report, text: str) -> str:
    """Return a report as HTML for a cell of a notebook: the whole page, in a frame.

    The frame's document is an attribute (`srcdoc`), so nothing is loaded; its scripts run in JupyterLab and in VS
    Code, neither of which has a say on what is inside; and its styles and the notebook's stay apart. The page
    takes the notebook's colours and sets the frame's height. It is compressed, because a notebook keeps the chart
    library with each report. A notebook that is not trusted shows no frames, but what is between their tags. The
    frame's sandbox keeps it from opening windows, leading the notebook elsewhere and sending forms; scripts and
    its origin it needs, to take colours and set its height.

    Args:
        report: The report.
        text: The same as text, for a notebook that is not trusted.
    """
    packed = base64.b64encode(gzip.compress(_page(report, "cell").encode(), mtime=0)).decode()
    opener = _environment().get_template("opener.html").render(packed=packed)
    return _environment().get_template("cell.html").render(report=report, opener=opener, text=text)


def _page(report: Report, place: str) -> str:
    from headrace import __version__

    has_charts = any(isinstance(block, Chart) for block in walk(report.blocks))
    js, vega = _asset("page.js"), vega_script() if has_charts else Markup("")
    page = (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            sections=[block for block in report.blocks if isinstance(block, Section)],
            css=_asset("page.css"),
            js=js,
            vega=vega,
            policy=_policy([vega, js] if has_charts else [js]),
            version=__version__,
            place=place,
        )
    )
    # JSON may bring halves of surrogate pairs, which no file in UTF-8 can hold.
    return page.encode("utf-8", "replace").decode()


def _policy(scripts: Iterable[str]) -> str:
    """Return the page's Content-Security-Policy: it loads nothing, sends nothing, and runs these scripts alone.

    A second wall behind the escaping of texts. Styles are let in, for bars and tints have their lengths and shades in
    attributes, which no hash can name in all browsers, and Vega sets some; they can load nothing either.
    """
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
    ]
    return (
        f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; img-src data:; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def walk(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks and what is in them."""
    for block in blocks:
        yield block
        if isinstance(block, Section):
            yield from walk(block.blocks)
        elif isinstance(block, FeatureList):
            for feature in block.features:
                yield from walk(feature.blocks)


@functools.cache
def vega_script() -> Markup:
    """Return Vega and Vega-Lite as one script that sets `window.vegaEmbed`."""
    import vl_convert

    script = vl_convert.javascript_bundle(_SNIPPET, vl_version=_VEGA_LITE)
    # The text of a script element ends at the first closing tag, be it in a string.
    closed = re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE)
    # In a function, so that its thousands of names stay its own.
    return Markup(f"(() => {{{closed}}})();")


def json_text(value: Any) -> Markup:
    """Return JSON that can stand in a script element: no `<` is left in it, and no number JSON lacks."""
    text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def slug(text: str) -> str:
    """Return a text as the name of an anchor."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-").lower() or "section"


def _asset(name: str) -> Markup:
    return Markup((resources.files("headrace.reports") / "templates" / name).read_text(encoding="utf-8"))


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("headrace.reports", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(json=json_text, slug=slug, number=format_number, bodies=_bodies)
    return environment


def _bodies(block: FeatureList) -> list[list[Any]]:
    """Return the tables behind each feature as data; empty where they can stand in the page."""
    if len(block.features) <= _MAX_BODIES:
        return []
    return [
        [_table_data(inner) for inner in feature.blocks if isinstance(inner, Table)]
        for feature in block.features
    ]


def _table_data(table: Table) -> list[Any]:
    rows = [
        [[cell.text, round(cell.bar, 3)] if cell.bar else cell.text for cell in row] for row in table.cells
    ]
    return [table.caption, list(table.columns), rows, table.footnote]
