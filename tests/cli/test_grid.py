"""`ltbench grid`, mostly with processes of its own; see tests/grid for what is decided within."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import trees
from tests.conftest import Ended
from tests.grid.grids import small
from tests.strangers import install

Cli = Callable[..., Ended]
LONG = '[[include]]\nmethod = "full"\n"dataset.largest" = 143\n'
CRASHES = """
import os
from pathlib import Path

def build(how):
    def made(config, ctx):
        import torch
        if how == "raises" and not Path("mended").exists():
            raise ValueError("broken")
        if how == "exits" and not Path("mended").exists():
            os._exit(9)
        if how == "is_killed" and not Path("mended").exists():
            os.kill(os.getpid(), 9)
        return torch.nn.functional.cross_entropy
    return made

@hookimpl
def ltbench_register_losses():
    names = ("raises", "exits", "is_killed")
    return [LossSpec(name=name, summary="a loss", build=build(name)) for name in names]
"""


def test_plan_run_status(cli: Cli, tmp_path: Path) -> None:
    file = str(small(tmp_path, "seed = [0, 1]\n[[include]]\nloss = ['ce', 'focal']\n"))
    plan = cli("grid", "plan", file)
    assert plan.code == 0, plan.err
    assert "4 runs in 2 cells; 4 to do: 4 of unknown time (--measure)" in plan.out
    assert not (tmp_path / "runs").exists()  # nothing is written

    only = str(small(tmp_path, "seed = 0\nloss = 'ce'\n"))
    ran = cli("grid", "run", only, "--jobs", "1")
    assert ran.code == 0, ran.err
    assert "1/1 done classifier_only, seed 0: " in ran.err

    file = str(small(tmp_path, "seed = [0, 1]\n[[include]]\nloss = ['ce', 'focal']\n"))
    totals = cli("grid", "plan", file, "--json").json["totals"]
    assert (totals["done"], totals["to_do"], totals["runs_of_unknown_time"]) == (1, 3, 0)
    assert 0 < totals["seconds_left"] < 60
    assert totals["peak_memory_mb"] > 100
    cells = cli("grid", "plan", file, "--json").json["cells"]
    assert [cell["forecast"]["basis"] for cell in cells] == ["measured", "similar"]
    assert cells[0]["forecast"]["learned"] == 1280
    assert "~" in cli("grid", "plan", file).out

    status = cli("grid", "status", file)
    assert status.code == 0
    assert "focal" in status.out
    runs = cli("grid", "status", file, "--json").json["runs"]
    assert [run["state"] for run in runs] == ["done", "to do", "to do", "to do"]
    assert runs[0]["accuracy"] > 50


def test_of_many_cells_the_first_are_shown(cli: Cli, tmp_path: Path) -> None:
    rates = ", ".join(str(number / 100) for number in range(1, 26))
    file = str(small(tmp_path, f"seed = [0, 1]\ntrain.lr = [{rates}]\n"))
    for verb in ("plan", "status"):
        few, every = cli("grid", verb, file), cli("grid", verb, file, "--all")
        assert few.code == every.code == 0, few.err
        assert "5 more cells: --all" in few.out
        assert "50 runs in 25 cells" in few.out
        assert "train.lr=0.25" not in few.out
        assert "train.lr=0.25" in every.out
        assert "more cells" not in every.out
    assert len(cli("grid", "plan", file, "--json").json["cells"]) == 25


def test_measuring_tells_what_no_run_did(cli: Cli, tmp_path: Path) -> None:
    plan = cli("grid", "plan", str(small(tmp_path, "seed = [0, 1]\n")), "--measure", "--json")
    assert plan.code == 0, plan.err
    (cell,) = plan.json["cells"]
    assert cell["forecast"]["basis"] == "probed"
    assert cell["forecast"]["learned"] == 1280
    assert plan.json["totals"]["seconds_left"] > 0


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("loss = 'cee'", (), "there is no loss 'cee'"),
        ("seed = 0", ("--executor", "lokal"), "did you mean 'local'?"),
        ("seed = 0", ("--set", "executor.nodes=2"), "is not an option of executor 'local'"),
        ("seed = 0", ("--set", "train.lr=2"), "only executor.* and tracker.* can be set here"),
        ("seed = 0", ("--jobs", "0"), "Invalid value for '--jobs'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Cli, tmp_path: Path, text: str, arguments: tuple[str, ...], said: str
) -> None:
    ended = cli("grid", "run", str(small(tmp_path, text)), *arguments)
    assert ended.code == 2
    assert said in " ".join(ended.err.split())
    assert not (tmp_path / "runs").exists()


def test_without_its_data_a_grid_is_planned_and_not_run(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "far.toml").write_text('[defaults]\ndataset = "imagenet_lt"\nseed = [0, 1]\n')
    plan = cli("grid", "plan", "far.toml")
    assert plan.code == 0, plan.err
    assert "2 runs in 1 cells; 2 to do" in plan.out
    assert "missing" in plan.out
    (cell,) = cli("grid", "plan", "far.toml", "--json").json["cells"]
    assert [run["hash"] for run in cell["runs"]] == [None, None]
    assert cli("grid", "run", "far.toml").code == 4


def test_executors_are_listed_and_shown(cli: Cli) -> None:
    listed = [one["name"] for one in cli("list", "executors", "--json").json["components"]]
    assert {"local", "slurm"} <= {*listed}
    assert "executor local" in cli("show", "executor", "local").out


def environment(*folders: Path) -> dict[str, str]:
    path = os.pathsep.join([*map(str, folders), *filter(None, sys.path)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def begin(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ltbench", "grid", "run", "small.toml", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("it has not come to that")


def processes_of(folder: Path) -> dict[int, int]:
    """Returns the workers whose working directory is a folder and their server, with parents."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = (process / "cwd").readlink() == folder
            if here and b"ltbench.grid." in (process / "cmdline").read_bytes():
                status = (process / "stat").read_text().rpartition(")")[2].split()
                found[int(process.name)] = int(status[1])
        except OSError:
            continue
    return found


