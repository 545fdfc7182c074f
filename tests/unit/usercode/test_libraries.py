"""Versions of installed libraries, found by the modules that code imports."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

from headrace.usercode import libraries


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of libraries of this test's own."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    paths = {**sysconfig.get_paths(), "purelib": str(folder)}
    monkeypatch.setattr(sysconfig, "get_paths", lambda: paths)
    return folder


def install(
    site: Path, name: str, version: str, module: str, *, requires: str = "", record: str = "", top: str = ""
) -> None:
    for old in site.glob(f"{name}-*.dist-info"):
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (site / f"{module}.py").write_text(f"VERSION = '{version}'\n")
    required = f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}")
    (info / "RECORD").write_text(record or f"{module}.py,sha256=abc,1\n")
    if top:
        (info / "top_level.txt").write_text(top)
    os.utime(site, ns=(0, os.stat(site).st_mtime_ns + 1))


def test_an_upgrade_changes_the_version(site: Path):
    install(site, "some_library", "1.0", "some_library")
    before = libraries.versions(["some_library.part"])
    install(site, "some_library", "2.0", "some_library")

    assert before == {"some-library": "1.0"}
    assert libraries.versions(["some_library.part"]) == {"some-library": "2.0"}


@pytest.mark.parametrize(("top", "record"), [("other_module\n", ""), ("", "other_module.py,sha256=a,1\n")])
def test_a_module_is_found_under_another_name_than_its_distribution(site: Path, top: str, record: str):
    install(site, "py_thing", "3.1", "other_module", top=top, record=record)

    assert libraries.versions(["other_module"]) == {"py-thing": "3.1"}


def test_what_a_library_requires_counts_and_its_extras_do_not(site: Path):
    install(site, "base_of_all", "7", "base_of_all")
    install(site, "extra_thing", "8", "extra_thing")
    install(
        site,
        "uses_base",
        "1",
        "uses_base",
        requires="base-of-all>=1\nRequires-Dist: extra-thing; extra == 'x'",
    )

    assert libraries.versions(["uses_base"]) == {"base-of-all": "7", "uses-base": "1"}


def test_a_library_built_again_under_its_version_is_another_where_it_came_from_a_folder(site: Path):
    install(site, "own_thing", "1.0", "own_thing", record="own_thing.py,sha256=a,1\n")
    (site / "own_thing-1.0.dist-info" / "direct_url.json").write_text("{}")
    before = libraries.versions(["own_thing"])
    install(site, "own_thing", "1.0", "own_thing", record="own_thing.py,sha256=b,1\n")
    (site / "own_thing-1.0.dist-info" / "direct_url.json").write_text("{}")

    assert libraries.versions(["own_thing"]) != before


def test_a_module_that_nothing_installed_counts_by_content(site: Path):
    (site / "stray.py").write_text("x = 1\n")
    os.utime(site, ns=(0, os.stat(site).st_mtime_ns + 1))
    before = libraries.versions(["stray"])
    (site / "stray.py").write_text("x = 2\n")
    os.utime(site, ns=(0, os.stat(site).st_mtime_ns + 1))

    assert list(before) == ["module stray"]
    assert libraries.versions(["stray"]) != before


def test_known_libraries_are_found_and_the_standard_library_has_no_version():
    found = libraries.versions(["json", "keras", "google.protobuf", "yaml"])

    assert {"keras", "protobuf", "pyyaml"} <= found.keys()
    assert "json" not in found
