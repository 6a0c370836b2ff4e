"""`ltbench leaderboard` on stored runs."""

from __future__ import annotations

import csv
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of, store

Cli = Callable[..., Ended]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    out = tmp_path_factory.mktemp("drawn")
    for seed in range(2):
        store(out, spec_of(registry, method="lift_plus", seed=seed), skill=1.5)
        store(out, spec_of(registry, method="full", seed=seed), skill=0.0)
    return out


def test_a_table_in_the_terminal(cli: Cli, drawn: Path) -> None:
    ended = cli("leaderboard", str(drawn))
    assert (ended.code, ended.err) == (0, "")
    rows = [line.split()[:2] for line in ended.out.splitlines() if line.strip()]
    assert ["1", "lift_plus"] in rows
    assert ["2", "full"] in rows
    assert "methods that share a rank do not differ significantly" in ended.out


def test_a_csv_file_besides(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    ended = cli("leaderboard", str(drawn), "--csv", "board.csv", "--json")
    assert ended.code == 0
    assert [row["method"] for row in ended.json["rankings"][0]["rows"]] == ["lift_plus", "full"]
    with Path("board.csv").open(newline="", encoding="utf-8") as file:
        assert [row["rank"] for row in csv.DictReader(file)] == ["1", "2"]


def test_a_csv_file_where_nothing_can_be_written(cli: Cli, drawn: Path) -> None:
    Path("taken").touch()
    ended = cli("leaderboard", str(drawn), "--csv", "taken/board.csv")
    assert ended.code == 2
    assert "taken/board.csv cannot be written" in ended.err


@pytest.mark.parametrize(("flag", "start"), [("--markdown", "### "), ("--latex", "% needs")])
def test_tables_for_papers(cli: Cli, drawn: Path, flag: str, start: str) -> None:
    ended = cli("leaderboard", str(drawn), flag)
    assert ended.code == 0
    assert ended.out.startswith(start)


def test_one_format_at_a_time(cli: Cli, drawn: Path) -> None:
    ended = cli("leaderboard", str(drawn), "--markdown", "--latex")
    assert ended.code == 2
    assert "choose one" in ended.err


def test_nothing_to_rank(cli: Cli, tmp_path: Path) -> None:
    ended = cli("leaderboard", str(tmp_path))
    assert ended.code == 4
    assert "ltbench run" in ended.err


def test_broken_runs_are_listed_and_with_strict_an_error(
    cli: Cli, drawn: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn, tmp_path / "runs")
    broken = next((tmp_path / "runs").glob("*/*/full/*/result.json"))
    broken.write_text(broken.read_text()[:100])
    ended = cli("leaderboard", "runs")
    assert ended.code == 0
    assert "result.json is not JSON" in ended.err
    ended = cli("leaderboard", "runs", "--strict", "--json")
    assert ended.code == 1
    assert len(ended.json["skipped"]) == 1


def test_a_csv_file_behind_a_link_is_written_there(cli: Cli, drawn: Path) -> None:
    Path("link.csv").symlink_to("target.csv")
    assert cli("leaderboard", str(drawn), "--csv", "link.csv").code == 0
    assert Path("link.csv").is_symlink()
    assert Path("target.csv").read_text(encoding="utf-8").startswith("rank,")


@pytest.mark.parametrize("name", ["folder", "pipe", ""])
def test_what_is_no_file_is_left_alone(cli: Cli, drawn: Path, name: str) -> None:
    Path("folder").mkdir()
    os.mkfifo("pipe")
    ended = cli("leaderboard", str(drawn), "--csv", name)
    assert ended.code == 2
    assert "exists but is not a file" in ended.err
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)


def test_no_number_is_no_level(cli: Cli, drawn: Path) -> None:
    ended = cli("leaderboard", str(drawn), "--level", "nan")
    assert ended.code == 2
    assert "expected a number" in ended.err


def test_names_of_folders_do_not_steer_the_terminal(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    odd = tmp_path / "more" / "a\x1b[31m\nb"
    odd.mkdir(parents=True)
    (odd / "spec.json").write_text("{}")
    ended = cli("leaderboard", str(drawn), "more")
    assert "\x1b" not in ended.err
    assert ended.err.count("\n") == 1


def test_columns_are_chosen_in_every_format(cli: Cli, drawn: Path) -> None:
    chosen = ["leaderboard", str(drawn), "--columns", "method, epochs,few", "--csv", "few.csv"]
    ended = cli(*chosen)
    assert ended.code == 0, ended.err
    assert ["method", "epochs", "few"] in [line.split() for line in ended.out.splitlines()]
    assert Path("few.csv").read_text(encoding="utf-8").splitlines()[0] == "method,epochs,few"
    assert "| method     |   epochs |   few |" in cli(*chosen, "--markdown").out
    latex = cli(*chosen, "--latex", "--metric", "few", "--spread", "interval").out
    assert "method & epochs & few \\\\" in latex
    assert "\\item Ranked by few-shot accuracy." in latex
    rows = cli("leaderboard", str(drawn), "--json").json["rankings"][0]["rows"]
    for row in rows:
        assert f"[{row['few_ci_low']:.1f}, {row['few_ci_high']:.1f}]" in latex


def test_columns_that_are_not_there(cli: Cli, drawn: Path) -> None:
    for columns, said in (("fewer", "did you mean 'few'"), ("few,,", "expected names")):
        ended = cli("leaderboard", str(drawn), "--columns", columns)
        assert ended.code == 2
        assert said in ended.err
    ended = cli("leaderboard", str(drawn), "--columns", "few", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "--json prints every column but those of diagnoses" in ended.err
    assert "hint: leave --columns out" in ended.err
