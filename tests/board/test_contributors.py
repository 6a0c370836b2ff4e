from __future__ import annotations

import os
from pathlib import Path

import pytest

from ltbench.board.contributors import (
    Contributor,
    given_contributions,
    read_contributions,
    read_entry,
)
from ltbench.errors import ConfigError, DataError


def contributor(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "entry.toml").write_text(text)
    return folder


def test_an_entry_says_who(tmp_path: Path) -> None:
    text = 'who = "Ada"\nlink = "https://example.org/a?b=c#d"\npaper = "arXiv:2410.00001"\n'
    found = read_entry(contributor(tmp_path, text))
    assert found == Contributor(
        "ada", "Ada", link="https://example.org/a?b=c#d", paper="arXiv:2410.00001"
    )
    assert found.paper_address == "https://arxiv.org/abs/2410.00001"
    assert Contributor("a", "A", paper="doi:10.1/x").paper_address == "doi:10.1/x"
    assert Contributor("a", "A", paper="doi:10.1234/x.y").paper_address.endswith("/10.1234/x.y")


def test_without_an_entry_the_folder_names_the_contributor(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    assert read_entry(tmp_path / "ada") == Contributor("ada", "ada")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("who = ", "entry.toml: "),
        ('name = "Ada"', "'name' is not one of who, affiliation"),
        ("who = 3", "who: expected a line of printable text"),
        ('who = "  "', "who: expected a line"),
        ('who = "a\\nb"', "who: expected a line"),
        ('who = "a\\u202eb"', "who: expected a line"),
        ('who = "a\\u001b[2J"', "who: expected a line"),
        ("[who]\nx = 1", "who: expected a line"),
        (f'who = "{"a" * 201}"', "who: expected at most 200 characters, got 201"),
        ('link = "http://example.org"', "link: expected an address that begins with https://"),
        ('link = "javascript:alert(1)"', "link: expected an address"),
        ('link = "https://user:pass@example.org"', "link: expected an address"),
        ('link = "https://example.org/\\" onclick=\\"x"', "link: expected an address"),
        ('link = "https://[::1"', "link: expected an address"),
        ('link = "https://localhost"', "link: expected an address"),
        ('paper = "Ada, 1843"', "paper: expected arXiv:"),
        ('paper = "arXiv:javascript"', "paper: expected arXiv:"),
        ("a." * 40 + "b = 1", "a key has more than 32 parts"),
        ("note = " + "9" * 5000, "entry.toml: "),
    ],
)
def test_a_strange_entry_is_one_fault(tmp_path: Path, text: str, told: str) -> None:
    folder = contributor(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_entry(folder)
    assert told in caught.value.message
    assert len(caught.value.message) < 1_000


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = contributor(tmp_path, "")
    entry = folder / "entry.toml"
    entry.write_bytes(b"who = '\xff'")
    with pytest.raises(DataError, match="utf-8"):
        read_entry(folder)
    entry.write_bytes(b"#" * 30_000)
    with pytest.raises(DataError, match="larger than 20,000 bytes"):
        read_entry(folder)
    entry.unlink()
    os.mkfifo(entry)
    with pytest.raises(DataError, match="Not a regular file"):
        read_entry(folder)


def test_packs_out_of_place_are_named(tmp_path: Path) -> None:
    good = tmp_path / "ada" / "one.zip"
    elsewhere = tmp_path / "elsewhere.txt"
    for path in (good, tmp_path / "top.zip", tmp_path / "Bad Name" / "two.zip", elsewhere):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "ada" / "a b.ZIP").write_bytes(b"")
    (tmp_path / "ada" / "link.zip").symlink_to(good)
    (tmp_path / "ada" / ".hidden.zip").write_bytes(b"")
    (tmp_path / "linked").symlink_to(tmp_path / "ada")
    (tmp_path / "empty").mkdir()
    found = read_contributions(tmp_path)
    assert [(one.contributor.name, one.packs) for one in found.each] == [("ada", (good,))]
    reasons = dict(found.misplaced)
    assert reasons["top.zip"] == "it is not in the folder of a contributor"
    assert reasons["ada/link.zip"] == "it is a link"
    assert reasons["ada/a b.ZIP"].startswith("its name is not")
    assert reasons["Bad Name/two.zip"].startswith("the folder's name is not")
    assert reasons["linked/one.zip"] == "its folder is a link"
    assert found.packs == 1 + len(reasons)


def test_folders_without_packs_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pack"):
        read_contributions(tmp_path)
    with pytest.raises(ConfigError, match="does not exist"):
        read_contributions(tmp_path / "missing")
    with pytest.raises(ConfigError, match="does not exist"):
        given_contributions([tmp_path / "missing.zip"])
    with pytest.raises(DataError, match="holds no pack"):
        given_contributions([tmp_path])
