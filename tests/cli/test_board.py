from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.board.packs import real_pack
from tests.conftest import Ended

Cli = Callable[..., Ended]


def test_a_contributor_checks_a_pack(cli: Cli) -> None:
    real_pack(Path("ada/digits.zip"), "lora", [0, 1])
    done = cli("board", "check", "ada/digits.zip")
    assert done.code == 0
    assert "accepted ada/digits.zip: 2 runs; data set: identity and labels" in done.out
    (packed,) = cli("board", "check", "ada", "--json").json["packs"]
    assert packed["accepted"]
    assert packed["runs"][0]["command"].startswith("ltbench run --dataset digits_lt")


def test_what_is_refused_is_named(cli: Cli) -> None:
    real_pack(Path("ada/digits.zip"), "lora", [0])
    Path("ada/entry.toml").write_text("who = 3")
    done = cli("board", "check", "ada/digits.zip")
    assert (done.code, done.out) == (4, "")
    assert "refused ada/digits.zip: entry.toml: who: expected a line" in done.err
    assert "1 of 1 packs were refused" in done.err
    Path("ada/entry.toml").unlink()
    Path("ada/bad.zip").write_text("\x1b[2J")
    done = cli("board", "check", "ada", "--json")
    assert done.code == 4
    assert [pack["accepted"] for pack in done.json["packs"]] == [False, True]


def test_bad_paths_are_one_error(cli: Cli) -> None:
    Path("empty").mkdir()
    Path("page").mkdir()
    Path("page/index.html").write_text("mine")
    real_pack(Path("packs/ada/digits.zip"), "lora", [0])
    for code, words in (
        (2, ("check", "missing.zip")),
        (4, ("check", "empty")),
        (2, ("build", "missing", "--out", "site")),
        (4, ("build", "empty", "--out", "site")),
        (2, ("build", "packs")),
        (2, ("build", "packs", "--out", "packs/ada/digits.zip")),
        (2, ("build", "packs", "--out", "page")),
    ):
        done = cli("board", *words)
        assert done.code == code, done.err
        assert done.err.count("error:") == 1
    assert not Path("site").exists()
