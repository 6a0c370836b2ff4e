"""`ltbench runs` and `ltbench cache` on stored runs, and `--where` of the other verbs."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltbench.io.array_cache import Cache
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import RunDescription
from ltbench.storage.run_directory import RunDirectory
from tests.conftest import Ended
from tests.runs import spec_of, store

Cli = Callable[..., Ended]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    out = tmp_path_factory.mktemp("made")
    for seed in range(2):
        store(out, spec_of(registry, method="lora", seed=seed), skill=1.5)
    store(out, spec_of(registry, method="full", seed=0, train__epochs=3), skill=0.0)
    return out


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """Two seeds of lora and a run of full, in the folder `runs` of the command."""
    shutil.copytree(made, tmp_path / "runs")
    return Path("runs")


def hash_of(cli: Cli, *where: str) -> str:
    conditions = [part for one in where for part in ("--where", one)]
    (run,) = cli("runs", "list", "--json", *conditions).json["runs"]
    return str(run["hash"])


def test_runs_are_listed_and_sorted(cli: Cli, runs: Path) -> None:
    ended = cli("runs", "list", "--sort", "-seed")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[0] == ["hash", "method", "seed", "accuracy", "few"]
    assert lines[1][1:3] == ["lora", "1"]
    assert lines[4] == ["3", "runs"]
    assert lines[5] == ["all", "with", "dataset=digits_lt,", "backbone=clip_tiny"]


def test_a_list_is_written_as_csv_and_json(cli: Cli, runs: Path) -> None:
    columns = ("--columns", "method, seed ,few", "--sort", "few")
    ended = cli("runs", "list", *columns, "--csv", "list.csv")
    assert (ended.code, ended.out, ended.err) == (0, "", "list.csv: 3 rows\n")
    with Path("list.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["method", "seed", "few"]
    listed = cli("runs", "list", "runs", *columns, "--json").json
    assert [str(run["few"]) for run in listed["runs"]] == [row["few"] for row in rows]
    assert listed["skipped"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--columns", "few,,seed"), 2, "--columns: expected names"),
        (("--columns", "epochs"), 2, "did you mean"),
        (("--sort", "fw"), 2, "column fw: no run has this key"),
        (("--where", "method"), 2, "expected KEY=VALUE"),
        (("--where", "method=x"), 4, "runs: --where method=x: none of 3 runs: method is full"),
        (("nowhere",), 2, "nowhere does not exist"),
        (("--csv", "runs"), 2, "--csv: runs exists but is not a file"),
    ],
)
def test_faults_of_a_list_are_explained(
    cli: Cli, runs: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = cli("runs", "list", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err


def test_a_long_list_is_cut(cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltbench.cli.runs.list.MAX_SHOWN_ROWS", 2)
    assert "3 runs, 1 of them not shown: add --all" in cli("runs", "list").out
    assert "3 runs\n" in cli("runs", "list", "--all").out


def test_a_run_is_shown(cli: Cli, runs: Path) -> None:
    digits = hash_of(cli, "method=full")[:6]
    cli("runs", "tag", digits, "paper=table 3")
    ended = cli("runs", "show", digits)
    assert (ended.code, ended.err) == (0, "")
    for text in ("full on digits_lt", "tag                 paper=table 3", "train.epochs = 3"):
        assert text in ended.out
    assert "predictions-" in ended.out
    shown = cli("runs", "show", digits, "--json").json
    assert shown["tags"] == {"paper": "table 3"}
    assert shown["settings"]["train.epochs"] == 3
    assert shown["result"]["hash"].startswith(digits)
    assert "tags.json" in shown["files"]


def test_unreadable_tags_are_named(cli: Cli, runs: Path) -> None:
    (run,) = runs.glob("digits_lt/*/full/*")
    (run / "tags.json").write_text("{")
    assert "tags.json is not JSON" in cli("runs", "show", str(run)).out
    ended = cli("runs", "tag", str(run), "a=x")
    assert ended.code == 4
    assert f"delete {run / 'tags.json'}" in ended.err


def test_two_runs_are_told_apart(cli: Cli, runs: Path) -> None:
    one, other = hash_of(cli, "method=full"), hash_of(cli, "method=lora", "seed=1")
    ended = cli("runs", "diff", one, other)
    assert ended.code == 0
    assert ["method", "full", "lora"] in [line.split() for line in ended.out.splitlines()]
    assert "environment: the same" in ended.out
    found = cli("runs", "diff", one, other, "--json").json
    assert found["settings"]["seed"] == ["0", "1"]
    assert found["environment"] == {}


def test_tags_are_set_found_and_removed(cli: Cli, runs: Path) -> None:
    ended = cli("runs", "tag", "runs", "paper=table 3", "--where", "method=lora", "--json")
    assert len(ended.json["tags"]) == 2
    kept = cli("runs", "list", "--where", "tag.paper=table 3", "--json").json["runs"]
    assert [run["tags"] for run in kept] == [{"paper": "table 3"}] * 2
    assert "paper=table 3" in cli("runs", "list").out
    assert "no tags" in cli("runs", "tag", kept[0]["hash"], "--remove", "paper").out
    assert len(cli("runs", "list", "--where", "tag.paper=table 3", "--json").json["runs"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("runs",), "expected NAME=VALUE or --remove NAME"),
        (("runs", "x"), "expected NAME=VALUE"),
        (("runs", "--remove", "x"), "no run has this tag"),
        (("zz", "a=x"), "zz is neither a directory"),
    ],
)
def test_faults_of_tags_are_explained(
    cli: Cli, runs: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = cli("runs", "tag", *arguments)
    assert ended.code == 2
    assert message in ended.err


def test_runs_are_removed_and_come_back(cli: Cli, runs: Path) -> None:
    ended = cli("runs", "rm", "--where", "method=lora", "--yes", "--json")
    assert ended.code == 0
    moved = ended.json["moved"]
    assert len(moved) == 2
    assert len(cli("runs", "list", "--json").json["runs"]) == 1
    Path(moved[0]["trash"]).rename(moved[0]["run"])
    assert len(cli("runs", "list", "--json").json["runs"]) == 2
    told = cli("runs", "rm", moved[0]["run"], "--yes").out
    assert "mv runs/.trash/20" in told
    ended = cli("runs", "rm", "--empty-trash", "--yes")
    assert (ended.code, ended.out[:14]) == (0, "deleted 2 runs")
    assert list((runs / ".trash").iterdir()) == []
    assert "is empty" in cli("runs", "rm", "--empty-trash").out


def test_busy_runs_are_kept_and_unfinished_ones_removed(
    cli: Cli, runs: Path, registry: Registry
) -> None:
    spec = spec_of(registry, seed=9)
    directory = RunDirectory.of(runs, spec)
    directory.begin(RunDescription.of(spec))
    with directory.lock(runs):
        ended = cli("runs", "rm", "runs", "--yes", "--json")
    assert ended.code == 1
    assert [kept["run"] for kept in ended.json["kept"]] == [str(directory.path)]
    assert f"kept {directory.path}" in ended.err
    assert len(ended.json["moved"]) == 3
    assert cli("runs", "rm", spec.hash, "--yes").code == 0
    assert not directory.path.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "expected runs or --where"),
        (("ffff",), 2, "the beginning of the hash of one of the 3 runs"),
        (("runs",), 2, "expected a confirmation"),
        (("--where", "method=x"), 4, "none of 3 runs"),
        (("runs", "--empty-trash"), 2, "expected neither runs nor --where"),
    ],
)
def test_faults_of_removals_are_explained(
    cli: Cli, runs: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = cli("runs", "rm", *arguments)
    assert ended.code == code
    assert message in ended.err
    assert not (runs / ".trash").exists()


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 3), ("\x04", 1, 3)])
def test_a_user_is_asked(
    cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    terminal, ours = os.openpty()
    os.write(terminal, answer.encode())
    with os.fdopen(ours) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        ended = cli("runs", "rm", "runs")
    os.close(terminal)
    assert ended.code == code
    assert "Move 3 runs into the trash?" in ended.err
    assert len(list(runs.glob("digits_lt/*/*/*"))) == left


def test_runs_are_packed_and_added(cli: Cli, runs: Path) -> None:
    ended = cli("runs", "pack", "runs", "shared.zip", "--where", "method=lora", "--json")
    assert (ended.code, ended.json["runs"]) == (0, 2)
    ended = cli("runs", "add", "shared.zip", "--out", "theirs", "--json")
    assert ended.code == 0
    assert [len(ended.json[key]) for key in ("added", "present", "refused")] == [2, 0, 0]
    told = cli("runs", "add", "shared.zip", "--out", "theirs").out
    assert told == "added 0 of 2 runs to theirs; there before: 2\n"
    assert cli("runs", "pack", "runs", "shared.zip").code == 2


def test_refused_runs_are_named(cli: Cli, runs: Path) -> None:
    cli("runs", "pack", "runs", "shared.zip")
    (run,) = runs.glob("digits_lt/*/full/*")
    shutil.copytree("runs", "theirs")
    shutil.rmtree(Path("theirs") / run.relative_to("runs"))
    place = Path("theirs") / run.relative_to("runs")
    place.mkdir()
    (place / "spec.json").write_bytes((run / "spec.json").read_bytes())
    ended = cli("runs", "add", "shared.zip", "--out", "theirs")
    assert ended.code == 4
    assert f"refused {run.relative_to('runs')}" in ended.err
    assert "1 of 3 runs were refused" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("pack", "runs"), 2, "expected runs and the archive"),
        (("pack", "shared.zip"), 2, "expected runs and the archive"),
        (("pack", "runs", "new/folder/x.zip"), 0, ""),
        (("pack", "zz", "x.zip"), 2, "zz is neither a directory"),
        (("add", "none.zip"), 2, "'none.zip' does not exist"),
        (("add", "runs"), 4, "Not a regular file"),
        (("show", "runs"), 2, "3 are below it"),
        (("diff", "runs"), 2, "Missing argument"),
    ],
)
def test_other_faults_are_explained(
    cli: Cli, runs: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = cli("runs", *arguments)
    assert ended.code == code
    assert message in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "runs/digits_lt/clip_tiny/lora", "runs/digits_lt/clip_tiny/full"),
        ("compare", "runs", "--across-datasets"),
        ("leaderboard", "runs"),
        ("reproduce", "runs"),
        ("report", "runs", "--out", "report"),
    ],
)
def test_other_verbs_have_the_same_filter(cli: Cli, runs: Path, arguments: tuple[str, ...]) -> None:
    ended = cli(*arguments, "--where", "method=none")
    assert ended.code == 4
    assert "--where method=none:" in ended.err
    assert cli(*arguments, "--where", "methd=full").code == 2
    assert not Path("report").exists()


def test_a_leaderboard_of_some_runs(cli: Cli, runs: Path) -> None:
    ended = cli("leaderboard", "runs", "--where", "seed=0", "--where", "method=lora", "--json")
    (ranking,) = ended.json["rankings"]
    assert [(row["method"], row["seeds"]) for row in ranking["rows"]] == [("lora", 1)]


def test_the_cache_is_shown_and_emptied(cli: Cli, runs: Path) -> None:
    cache = Cache.of(runs, 1.0)
    for number in range(3):
        cache.get({"n": number}, {"x": ((1000,), np.float64)}, lambda arrays: None)
    shown = cli("cache", "--json").json
    assert shown["entries"] == 3
    assert shown["bytes"] > 24_000
    assert "3 entries, 2" in cli("cache").out
    assert cli("cache", "--limit", "0.00001", "--json").json["deleted_entries"] == 2
    refused = cli("cache", "--clear")
    assert (refused.code, "add --yes" in refused.err) == (2, True)
    assert "deleted 1 entry" in cli("cache", "--clear", "--yes").out
    assert cli("cache", "--clear").code == 0
    assert cli("cache", "--clear", "--limit", "1").code == 2
    assert cli("cache", "--out", "nowhere").code == 2
