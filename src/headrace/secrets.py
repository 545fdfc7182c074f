"""Passwords, tokens and keys, which are used and never recorded, shown or sent. Light.

Known by their names, such as `db_password`, by their place in an address, `scheme://user:PASSWORD@host`, and by their
form: private keys, addresses of webhooks, tokens with a known prefix. What is recorded of a run, its command line and
parameters, has `MASK` in their place. An execution's parameters in ML Metadata are what its executor is given, so they
are recorded as they are, and have it in their place where shown.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "***"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ALWAYS = {
    "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets", "credential",
    "credentials", "apikey", "accesskey", "privatekey", "authtoken", "accesstoken", "bearer",
}  # fmt: skip
# A key of these is a secret; a key of others, such as label_key, names a feature.
_OWNERS_OF_KEYS = {
    "api", "access", "private", "secret", "auth", "account", "encryption", "signing", "ssh", "storage", "client",
    "service", "master", "subscription", "license", "deploy",
}  # fmt: skip
# Tokens of a vocabulary.
_TOKENS_OF_TEXT = {"pad", "unk", "mask", "oov", "start", "end", "bos", "eos", "sep", "cls", "special"}
# Of the users of databases and servers; the pass of a filter is none.
_OWNERS_OF_PASSES = {
    "db", "database", "sql", "mysql", "pg", "postgres", "redis", "user", "root", "admin", "smtp", "mail", "ftp", "ssh",
    "http", "proxy",
}  # fmt: skip
_COMPOUND = re.compile(r"(password|passwd|passphrase)s?$")
# A user alone may be a token: of `https`, which git takes so, and not of `ssh`.
_ADDRESS = re.compile(
    r"(?P<before>(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+://(?:[^/\s:@]*:|(?<=http://)|(?<=https://)))"
    r"[^/\s]+(?=@)"
)
_AUTHORIZATION = re.compile(
    r"""(?P<before>(?i:authorization)["']?\s*[=:]\s*["']?(?:[A-Za-z]+\s+)?|\bBearer\s+)(?!\s)[^\s"',;}]+"""
)
# Known by their own form, whatever they are called; the prefixes are those that their makers document for scanners.
_KEY_BLOCK = re.compile(
    r"(?P<before>-----BEGIN (?P<kind>[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----).*?(?:(?=-----END (?P=kind)-----)|\Z)",
    re.DOTALL,
)
_WEBHOOK = re.compile(
    r"(?P<before>https://(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com/api/webhooks"
    r"|[\w-]+\.webhook\.office\.com/webhookb2|hooks\.zapier\.com/hooks/catch)/)[^\s\"',;}\])?#]+"
)
_KNOWN_TOKEN = re.compile(
    r"(?<![\w-])(?P<before>gh[pousr]_|github_pat_|hf_|npm_|pypi-|sk-(?:proj-|ant-(?:api\d+-)?)?|[rs]k_live_|AIza|AKIA|ASIA|dop_v1_)"
    r"[A-Za-z0-9]{16,}[\w.-]*"
    r"|(?<![\w-])(?:glpat-|xox[abeprs]-|xapp-|SG\.)[\w.-]{16,}"
    r"|(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"
)
_OPTION = re.compile(
    r"""(?P<before>(?<![\w-])--(?P<name>[A-Za-z][\w.-]*)\s+)(?P<value>"[^"]*"|'[^']*'|[^\s-]\S*)"""
)
_TEXT = r"""\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\".*?\\"|["'][^\s,;}\])]+"""
# A name and its value as they stand in a query, a connection string, YAML or JSON, also in JSON within JSON.
_PAIR = re.compile(
    rf"""(?P<name>(?<![\w.-])[\w.-]+)(?P<sign>\\?["']?\s*(?:=|:(?=\s|\\?["']))\s*)"""
    rf"""(?P<value>{_TEXT}|\[[^\[\]{{}}]*\]|\([^()]*\)|[^\s,;&"'{{\[(\\][^\s,;&"'}}\])]*)""",
    re.DOTALL,
)