def server_of(folder: Path) -> int:
    """Returns the fork server whose working directory is a folder."""
    processes = processes_of(folder)
    (server,) = processes.keys() & processes.values()
    return server


def epochs_done(folder: Path) -> list[list[str]]:
    return [path.read_text().splitlines() for path in (folder / "runs").rglob("history.jsonl")]


@pytest.mark.slow
def test_crashes_of_a_stranger_s_component_do_not_stop_the_rest(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "crashes", CRASHES)
    monkeypatch.setenv("PYTHONPATH", environment(tmp_path)["PYTHONPATH"])
    losses = '["raises", "ce", "exits", "is_killed", "focal"]'
    file = str(small(tmp_path, f"loss = {losses}\n"))
    ended = cli("grid", "run", file, "--jobs", "2")
    assert ended.code == 1
    assert "3 of 5 runs failed" in ended.err
    assert "2/5" in ended.err
    said = " ".join(ended.out.split())
    assert "ValueError: broken" in said
    assert "exit code 9" in said
    assert "killed by SIGKILL (out of memory?)" in said

    kept = cli("grid", "run", file, "--json")
    assert kept.code == 1
    assert not any(run["ran"] for run in kept.json["runs"])

    (tmp_path / "mended").touch()
    tried = cli("grid", "run", file, "--overwrite", "failed", "--json")
    assert tried.code == 0, tried.err
    assert [run["ran"] for run in tried.json["runs"]] == [True, False, True, True, False]


