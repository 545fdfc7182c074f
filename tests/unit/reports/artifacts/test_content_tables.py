"""What the page of statistics says of texts and pictures."""

from __future__ import annotations

from dataclasses import replace

from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.formats.contents import Contents, PictureDescription, TextDescription
from headrace.reports.artifacts import content_tables, standing_out, statistics
from headrace.reports.artifacts.encoded_features import described
from headrace.reports.artifacts.feature_statistics import FeatureStatistics, Kept, parse
from headrace.reports.blocks.blocks import Table

TEXTS = TextDescription(
    9_000,
    4_000,
    (1, 20.5, 900),
    (1, 4, 200),
    812,
    (("the", 90), ("été", 8)),
    {"en": 150, "fr": 40, "und": 10},
    200,
)
PICTURES = PictureDescription(
    400, 400, 4, {"PNG": 396}, (20, 64, 64), (10, 64, 64), {"4": 390, "3": 6}, (("64 x 64", 390),), 2
)


def _features(contents: Contents, values: dict[str, dict[str, int]]) -> list[FeatureStatistics]:
    protos = []
    for name, counts in values.items():
        feature = statistics_pb2.FeatureNameStatistics(name=name, type="STRING")
        stats = feature.string_stats
        stats.unique = len(counts)
        stats.common_stats.tot_num_values = stats.common_stats.num_non_missing = sum(counts.values())
        for value, count in counts.items():
            stats.top_values.add(value=value, frequency=count)
            stats.rank_histogram.buckets.add(label=value, sample_count=count)
        protos.append(feature)
    return described(parse(protos, 400, Kept({}, None, None, contents)))


def _cells(table: object) -> list[list[str]]:
    assert isinstance(table, Table)
    return [[cell.text for cell in row] for row in table.cells]


def test_texts_and_pictures_have_tables_of_their_own():
    """A row for each feature and split, and below how exact it is."""
    contents = Contents({"review": TEXTS}, {"image": PICTURES})
    review, image = _features(contents, {"review": {"a": 1}, "image": {"__BYTES_VALUE__": 400}})

    texts, pictures = content_tables.render({"review": {"train": review}, "image": {"train": image}})

    assert _cells(texts) == [
        [
            "review",
            "train",
            "9,000",
            "1 · 20.5 · 900",
            "1 · 4 · 200",
            "812",
            "en 75 %, fr 20 %, other 5 %",
            "the, été",
        ]
    ]
    assert isinstance(texts, Table)
    assert "an even sample of at most 4,000 texts of a split" in texts.footnote
    assert "by py3langid of 200 texts" in texts.footnote
    assert _cells(pictures) == [
        [
            "image",
            "train",
            "400, 4 other values",
            "PNG 99 %",
            "20 x 10 to 64 x 64, 2 sizes, most often 64 x 64 (97.5 %)",
            "4 97.5 %, 3 1.5 %",
        ]
    ]
    assert image.described == "PNG, 20 x 10 to 64 x 64"


def test_what_all_have_is_said_once():
    """One format, one size, one language, no sample: no shares."""
    alike = replace(
        PICTURES,
        num_other=0,
        formats={"PNG": 400},
        channels={"3": 400},
        sizes=(("64 x 64", 400),),
        num_sizes=1,
    )
    spanish = replace(TEXTS, count=4_000, languages={"es": 200}, characters=(7, 7, 7))
    review, image = _features(
        Contents({"review": spanish}, {"image": alike}),
        {"review": {"a": 1}, "image": {"__BYTES_VALUE__": 400}},
    )

    texts, pictures = content_tables.render({"review": {"train": review}, "image": {"train": image}})

    assert _cells(pictures) == [["image", "train", "400", "PNG", "64 x 64", "3"]]
    assert _cells(texts)[0][3] == "7"
    assert _cells(texts)[0][6] == "es"
    assert isinstance(texts, Table)
    assert "sample" not in texts.footnote


def test_nothing_is_said_of_other_features():
    """A table of categories has the page that it always had."""
    (kind,) = _features(Contents({}, {}), {"kind": {"a": 200, "b": 200}})

    assert content_tables.render({"kind": {"train": kind}}) == []
    assert content_tables.rows([kind]) == []
    assert content_tables.frequent_words({"train": kind}) == []


def test_a_split_without_texts_has_dashes():
    """The details have a column for each split, whether or not something is known of it."""
    (known,) = _features(Contents({"review": TEXTS}, {}), {"review": {"a": 1}})
    (other,) = _features(Contents({}, {}), {"review": {"a": 1}})

    found = content_tables.rows([known, other])

    assert [row[0] for row in found] == [
        "characters",
        "words",
        "vocabulary",
        "languages",
        "of how many texts",
    ]
    assert {row[2] for row in found} == {"–"}
    (words,) = content_tables.frequent_words({"train": known, "eval": other})
    assert _cells(words) == [["the", "90"], ["été", "8"]]


def test_language_is_no_id():
    """Sentences are all different, which says nothing; the words of an id are."""
    values = {"review": {f"text {n}": 1 for n in range(400)}, "id": {f"id {n}": 1 for n in range(400)}}
    features = _features(Contents({"review": TEXTS}, {}), values)

    found = [standing_out.remarks(standing_out.Seen({"train": one}, 0.0, "")) for one in features]

    assert found == [[], [("info", "almost all different (400 of 400)")]]


def test_the_details_of_a_feature_hold_its_words():
    """What a click on a feature opens."""
    (review,) = _features(Contents({"review": TEXTS}, {}), {"review": {"a": 1}})

    line = statistics.one_line({"train": review}, ["train"])

    tables = [block for block in line.blocks if isinstance(block, Table)]
    assert ["languages", "en 75 %, fr 20 %, other 5 %"] in _cells(tables[0])
    assert tables[-1].caption == "Most frequent words"


def test_pictures_have_no_empty_drawing():
    """Neither counts nor an order: the table alone."""
    (image,) = _features(Contents({}, {"image": PICTURES}), {"image": {"__BYTES_VALUE__": 400}})

    line = statistics.one_line({"train": image}, ["train"])

    assert [type(block) for block in line.blocks] == [Table]
