"""What is left of a library's message."""

from __future__ import annotations

import time

import pytest

from headrace.runtime import messages

KERAS_3 = (
    "Exception encountered when calling Scikit.call().\n\n"
    "\x1b[1mInput 'b' of 'MatMul' Op has type float32 that does not match type float64 of argument 'a'.\x1b[0m\n\n"
    "Arguments received by Scikit.call():\n  • inputs=tf.Tensor(shape=(None, 11), dtype=float64)"
)
KERAS_2 = """in user code:

    File "/lib/keras/training.py", line 1401, in train_function  *
        return step_function(self, iterator)

    ValueError: Exception encountered when calling layer 'scikit' (type Scikit).

    in user code:

        File "/home/me/model.py", line 12, in call  *
            return inputs @ self.weights

        TypeError: Input 'b' of 'MatMul' Op has type float32 that does not match type float64 of argument 'a'.


    Call arguments received by layer 'scikit' (type Scikit):
      • inputs=tf.Tensor(shape=(None, 11), dtype=float64)
"""
LOST = "Input 'b' of 'MatMul' Op has type float32 that does not match type float64 of argument 'a'."
PROTO = (
    "model_specs {\n"
    + "".join(f'  slicing_specs {{\n    feature_keys: "{n}"\n  }}\n' for n in range(4000))
    + "}"
)
WIDTHS = "Layer expects 1 input(s), but it received 9 input tensors. Inputs received: [<Tensor>]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("two\nlines", "two\nlines"),
        ("", "no message"),
        ("failed [while running 'Transform/Map']", "failed"),
        (
            KERAS_3,
            f"{LOST}\nArguments received by Scikit.call():\n  • inputs=tf.Tensor(shape=(None, 11), dtype=float64)",
        ),
        (
            KERAS_2,
            f"{LOST}\n    Call arguments received by layer 'scikit' (type Scikit):\n"
            "      • inputs=tf.Tensor(shape=(None, 11), dtype=float64)",
        ),
        (
            'in user code:\n\n    File "a.py", line 7, in f  *\n        y = 1\n\n    ValueError: shapes differ',
            "shapes differ",
        ),
        (
            f"the plots cannot be averaged:\n{PROTO}",
            "the plots cannot be averaged:\n... (12002 lines in the log)",
        ),
        (
            f"could not convert string to float: b'no'\n\nto_label_prediction_example_weight(inputs={{'a': 1}}, {PROTO})",
            "could not convert string to float: b'no'",
        ),
        (
            "Graph execution error:\n\nDetected at node ParseExample defined at (most recent call last):\n"
            "  File \"/home/me/a.py\", line 3, in serve\n\nNode: 'ParseExample/ParseExampleV2'\n"
            "Key: x.  Can't parse serialized Example.\n\t [[{{node ParseExample/ParseExampleV2}}]] [Op:__inference_7]",
            "Key: x.  Can't parse serialized Example.",
        ),
        (
            "Graph execution error:\n\nDetected at node A\nNode: 'A'\nDetected at node B\nNode: 'A'\n"
            "2 root error(s) found.\n  (0) INVALID_ARGUMENT:  indices[0] = 7 is not in [0, 3)\n\t [[{{node A}}]]\n"
            "  (1) CANCELLED:  stopped",
            "indices[0] = 7 is not in [0, 3)",
        ),
        # Of a model that was loaded.
        (
            "Graph execution error:\n\nDetected at node A defined at (most recent call last):\n"
            "<stack traces unavailable>\nCould not parse example input, value: 'abc'\n\t [[{{node A}}]]",
            "Could not parse example input, value: 'abc'",
        ),
        (
            "Could not parse example input, value: 'abc'\n\t [[{{function_node __inference_7}}{{node A}}]]",
            "Could not parse example input, value: 'abc'",
        ),
        (
            "/a/vocabulary; No such file or directory\n You may be trying to load on a different device from the "
            "computational device. Consider setting the `experimental_io_device` option.",
            "/a/vocabulary; No such file or directory",
        ),
        (
            'KeyError: 1\nTraceback (most recent call last):\n\n  File "a.py", line 1, in f\n\nKeyError: 1\n\n',
            "KeyError: 1",
        ),
        # What stands before the stack is not what happened.
        (
            "it failed\nTraceback (most recent call last):\nKeyError: 1",
            "it failed\nTraceback (most recent call last):\nKeyError: 1",
        ),
        ("x" * 5_000, "x" * 400 + " ..."),
        # Settings that a person wrote are no proto.
        (
            "unknown keys:\n  rate: 1\n  steps: 2\n  name: a\n  size: 3",
            "unknown keys:\n  rate: 1\n  steps: 2\n  name: a\n  size: 3",
        ),
    ],
)
def test_the_sentence_that_says_what_is_wrong_is_left(text, expected):
    assert messages.concise(ValueError(text)) == expected


def test_many_arguments_are_counted():
    """A model of many inputs: the sentence, a few arguments, and how many more there are."""
    arguments = "\n".join(f"  • inputs[{number}]=tf.Tensor(shape=(None, 1))" for number in range(9))
    text = f"Exception encountered when calling Sequential.call().\n\n{WIDTHS}\n\nArguments received by Sequential.call():\n{arguments}"

    lines = messages.concise(ValueError(text)).splitlines()

    assert lines[0] == WIDTHS
    assert lines[-1] == "  ... (6 more arguments in the log)"
    assert len(lines) == 6


def test_rows_that_a_metric_was_given_make_place_for_the_cause():
    """TFMA's own words are a dump of the batch; what went wrong is in the error that it wraps."""
    error = ValueError(
        "TF Metric r2_score fails to update with inputs:\n(array([[1.],\n [2.]]),\nMetric full config: {}"
    )
    error.__cause__ = TypeError("labels are text\n\nto_label_prediction_example_weight(inputs={})")

    assert messages.concise(error) == "TF Metric r2_score fails to update: labels are text"


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "\n",
        ", ",
        "{{function_node ",
        "[Op:x {{",
        "in user code:\n",
        "\nTraceback (most recent call last):\n",
    ],
)
def test_a_long_message_takes_time_in_proportion(piece):
    """Errors of megabytes pass through here, such as one with all rows in it."""
    started = time.process_time()
    assert messages.concise(ValueError(f"before{piece * 50_000}after")).startswith("before")
    assert time.process_time() - started < 4