@pytest.mark.slow
def test_two_commands_share_the_work(tmp_path: Path) -> None:
    small(tmp_path, "seed = [0, 1, 2, 3, 4, 5]\n")
    commands = [begin(tmp_path, "--json", "--overwrite", "always", "--jobs", "1") for _ in "ab"]
    outputs = [command.communicate(timeout=300) for command in commands]
    assert [command.returncode for command in commands] == [0, 0], outputs
    ran = [[run["ran"] for run in json.loads(out)["runs"]] for out, _ in outputs]
    assert [first + second for first, second in zip(*ran, strict=True)] == [1] * 6
    assert all(any(one) for one in ran)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_ends_takes_its_workers_along_and_can_be_resumed(
    tmp_path: Path, how: signal.Signals
) -> None:
    small(tmp_path, LONG + "seed = [0, 1]\ntrain.epochs = 400\n")
    command = begin(tmp_path, "--jobs", "2")
    until(lambda: len([rows for rows in epochs_done(tmp_path) if len(rows) > 2]) == 2, 120)
    command.send_signal(how)
    _, err = command.communicate(timeout=60)
    assert command.returncode == (130 if how == signal.SIGINT else -how), err
    until(lambda: not processes_of(tmp_path))
    before = epochs_done(tmp_path)
    assert not list((tmp_path / "runs").rglob("failure.json"))

    command = begin(tmp_path, "--jobs", "2")
    until(lambda: all(len(n) > len(o) for n, o in zip(epochs_done(tmp_path), before, strict=True)))
    after = epochs_done(tmp_path)
    assert all(new[: len(old)] == old for new, old in zip(after, before, strict=True))
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=60)
    assert not processes_of(tmp_path)


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_run_alone_and_can_be_resumed(tmp_path: Path) -> None:
    small(tmp_path, LONG + "train.epochs = [400, 3]\n")
    command = begin(tmp_path, "--jobs", "1")
    until(lambda: [rows for rows in epochs_done(tmp_path) if len(rows) > 2], 120)
    server = server_of(tmp_path)
    (worker,) = (pid for pid, parent in processes_of(tmp_path).items() if parent == server)
    os.kill(worker, signal.SIGKILL)
    out, err = command.communicate(timeout=120)
    assert command.returncode == 1, err
    assert "killed by SIGKILL" in " ".join(out.split())
    assert len(list((tmp_path / "runs").rglob("result.json"))) == 1
    (failed,) = (path.parent for path in (tmp_path / "runs").rglob("failure.json"))
    before = (failed / "history.jsonl").read_text()

    command = begin(tmp_path, "--overwrite", "failed")
    grown = until(lambda: (failed / "history.jsonl").read_text()[len(before) :])
    assert json.loads(grown.splitlines()[0])["epoch"] == len(before.splitlines())
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=60)
    assert command.returncode == 130


@pytest.mark.slow
def test_a_fork_server_that_is_killed_costs_no_run(tmp_path: Path) -> None:
    small(tmp_path, LONG + "train.epochs = [12, 3]\n")
    command = begin(tmp_path, "--jobs", "1")
    until(lambda: [rows for rows in epochs_done(tmp_path) if len(rows) > 2], 120)
    os.kill(server_of(tmp_path), signal.SIGKILL)
    _, err = command.communicate(timeout=300)
    assert command.returncode == 0, err
    assert "with their own imports: the fork server has ended (-9)" in err
    assert not list((tmp_path / "runs").rglob("failure.json"))
    assert sorted(map(len, epochs_done(tmp_path))) == [3, 12]
    assert not processes_of(tmp_path)


def test_images_that_are_not_there_are_told_before_anything_begins(
    cli: Cli, tmp_path: Path
) -> None:
    trees.imagenet_lt(tmp_path / "data")
    shutil.rmtree(tmp_path / "data/imagenet_lt/train")
    text = '[defaults]\ndataset = "imagenet_lt"\nseed = [0, 1]\n"dataset.lists" = "own"\n'
    (tmp_path / "own.toml").write_text(text)
    ended = cli("grid", "run", "own.toml")
    assert ended.code == 4, ended.err
    assert not list((tmp_path / "runs").rglob("failure.json"))
