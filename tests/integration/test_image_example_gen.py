"""ImageFolderExampleGen: each file of a folder is accounted for, and what is kept TensorFlow decodes to Pillow's pixels."""

from __future__ import annotations

import glob
import io
import json
import os
import random
import re
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from conftest_example_gen import data, records, run
from PIL import Image

from headrace.components import ImageFolderExampleGen
from headrace.components.example_gen.source_executor import Executor
from headrace.errors import EmptyDataError, MalformedFileError
from headrace.formats import quarantine
from headrace.sources.images.image_reader import ImageReader
from headrace.sources.labelled.labelled_reader import NotDecodedError

_ = (data,)  # fixtures
_TURNED = 6


def picture(mode="RGB", size=(40, 30)):
    """A picture that is alike nowhere."""
    chooser = np.random.default_rng(7)
    small = Image.fromarray(chooser.integers(0, 255, (8, 8, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC).convert(mode)


def encoded(image, kind="PNG", **options):
    """The bytes of a picture's file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def deep():
    """A picture of 16 bits."""
    return Image.fromarray(np.random.default_rng(7).integers(0, 65535, (20, 20)).astype(np.uint16))


def turned():
    """EXIF that says how a camera was held."""
    exif = Image.Exif()
    exif[0x0112] = _TURNED
    return exif


PALETTE = picture().quantize(16)
# How a picture is written, and what is said of it; nothing where it is kept as it is.
KINDS = {
    "png": (encoded(picture()), ""),
    "png grey": (encoded(picture("L")), ""),
    "png grey, opacity": (encoded(picture("LA")), ""),
    "png opacity": (encoded(picture("RGBA")), ""),
    "png palette": (encoded(PALETTE), ""),
    "png palette, see-through": (encoded(PALETTE, transparency=3), ""),
    "png one bit": (encoded(picture("1")), ""),
    "png grey, see-through": (encoded(picture("L"), transparency=3), ""),
    "png 16 bits": (encoded(deep()), "converted from 16 bits"),
    "jpeg": (encoded(picture(), "JPEG"), ""),
    "jpeg grey": (encoded(picture("L"), "JPEG"), ""),
    "jpeg progressive": (encoded(picture(), "JPEG", progressive=True), ""),
    "jpeg four inks": (encoded(picture("CMYK"), "JPEG"), "converted from CMYK"),
    "jpeg turned": (
        encoded(picture(), "JPEG", exif=turned()),
        "turned by EXIF orientation, which decoding does not follow",
    ),
    "gif": (encoded(picture(), "GIF"), ""),
    "gif of two": (
        encoded(picture(), "GIF", save_all=True, append_images=[picture().rotate(90)]),
        "first frame taken",
    ),
    "bmp": (encoded(picture(), "BMP"), ""),
    "bmp palette": (encoded(PALETTE, "BMP"), "converted from a BMP with palette or compression"),
    "bmp grey": (encoded(picture("L"), "BMP"), "converted from a BMP with palette or compression"),
    "webp": (encoded(picture(), "WEBP", lossless=True), "converted from WebP"),
    "webp opacity": (
        encoded(picture("L").convert("RGBA").rotate(30), "WEBP", lossless=True),
        "converted from WebP",
    ),
    "tiff": (encoded(picture(), "TIFF"), "converted from TIFF"),
    "ppm": (encoded(picture(), "PPM"), "converted from PPM"),
}


def reader(image_size=None, channels=None):
    """What reads pictures."""
    return ImageReader(image_size, channels, with_label=False)


def decoded(values):
    """What TensorFlow makes of an example."""
    return tf.io.decode_image(values["image"], expand_animations=False).numpy()


@pytest.mark.parametrize("kind", list(KINDS))
def test_tensorflow_decodes_to_the_pixels_of_pillow(kind):
    """Exactly; a JPEG to a few levels, since each library rounds on its own. Size and channels are those it decodes to."""
    content, said = KINDS[kind]

    made = reader().decode(content, f"x.{kind.split()[0]}")

    pixels = decoded(made.values)
    assert [note for note in made.notes if note] == ([said] if said else [])
    assert (made.values["height"], made.values["width"], made.values["channels"]) == pixels.shape
    if not said.startswith("converted"):
        assert made.values["image"] == content
    with Image.open(io.BytesIO(content)) as image:
        if image.mode.startswith("I"):
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
        expected = np.asarray(image.convert(mode)).reshape(pixels.shape)
    difference = np.abs(expected.astype(int) - pixels).max()
    assert difference <= (4 if kind.startswith("jpeg") else 0)


@pytest.mark.parametrize(
    "kind", ["png", "png palette", "png 16 bits", "jpeg", "jpeg grey", "gif", "bmp", "webp"]
)
def test_what_is_kept_tensorflow_decodes(kind):
    """Of files cut at any byte, and with any byte changed: none that is read fails later, in Transform or Trainer."""
    content, _ = KINDS[kind]
    chooser = random.Random(7)
    damaged = [content[:length] for length in range(20, len(content), max(1, len(content) // 60))]
    damaged += [content[:-length] for length in range(1, 30)]
    for _ in range(80):
        place = chooser.randrange(len(content))
        damaged.append(content[:place] + bytes([chooser.randrange(256)]) + content[place + 1 :])
    num_refused = 0
    for one in damaged:
        try:
            values = reader().decode(one, "x.png").values if reader().kind_of(one) else None
        except NotDecodedError:
            num_refused += 1
            continue
        if values is not None:
            assert decoded(values).shape == (values["height"], values["width"], values["channels"])
    assert num_refused > 20


def test_interlaced_png_is_whole_or_refused():
    """Pillow writes none: this one has 3 x 2 pixels in five passes with rows, made by hand."""
    import struct
    import zlib

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    def png(rows):
        header = struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 1)
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b"")
        )

    # Passes 1 (1x1), 4 (1x1), 6 (1x1) and 7 (3x1): a filter and the samples of each row.
    rows = bytes([0, 10, 0, 30, 0, 20, 0, 40, 50, 60])
    made = reader().decode(png(rows), "x.png")

    assert decoded(made.values)[..., 0].tolist() == [[10, 20, 30], [40, 50, 60]]
    for broken in (rows[:-1], rows[:-4] + bytes([5]) + rows[-3:]):
        with pytest.raises(NotDecodedError, match="cannot be decoded"):
            reader().decode(png(broken), "x.png")


def test_pictures_are_resized_turned_and_given_channels():
    """As Pillow does it; what has the size already keeps its bytes."""
    content = encoded(picture(), "JPEG", exif=turned())
    made = reader((10, 20), 1).decode(content, "x.jpg")

    assert made.notes == ["turned by EXIF orientation"]
    upright = picture().transpose(Image.Transpose.ROTATE_270)
    expected = np.asarray(upright.convert("L").resize((20, 10), Image.Resampling.LANCZOS))
    difference = np.abs(decoded(made.values)[..., 0].astype(int) - expected)
    assert decoded(made.values).shape == (10, 20, 1)
    assert difference.mean() < 3
    for kind in ("png", "png palette", "gif", "jpeg"):
        same = reader((30, 40), 3).decode(KINDS[kind][0], "x.png")
        assert same.values["image"] == KINDS[kind][0]
    assert decoded(reader(None, 4).decode(KINDS["jpeg"][0], "x.jpg").values).shape == (30, 40, 4)


def dirty(folder):
    """A folder with what folders of pictures hold; returns how many files."""
    for label in ("señal", "手"):
        os.makedirs(folder / label)
        for number in range(8):
            (folder / label / f"{number}.png").write_bytes(encoded(picture("RGB", (20 + number, 10))))
    first = folder / "señal"
    good = KINDS["png"][0]
    (first / "truncated.png").write_bytes(good[: len(good) // 4])
    (first / "empty.png").write_bytes(b"")
    (first / "text.jpg").write_bytes(b"this is no image")
    (first / "page.png").write_bytes(b"<!DOCTYPE html><html>not found</html>")
    (first / "pointer.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (first / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (first / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(first / "pipe.png")
    (first / "cmyk.jpg").write_bytes(KINDS["jpeg four inks"][0])
    (first / "really_jpeg.png").write_bytes(KINDS["jpeg"][0])
    (first / "no_extension").write_bytes(KINDS["gif"][0])
    (first / "notes.txt").write_text("not to be read as an image")
    (first / "Thumbs.db").write_bytes(good)
    (first / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (first / "._1.png").write_bytes(good)
    (folder / "stray.png").write_bytes(good)
    (folder / "empty_class").mkdir()
    (folder / "single").mkdir()
    (folder / "single" / "one.webp").write_bytes(KINDS["webp"][0])
    return sum(len(names) for _, _, names in os.walk(folder))


def summary(examples):
    """The line that the run says."""
    return examples.get_string_custom_property("headrace_summary")


def rows_of(examples):
    """The features of all rows, by path."""
    found = {}
    for split in ("train", "eval"):
        for record in records(examples, split):
            features = tf.train.Example.FromString(record).features.feature
            row = {
                name: list(feature.bytes_list.value or feature.int64_list.value or feature.float_list.value)
                for name, feature in features.items()
            }
            found[row["path"][0].decode()] = row
    return found


REASONS = {
    "empty.png": "is empty",
    "gone.png": "is not there",
    "page.png": "is no picture: it is a page of the web",
    "phone.heic": "is no picture that is read: convert it to PNG or JPEG",
    "pipe.png": "cannot be read: it is a pipe",
    "pointer.png": "is no picture: it is the pointer that Git LFS leaves; run git lfs pull",
    "stray.png": "lies beside the folders of the classes, so it has no label",
    "text.jpg": "is no picture: it holds text",
    "truncated.png": "cannot be decoded: its end is missing",
}


def test_every_file_is_read_or_set_aside_or_no_picture(data, tmp_path):
    """The numbers add up; labels are in any script."""
    num_files = dirty(data)
    examples = run(Executor, ImageFolderExampleGen(str(data), on_error="quarantine"), tmp_path / "out")

    rows, aside = rows_of(examples), list(quarantine.read(examples.uri))
    assert {os.path.basename(item.source): item.reason for item in aside} == REASONS
    others = {"notes.txt", "Thumbs.db", ".DS_Store", "._1.png"}
    assert len(rows) + len(aside) + len(others) == num_files
    counts = re.search(r"train (\d+) rows, eval (\d+) rows; (\d+) unreadable", summary(examples))
    assert int(counts[1]) + int(counts[2]) == len(rows)
    assert summary(examples).partition("unreadable in quarantine; ")[2] == (
        f"files found: {num_files}, other files: 4, converted from CMYK: 1, extension not that of the content: 2, "
        "converted from WebP: 1; note: class 'empty_class' has no picture (and 1 more: see the log)"
    )
    row = rows["señal/3.png"]
    assert {**row, "image": 0} == {
        "image": 0,
        "label": ["señal".encode()],
        "path": ["señal/3.png".encode()],
        "height": [10],
        "width": [23],
        "channels": [3],
        "format": [b"png"],
    }
    assert row["image"] == [(data / "señal/3.png").read_bytes()]
    assert rows["single/one.webp"]["format"] == [b"png"]


def test_the_first_that_cannot_be_read_ends_the_run(data, tmp_path):
    """It names file, reason and remedy, and leaves nothing."""
    (data / "a").mkdir()
    (data / "a" / "1.png").write_bytes(KINDS["png"][0])
    (data / "a" / "2.png").write_bytes(KINDS["png"][0][:-1])
    with pytest.raises(MalformedFileError) as caught:
        run(Executor, ImageFolderExampleGen(str(data)), tmp_path / "out")

    assert caught.value.problem.endswith(f": {data}/a/2.png: cannot be decoded: its end is missing.")
    assert caught.value.fix == (
        'correct the picture, or take it out; or set aside what cannot be read, with on_error="quarantine".'
    )
    assert os.listdir(tmp_path / "out") == []


def test_a_bomb_is_not_unpacked(data, tmp_path, monkeypatch):
    """Of PNG, of which the size stands in front, and of what Pillow opens."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    (data / "a").mkdir()
    (data / "a" / "small.png").write_bytes(encoded(picture("RGB", (20, 20))))
    for kind in ("PNG", "JPEG", "WEBP"):
        (data / "a" / f"large.{kind.lower()}").write_bytes(encoded(picture("RGB", (30, 20)), kind))

    examples = run(Executor, ImageFolderExampleGen(str(data), on_error="quarantine"), tmp_path / "out")

    assert list(rows_of(examples)) == ["a/small.png"]
    assert {item.kind for item in quarantine.read(examples.uri)} == {"has too many pixels"}


def test_folders_without_a_picture_are_an_error(data, tmp_path):
    (data / "a").mkdir()
    (data / "a" / "notes.txt").write_text("none")
    with pytest.raises(EmptyDataError, match="there are no pictures in what matches"):
        run(Executor, ImageFolderExampleGen(str(data)), tmp_path / "out")


def test_an_archive_gives_the_rows_of_the_folder(data, tmp_path):
    """Damaged and encrypted members are set aside as files are."""
    for label in "ab":
        (data / label).mkdir()
        for number in range(5):
            (data / label / f"{number}.png").write_bytes(encoded(picture("RGB", (20 + number, 10))))
    path = tmp_path / "signs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(glob.glob("**/*.png", root_dir=data, recursive=True)):
            archive.write(data / name, name)

    ours = rows_of(run(Executor, ImageFolderExampleGen(str(data)), tmp_path / "folder"))
    assert rows_of(run(Executor, ImageFolderExampleGen(str(path)), tmp_path / "zip")) == ours

    content = bytearray(path.read_bytes())
    at = content.index(b"\x89PNG") + 60
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))
    component = ImageFolderExampleGen(str(path), on_error="quarantine")
    examples = run(Executor, component, tmp_path / "damaged")
    (item,) = quarantine.read(examples.uri)
    assert item.source == f"{path}/a/0.png"
    assert item.reason.startswith("cannot be read: Bad CRC-32")


def test_a_table_gives_labels_and_features(data, tmp_path):
    """As many as it has columns; a file that is not there is named with its row."""
    for number in range(6):
        (data / f"{number}.png").write_bytes(encoded(picture("RGB", (20 + number, 10))))
    lines = [f"{number}.png,{'cat' if number % 2 else 'dog'},{number / 2},{number}" for number in range(8)]
    (data / "labels.csv").write_text("\n".join(["path,species,weight,age", *lines]) + "\n", encoding="utf-8")
    component = ImageFolderExampleGen(
        str(data), "species", "labels.csv", on_error="quarantine", output_data_format="FORMAT_TF_EXAMPLE"
    )

    examples = run(Executor, component, tmp_path / "out")

    rows = rows_of(examples)
    assert sorted(rows) == [f"{number}.png" for number in range(6)]
    row = rows["5.png"]
    assert (row["label"], row["weight"], row["age"], row["width"]) == ([b"cat"], [2.5], [5], [25])
    assert [
        (os.path.basename(item.source), item.place, item.reason) for item in quarantine.read(examples.uri)
    ] == [
        ("6.png", f"row 8 of {data}/labels.csv", "is not there"),
        ("7.png", f"row 9 of {data}/labels.csv", "is not there"),
    ]


def test_parquet_holds_the_same(data, tmp_path):
    import pyarrow.parquet as pq

    (data / "a").mkdir()
    for number in range(9):
        (data / "a" / f"{number}.png").write_bytes(encoded(picture("RGB", (20 + number, 10))))
    component = ImageFolderExampleGen(str(data), output_data_format="FORMAT_PARQUET")

    examples = run(Executor, component, tmp_path / "out")

    paths = glob.glob(f"{examples.uri}/Split-*/*.parquet")
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    assert sorted(row["width"][0] for row in rows) == list(range(20, 29))
    assert all(row["image"] == [(data / row["path"][0].decode()).read_bytes()] for row in rows)


def test_options_left_out_are_not_recorded():
    component = ImageFolderExampleGen("signs", image_size=(64, 32), label=None)

    options = json.loads(component.exec_properties["source_options"])

    assert options == {"image_size": [64, 32], "label": None}
