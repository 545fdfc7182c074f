"""Texts as features: files in folders of classes, lines, labels, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tfx.proto import example_gen_pb2

from headrace.errors import DefinitionError
from headrace.sources import line_blocks
from headrace.sources.source import Request, Unreadable
from headrace.sources.text.text_source import TextSource


def read(folder: Path, pattern: str = "*", num_shards: int | None = None, **options):
    """The rows of a folder, what cannot be read, and the remarks."""
    source = TextSource(**options)
    split = example_gen_pb2.Input.Split(name="rows", pattern=pattern)
    survey = source.survey(Request(str(folder), [split]))
    # The executor asks again with what was recorded.
    again = source.survey(
        Request(str(folder), [example_gen_pb2.Input.Split(name="rows", pattern=survey.splits[0].pattern)])
    )
    assert again == survey
    reader = source.reader(example_gen_pb2.FORMAT_TF_EXAMPLE)
    rows, faults = [], []
    for pieces in reader.plan(survey.splits[0].items, num_shards)[1]:
        for one in reader.read(pieces, [reader.learn(pieces)]):
            if isinstance(one, Unreadable):
                faults.append(one.problem.removeprefix(f"{folder}/"))
            else:
                rows += [
                    {key: value[0] for key, value in row.items() if value} for row in one.table().to_pylist()
                ]
    return rows, faults, reader.remarks(survey.splits[0].items)


def test_folder_of_classes_gives_text_label_and_path(tmp_path):
    """Whatever the script of the names; text stays as it is; what is left out is said."""
    for name, data in {
        "pos/1.txt": b"caf\xc3\xa9\r\n",
        "pos/2.txt": b"",
        "很差/x.txt": "\ufeff坏".encode(),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "neutral").mkdir()

    rows, faults, remarks = read(tmp_path)

    assert rows == [
        {"text": "café\r\n".encode(), "label": b"pos", "path": b"pos/1.txt"},
        {"text": b"", "label": b"pos", "path": b"pos/2.txt"},
        {"text": "坏".encode(), "label": "很差".encode(), "path": "很差/x.txt".encode()},
    ]
    assert (faults, remarks) == ([], ["no text lies in the folder of class 'neutral'"])
    (tmp_path / "README").write_text("about")
    assert read(tmp_path, form="folder")[2][1] == "'README' beside the folders of classes is left out"


def test_folders_of_splits_are_not_taken_for_classes(tmp_path):
    """IMDB's layout: the message holds the configuration to give."""
    for name in ("train/pos/1.txt", "test/neg/1.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("text")
    (tmp_path / "train/urls.txt").write_text("url")
    with pytest.raises(DefinitionError) as caught:
        read(tmp_path)
    assert '{"name": "train", "pattern": "train/*/*"}' in caught.value.fix
    assert [row["path"] for row in read(tmp_path, "train/*/*")[0]] == [b"train/pos/1.txt"]


@pytest.mark.parametrize("num_shards", [1, 2, 5])
def test_faults_of_lines_name_their_line_whatever_the_parts(tmp_path, num_shards):
    data = b"pos\tuno\ttwo\r\nneg\t\n\nnothing\npos\tb\xffd\npos\tn\0\npos\ttoo long\n"
    (tmp_path / "a.txt").write_bytes(data)
    rows, faults, _ = read(tmp_path, num_shards=num_shards, label="first", places=True, max_length=7)
    assert rows == [
        {"text": b"uno\ttwo", "label": b"pos", "path": b"a.txt", "line": 1},
        {"text": b"", "label": b"neg", "path": b"a.txt", "line": 2},
    ]
    assert faults == [
        "a.txt, line 3: has no tab between label and text",
        "a.txt, line 4: has no tab between label and text",
        "a.txt, line 5: is not utf-8: byte 0xff at character 6",
        "a.txt, line 6: holds a NUL byte, as text in UTF-16 does, or a file that is no text: at character 6",
        "a.txt, line 7: is longer than max_length=7: 8 characters",
    ]


def test_label_can_come_last_after_another_separator(tmp_path):
    (tmp_path / "a.txt").write_text("a, b,1\nc,0")
    rows, _, _ = read(tmp_path, label="last", separator=",")
    assert rows == [{"text": b"a, b", "label": b"1"}, {"text": b"c", "label": b"0"}]
    assert read(tmp_path)[0] == [{"text": b"a, b,1"}, {"text": b"c,0"}]
    with pytest.raises(DefinitionError, match="label is 'folder', and of the form 'lines'"):
        read(tmp_path, label="folder")


@pytest.mark.parametrize("encoding", ["iso8859-1", "utf-16", "gb18030", "utf-8"])
def test_encodings_become_utf_8(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("señor\nüber".encode(encoding))
    assert read(tmp_path, encoding=encoding)[0] == [{"text": "señor".encode()}, {"text": "über".encode()}]
    assert (
        read(tmp_path, form="folder", label="none", encoding=encoding)[0][0]["text"] == "señor\nüber".encode()
    )


def test_text_beyond_the_limit_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(line_blocks, "MAX_LINE_BYTES", 8 << 20)
    (tmp_path / "a.txt").write_bytes(b"x" * (9 << 20))
    (tmp_path / "b.txt").write_bytes(b"x" * (7 << 20))
    rows, faults, _ = read(tmp_path, form="folder", label="none")
    assert [len(row["text"]) for row in rows] == [7 << 20]
    assert faults == ["a.txt: is a text of more than 8 MiB"]


def test_json_lines_give_the_named_fields_and_keep_the_others(tmp_path):
    """Told by the file's name; an object without its text is told."""
    (tmp_path / "a.jsonl").write_text('{"review": "good", "stars": 5, "by": {"id": 7}}\n{"stars": 1}\n')
    rows, faults, _ = read(tmp_path, text="review", label="stars")
    assert rows == [{"text": b"good", "label": 5, "by.id": 7}]
    assert faults == ["a.jsonl, line 2: has no 'text'"]
    (tmp_path / "b.txt").write_text("other")
    with pytest.raises(DefinitionError, match="forms 'jsonl', 'lines'"):
        read(tmp_path)
