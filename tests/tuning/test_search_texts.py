from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.errors import ConfigError
from ltbench.tuning.search_texts import Search, by_key, read_searches


def read(*texts: str, path: Path | None = None) -> list[Search]:
    searches, faults = read_searches(texts, path)
    assert faults == []
    return searches


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("method.dim=4,8, none", Search("method.dim", ("4", "8", "none"))),
        ("loss=ce", Search("loss", ("ce",))),
        ("train.epochs=5..20", Search("train.epochs", ("5", "20"), None, True)),
        ("train.lr=log:1e-4..1e-1", Search("train.lr", ("1e-4", "1e-1"), None, True, True)),
        ("train.lr = log: 0.1 .. 1", Search("train.lr", ("0.1", "1"), None, True, True)),
        ('x.y=["q", "v"],["q"]', Search("x.y", ('["q", "v"]', '["q"]'))),
        ("dataset.path=../a,b..c", Search("dataset.path", ("../a", "b..c"))),
        ("full:train.lr=1,2", Search("train.lr", ("1", "2"), "full")),
        ('init.template="a, {}","b {}"', Search("init.template", ('"a, {}"', '"b {}"'))),
    ],
)
def test_a_text_is_a_list_or_a_range(text: str, search: Search) -> None:
    assert read(text) == [search]


def test_a_file_has_searches_of_all_and_of_single_methods(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        'train.lr = "log:1e-4..1e-1"\n"method.dim" = [4, "none"]\nseed = ["a"]\n'
        '[methods.full]\ntrain.lr = "log:1e-5..1e-2"\n[methods.vpt]\n"method.num" = "2,4"\n'
    )
    searches = read("seed=b", path=path)
    assert [(one.method, one.key) for one in searches] == [
        (None, "train.lr"),
        (None, "method.dim"),
        (None, "seed"),
        ("full", "train.lr"),
        ("vpt", "method.num"),
    ]
    assert searches[2].values == ("b",)  # the command line replaces the file
    assert by_key(searches, "full")["train.lr"].values == ("1e-5", "1e-2")
    assert by_key(searches, "vpt").keys() == {"train.lr", "method.dim", "seed", "method.num"}


def test_all_faults_are_found(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text('a = 5\n"b.c" = []\ntrain.lr = "log:x..y"\nmethods = 3\n')
    texts = ("", "x", "x=", "=5", "m:=5", "k=1", "k=2", "k=log:5")
    searches, faults = read_searches(texts, path)
    assert [search.key for search in searches] == ["k"]
    assert len(faults) == 11
    for expected in ("methods: expected tables", "a: expected a list or a range, got 5"):
        assert any(expected in fault for fault in faults)
    assert "b.c: expected values, got an empty list" in "".join(faults)
    assert "--search k is searched twice" in faults


@pytest.mark.parametrize("content", [None, b"a = ", b"\xff"], ids=["missing", "syntax", "encoding"])
def test_a_file_that_is_no_toml_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "space.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"space\.toml (cannot be read|is not TOML)"):
        read_searches((), path)
