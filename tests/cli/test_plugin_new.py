from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ltbench.specs import KINDS
from tests.conftest import Ended

Cli = Callable[..., Ended]


def test_it_says_what_comes_next(cli: Cli, tmp_path: Path) -> None:
    ended = cli("plugin", "new", "my-method", "--kind", "method")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [
        "the method my_method is in my-method; next:",
        "  pip install -e my-method",
        "  ltbench plugin check my_method",
        "  ltbench run --method my_method --epochs 1",
    ]
    assert (tmp_path / "my-method" / "src" / "my_method" / "method.py").exists()
    assert "The my-method authors" in (tmp_path / "my-method" / "LICENSE").read_text()


def test_commands_name_the_folder_that_it_is_in(cli: Cli, tmp_path: Path) -> None:
    ended = cli("plugin", "new", "my_queue", "--kind", "executor", "--dir", "of mine")
    assert "  pip install -e 'of mine/my-queue'\n" in ended.out
    grid = "  ltbench grid run 'of mine/my-queue/grid.toml' --executor my_queue\n"
    assert ended.out.endswith(grid)
    assert (tmp_path / "of mine/my-queue/grid.toml").exists()


def test_licence_and_author_are_chosen(cli: Cli, tmp_path: Path) -> None:
    chosen = ("--licence", "bsd-3-clause", "--author", "Ada Lovelace")
    assert cli("plugin", "new", "my_loss", "--kind", "loss", *chosen).code == 0
    text = (tmp_path / "my-loss" / "LICENSE").read_text()
    assert text.startswith("BSD 3-Clause License\n")
    assert "Ada Lovelace" in text


def test_all_faults_are_shown_together(cli: Cli, tmp_path: Path) -> None:
    wrong = ("--licence", "mitt", "--author", "two\nlines")
    ended = cli("plugin", "new", "lora", "--kind", "method", *wrong)
    assert ended.code == 2
    for said in ("'lora' already", "did you mean 'mit'?", "expected one line of text"):
        assert said in ended.err
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_gets_a_suggestion(cli: Cli) -> None:
    ended = cli("plugin", "new", "mine", "--kind", "methods")
    assert (ended.code, "did you mean 'method'" in ended.err) == (2, True)


def test_nothing_is_overwritten(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "my-loss").mkdir()
    (tmp_path / "my-loss" / "notes.txt").write_text("mine")
    ended = cli("plugin", "new", "my_loss", "--kind", "loss")
    assert (ended.code, "my-loss exists but is not an empty folder" in ended.err) == (2, True)
    assert [path.name for path in (tmp_path / "my-loss").iterdir()] == ["notes.txt"]


def test_the_help_names_every_kind(cli: Cli) -> None:
    shown = " ".join(cli("plugin", "new", "--help").out.replace("│", " ").split())
    assert "Example" in shown
    assert ", ".join(KINDS) in shown
