"""Queries and addresses as texts: what is a query, what stands for its parameters, what must not be written down. Light.

An address may take parts of itself from the environment, `postgresql://me:${DB_PASSWORD}@host/trips`, so that what is
recorded of a run holds no password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote

from headrace import secrets
from headrace.errors import DefinitionError, SetupError, did_you_mean, listed

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)\}")
_TABLE = re.compile(r"[^\s();'\"`\[\]]+")
# What is not looked into: texts, quoted names, comments, PostgreSQL's dollar quotes.
_QUOTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(r"(?<![:\w\\]):(?P<name>[A-Za-z_]\w*)(?!:)")
_BEGINNINGS = ("select", "with", "values", "table", "from")
# In a query that begins as one: what PostgreSQL takes behind WITH, and SELECT ... INTO.
_CHANGES = re.compile(r"\b(?:into\s+\S+|update\s+(?:only\s+)?\S+\s+set\b|delete\s+from\b)", re.IGNORECASE)


def check_address(address: str, where: str) -> None:
    """Check that an address is one of a database, and holds no password.

    Raises:
        DefinitionError: If it is none, or holds one: it would be recorded with the run.
    """
    if not isinstance(address, str) or not address:
        raise DefinitionError(
            f"{where}: address is {address!r}.", 'give the address of a database: "sqlite:///data/trips.db".'
        )
    written = _VARIABLE.sub("", address)
    if secrets.mask_text(written) != written:
        raise DefinitionError(
            f"{where}: the address {secrets.mask_text(address)} holds a password, which would be recorded with the run.",
            "write ${DB_PASSWORD} in its place, and set that environment variable; or ${DB_URL} for the whole address.",
        )
    if "://" not in address and not _VARIABLE.match(address):
        hint = f'a file of SQLite is "sqlite:///{address}".' if not address.startswith("/") else ""
        hint = hint or f'a file of SQLite is "sqlite:////{address.lstrip("/")}".'
        raise DefinitionError(f"{where}: the address '{address}' has no scheme.", hint)


def filled(address: str) -> str:
    """Return an address with what it takes from the environment; it may hold a password then.

    Raises:
        SetupError: If a variable is not set.
    """
    # An address that is one variable alone is whole already; a part of one is a text within it.
    whole = _VARIABLE.fullmatch(address)
    if whole:
        return _variable(whole["name"])
    return _VARIABLE.sub(lambda found: quote(_variable(found["name"]), safe=""), address)


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        close = did_you_mean(
            name, [other for other in os.environ if "://" in os.environ[other] or "DB" in other]
        )
        raise SetupError(
            f"the database's address takes ${{{name}}} from the environment, and {name} is not set.",
            f"{close}Set it where the pipeline runs: export {name}=...",
        )
    return value


def is_table(query: str) -> bool:
    """Whether this is the name of a table, such as `trips` or `public.trips`, and no query."""
    return bool(_TABLE.fullmatch(query.strip()))


def check_query(query: str, parameters: Mapping[str, object], where: str) -> None:
    """Check that a text is one query, which changes nothing, and that its parameters are those given.

    Raises:
        DefinitionError: If it is not.
    """
    if not isinstance(query, str) or not query.strip():
        raise DefinitionError(f"{where} is {query!r}.", 'give a query, "SELECT ...", or the name of a table.')
    if is_table(query):
        if parameters:
            raise DefinitionError(
                f"{where} is the table '{query}', and parameters are given: {listed(parameters)}.",
                "write a query that uses them: SELECT * FROM ... WHERE ... = :name.",
            )
        return
    bare = _QUOTED.sub(lambda found: " " if found[0][:2] in ("--", "/*") else "''", query)
    statements = [part for part in bare.split(";") if part.strip()]
    if len(statements) > 1:
        raise DefinitionError(f"{where} holds {len(statements)} statements.", "give one query.")
    word = (re.findall(r"\w+", bare) or [""])[0]
    change = _CHANGES.search(bare)
    if word.lower() not in _BEGINNINGS or change:
        what = f"'{' '.join(change[0].split())}'" if change else f"'{word}'"
        raise DefinitionError(
            f"{where} is no query: it has {what}. A database is only read.",
            "give a SELECT; change the database elsewhere.",
        )
    used = {found["name"] for found in _PLACEHOLDER.finditer(bare)}
    _check_parameters(used, parameters, where)


def _check_parameters(used: set[str], parameters: Mapping[str, object], where: str) -> None:
    missing = sorted(used - parameters.keys())
    if missing:
        raise DefinitionError(
            f"{where} has the parameter :{missing[0]}, and no value is given for it. Given are {listed(parameters)}."
            if parameters
            else f"{where} has the parameter :{missing[0]}, and no parameters are given.",
            f'{did_you_mean(missing[0], parameters)}Give parameters={{"{missing[0]}": ...}}.',
        )
    spare = sorted(parameters.keys() - used)
    if spare:
        raise DefinitionError(
            f"{where} has no parameter :{spare[0]}, and a value is given for it.",
            f"{did_you_mean(spare[0], used)}Write :{spare[0]} where the value stands, or leave it out.",
        )


def without_end(query: str) -> str:
    """Return a query without what ends it, so that it can stand within another."""
    return query.strip().rstrip(";").rstrip()


def escaped(query: str, names: Mapping[str, object]) -> str:
    r"""Return a query in which only `:name` of given names are parameters: other colons are escaped by `\:`."""

    def of_part(text: str) -> str:
        return _PLACEHOLDER.sub(
            lambda found: found[0] if found["name"] in names else f"\\{found[0]}",
            text.replace("\\:", "\\\\:"),
        )

    parts, at = [], 0
    for found in _QUOTED.finditer(query):
        parts += [of_part(query[at : found.start()]), re.sub(r":(?=\w)", r"\\:", found[0])]
        at = found.end()
    return "".join([*parts, of_part(query[at:])])


def placeholders(query: str) -> list[str]:
    """Return the names of the parameters in a query."""
    return [found["name"] for found in _PLACEHOLDER.finditer(_QUOTED.sub("''", query))]