def is_secret_name(name: str) -> bool:
    """Whether what is called so is likely a secret: a password, a token, a key of an account."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    if _ALWAYS.intersection(words) or words in (["key"], ["pass"]) or _COMPOUND.search(words[-1]):
        return True
    if words[-1] == "pass":
        return len(words) > 1 and words[-2] in _OWNERS_OF_PASSES
    if words[-1] == "token":
        return not _TOKENS_OF_TEXT.intersection(words)
    return any(
        word in ("key", "keys") and before in _OWNERS_OF_KEYS for before, word in itertools.pairwise(words)
    )


def mask_text(text: str) -> str:
    """Return a text with `MASK` in the place of the secrets in it."""
    text = _without_tokens(text)

    def of_option(found: re.Match[str]) -> str:
        return f"{found['before']}{MASK}" if is_secret_name(found["name"]) else found[0]

    def masked(found: re.Match[str]) -> str:
        name = found["name"].rpartition(".")[2]
        # A text about a key, or a pass, says nothing of whose it is.
        if not is_secret_name(name) or name.lower() in ("key", "pass"):
            return f"{found['name']}{found['sign']}{_PAIR.sub(masked, found['value'])}"
        return f"{found['name']}{found['sign']}{MASK}"

    return _PAIR.sub(masked, _OPTION.sub(of_option, text))


def _without_tokens(text: str) -> str:
    """A text without what is secret by its place, in an address or a header, or by its own form."""
    for pattern in (_KEY_BLOCK, _WEBHOOK, _KNOWN_TOKEN, _ADDRESS, _AUTHORIZATION):
        text = pattern.sub(lambda found: (found["before"] or "") + MASK, text)
    return text


def mask_line(line: str) -> str:
    """Return a line of Python with `MASK` in the place of the passwords and keys that it writes out."""

    def masked(found: re.Match[str]) -> str:
        name = found["name"].rpartition(".")[2]
        is_text = found["value"][0] in "\"'" and is_secret_name(name) and name.lower() not in ("key", "pass")
        return f"{found['name']}{found['sign']}{MASK}" if is_text else found[0]

    return _PAIR.sub(masked, _without_tokens(line))


def mask_values(value: Any) -> Any:
    """Return plain values, such as a run's parameters, with `MASK` in the place of the secrets in them."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret_name(str(key)) and _can_be_secret(inner) else mask_values(inner)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [mask_values(inner) for inner in value]
    return value


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line's arguments with `MASK` in the place of the secrets in them."""
    masked: list[str] = []
    is_value = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        is_option = name.startswith("--")
        # The option itself may come first: --set=db_password=VALUE.
        last = name.rpartition(".")[2]
        if is_value and not is_option:
            masked.append(MASK)
        elif equals and is_secret_name(last) and " " not in name:
            masked.append(f"{name}={MASK}")
        elif equals and is_option and not is_secret_name(last):
            masked.append(f"{name}={mask_arguments([argument[len(name) + 1 :]])[0]}")
        else:
            masked.append(mask_text(argument))
        is_value = is_option and not equals and is_secret_name(name.lstrip("-"))
    return masked


def hidden_in(values: Any, above: str = "") -> list[str]:
    """Return the dotted names of values that were masked when they were recorded."""
    if isinstance(values, Mapping):
        return [
            found
            for key, inner in values.items()
            for found in hidden_in(inner, f"{above}.{key}" if above else str(key))
        ]
    if isinstance(values, (list, tuple)):
        return [found for inner in values for found in hidden_in(inner, above)]
    return [above] if isinstance(values, str) and MASK in values else []


def _can_be_secret(value: Any) -> bool:
    """Whether a value under a secret's name is one: true, false and nothing are not; what holds others is looked into."""
    return not (value is None or value == "" or isinstance(value, (bool, Mapping)))
