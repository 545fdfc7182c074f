"""The sentence that says what is wrong, out of a library's exception, whatever else its text holds.

Libraries put into a message what they were working on: Keras the arguments of the layer, TensorFlow its copy of
the stack, TFMA whole configurations, all rows of a batch and protos of thousands of lines. The log has the text
in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BEAM_SUFFIX = re.compile(r" \[while running '[^']*'\]$")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# "Arguments received by Scikit.call():" of Keras 3, "Call arguments received by layer ..." of Keras 2.
_ARGUMENTS = re.compile(r"^[ \t]*(?:Call arguments|Arguments) received by .*$", re.MULTILINE)
# What TensorFlow puts around an error of a graph: where each node was defined, then the node, then what is wrong. Of a
# graph that was loaded it knows neither.
_GRAPH_ERROR = re.compile(
    r"\AGraph execution error:.*^(?:Node: [^\n]*|<stack traces unavailable>)\n", re.DOTALL | re.MULTILINE
)
_ROOT_ERROR = re.compile(r"^[ \t]*\(0\) [A-Z_]+:\s*(.*)$", re.MULTILINE)
_NODE = re.compile(
    r"(?<!\s)\s*\[\[(?:\{\{function_node [^{}]*\}\}\s*)?\{\{node [^\n]*|\{\{function_node [^{}]*\}\}\s*|(?<!\s)\s*\[Op:\w+\][^\n]*"
)
# What TensorFlow adds whatever does not load.
_DEVICE_ADVICE = re.compile(
    r"(?<!\s)\s*You may be trying to load on a different device from the computational device\..*", re.DOTALL
)
_STACK = "\nTraceback (most recent call last):\n"
_ERROR_NAME = re.compile(r"^\w*(?:Error|Exception): ")
_WRAPPER = re.compile(r"^Exception encountered when calling .*$", re.MULTILINE)
# TFMA repeats the call of its own function, with everything that it was given.
_CALL = re.compile(r"(?<!\n)\n+\w+\(inputs=.*", re.DOTALL)
# "TF Metric r2_score fails to update with inputs:", "add_input failed on ... with inputs:" of TFMA.
_INPUTS = re.compile(r"(?<![, ])[, ]*with inputs:?\s*\n.*", re.DOTALL)
_PROTO_LINE = re.compile(r"^\s*(?:\w+ ?[:{].*|\})\s*$")
_MIN_PROTO_LINES = 4
_MAX_LINE_CHARACTERS = 400
_MAX_ARGUMENT_LINES = 4


def concise(error: BaseException) -> str:
    """Return an exception's own words, without what the library was working on.

    Where nothing but such things is left to say what happened, the words of its cause follow.
    """
    text = _CALL.sub("", _ANSI.sub("", _BEAM_SUFFIX.sub("", own_words(error))).strip())
    inputs = _INPUTS.search(text)
    if inputs is not None:
        text = text[: inputs.start()].rstrip()
        if (cause := _cause(error)) is not None:
            text = f"{text}: {concise(cause)}"
    return concise_text(text) or "no message"


def own_words(error: BaseException) -> str:
    """Return an exception's text; a sentence about it where it fails to give one."""
    try:
        return str(error)
    except Exception as unsaid:
        return f"its text cannot be told: its __str__ raises {type(unsaid).__name__}"


def concise_text(text: str) -> str:
    """Return what is left of a message without what the library was working on."""
    return _cut(_sentence(_without_stack(_DEVICE_ADVICE.sub("", _of_graph(text)))))


def first_line(error: BaseException, max_characters: int = 300) -> str:
    """Return the first line of `concise`, for the middle of a sentence."""
    line = concise(error).partition("\n")[0].strip()
    return line[:max_characters].rstrip(". ")


def _of_graph(text: str) -> str:
    """What is wrong in a graph of TensorFlow's, without where it was defined."""
    found = _GRAPH_ERROR.search(text)
    if found is None:
        return _NODE.sub("", text) if "{{" in text or "[Op:" in text else text
    rest = text[found.end() :]
    root = _ROOT_ERROR.search(rest)
    return (root.group(1) if root else _NODE.sub("", rest)).strip() or text


def _without_stack(text: str) -> str:
    """Leave out the stack of a Python function that TensorFlow called: its error stands before it and at its end."""
    head, _, stack = text.partition(_STACK)
    return head if head and stack.rstrip().endswith(f"\n{head}") else text


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _sentence(text: str) -> str:
    """Leave out AutoGraph's stack; Keras' list of arguments comes last, and short."""
    arguments = _ARGUMENTS.search(text)
    head = text[: arguments.start()].rstrip() if arguments else text
    if "in user code:" in head:
        paragraphs = [part.strip() for part in re.split(r"\n\s*\n", head)]
        told = [part for part in paragraphs if _tells(part)]
        head = _ERROR_NAME.sub("", told[-1] if told else paragraphs[-1])
    elif _WRAPPER.match(head):
        # What follows the wrapper is the error itself.
        head = head.partition("\n")[2].strip() or head
    if not arguments or not head:
        return head or text
    lines = [line.rstrip() for line in text[arguments.start() :].splitlines() if line.strip()]
    more = [f"  ... ({len(lines) - _MAX_ARGUMENT_LINES} more arguments in the log)"]
    return "\n".join(
        [head, *lines[:_MAX_ARGUMENT_LINES], *(more if len(lines) > _MAX_ARGUMENT_LINES else [])]
    )


def _tells(paragraph: str) -> bool:
    """Whether a paragraph of AutoGraph's text says what is wrong, and not only where."""
    first = _ERROR_NAME.sub("", paragraph.partition("\n")[0])
    return not (
        paragraph.startswith(("in user code:", "File ")) or (_WRAPPER.match(first) and "\n" not in paragraph)
    )


def _cut(text: str) -> str:
    """Cut long lines, and protos to their number of lines."""
    return "\n".join(
        line if len(line) <= _MAX_LINE_CHARACTERS else f"{line[:_MAX_LINE_CHARACTERS].rstrip()} ..."
        for line in _without_protos(text.splitlines())
    )


def _without_protos(lines: list[str]) -> Iterator[str]:
    block: list[str] = []
    for line in [*lines, None]:
        if line is not None and _PROTO_LINE.match(line):
            block.append(line)
            continue
        is_proto = len(block) >= _MIN_PROTO_LINES and any(one.rstrip().endswith("{") for one in block)
        yield from [f"... ({len(block)} lines in the log)"] if is_proto else block
        block = []
        if line is not None:
            yield line
