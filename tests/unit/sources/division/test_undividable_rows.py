"""What is said of rows that cannot be divided."""

from __future__ import annotations

import pytest
from divided_rows import divided

from headrace import splits
from headrace.errors import DataError, DefinitionError, EmptyDataError


@pytest.mark.parametrize(
    ("columns", "way", "error", "problem"),
    [
        (
            {"t": ["2013-10-01", "2013-10-02", "yesterday"]},
            splits.time("t"),
            DataError,
            "time(\"t\"): 'yesterday' in row 3 of the input is no date in the form of ISO 8601, such as 2013-10-01 12:00.",
        ),
        (
            {"t": ["31.12.2013", "32.12.2013", "1.1.2014"]},
            splits.time("t", format="%d.%m.%Y"),
            DataError,
            "time(\"t\", format=\"%d.%m.%Y\"): '32.12.2013' in row 2 of the input is no date of the format '%d.%m.%Y'.",
        ),
        (
            {"t": [1, 2, None]},
            splits.time("t"),
            DataError,
            "time(\"t\"): row 3 of the input has no value in 't'.",
        ),
        ({"t": [1, 2, [3, 4]]}, splits.time("t"), DataError, 'time("t"): row 3 of the input has 2 values.'),
        (
            {"t": [5, 5, 5]},
            splits.time("t"),
            DataError,
            "time(\"t\"): 3 rows have 1 different time, too few for the 3 splits 'train', 'valid', 'test'.",
        ),
        (
            {"t": [2011, 2012, 2013]},
            splits.time("t", gap="1h"),
            DefinitionError,
            'time("t", gap="1h"): the times are numbers such as those of years or steps, and no times since 1970.',
        ),
        (
            {"t": ["2011-01-01", "2012-01-01", "2013-01-01"]},
            splits.time("t", gap=3),
            DefinitionError,
            'time("t", gap=3): the times are texts, and gap is a number.',
        ),
        (
            {"t": ["2011-01-01", "2012-01-01", "2013-01-01"]},
            splits.time("t", gap="1000w"),
            DataError,
            "time(\"t\", gap=\"1000w\"): all rows of split 'train' are less than the gap before the first of 'valid', "
            "2012-01-01.",
        ),
        (
            {"g": ["a", "b", "a"]},
            splits.group("g"),
            DataError,
            "group(\"g\"): the rows are of 2 groups ('a', 'b'), too few for the 3 splits 'train', 'valid', 'test'.",
        ),
        (
            {"g": ["a", None, "b"]},
            splits.group("g"),
            DataError,
            "group(\"g\"): row 2 of the input has no value in 'g'.",
        ),
        (
            {"g": [1.5, float("nan"), 2.5]},
            splits.group("g"),
            DataError,
            "group(\"g\"): row 2 of the input has no value in 'g'.",
        ),
        (
            {"g": [1.0, float("nan"), 2.0]},
            splits.column("g"),
            DataError,
            "column(\"g\"): row 2 of the input has no value in 'g'.",
        ),
        (
            {"g": [["a", "b"], "c"]},
            splits.group("g"),
            DataError,
            'group("g"): row 1 of the input has 2 values.',
        ),
        (
            {"x": [[1.5, 2.5], [3.5, 4.5]]},
            splits.stratify("x"),
            DataError,
            'stratify("x"): row 1 of the input has 2 values.',
        ),
        (
            {"quality": [5, 6, 7]},
            splits.stratify("qualty"),
            DefinitionError,
            "stratify(\"qualty\"): the rows have no feature 'qualty'. They have 'quality'.",
        ),
        (
            {"y": ["a", "b"]},
            splits.stratify("y"),
            DataError,
            "stratify(\"y\"): no row would go into 'test': 2 rows are divided into 'train', 'valid', 'test'.",
        ),
        (
            {"y": [1]},
            splits.shuffle(),
            DataError,
            "shuffle(seed=0): no row would go into 'train', 'valid': 1 row is divided into 'train', 'valid', 'test'.",
        ),
        (
            {"y": ["a", "b", "c"]},
            splits.stratify("y", bins=3),
            DataError,
            "stratify(\"y\", bins=3): 'y' holds texts or lists, such as 'a', and bins are of numbers.",
        ),
        (
            {"y": ["2700", "3750", "NA", "4100"]},
            splits.stratify("y", bins=3),
            DataError,
            "stratify(\"y\", bins=3): 'y' holds texts, such as 'NA' among numbers, and bins are of numbers.",
        ),
        ({"y": []}, splits.shuffle(), EmptyDataError, "shuffle(seed=0): there is no row to divide."),
    ],
)
def test_rows_that_cannot_be_divided(columns, way, error, problem):
    """The message names the way, the row and the value; and what to do."""
    with pytest.raises(error) as caught:
        divided(columns, way)
    assert caught.value.problem == problem
    assert caught.value.fix
