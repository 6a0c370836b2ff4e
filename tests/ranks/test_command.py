"""Commands that several processes execute together: killed, interrupted, resumed, in error."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.ranks.cases import write_images
from ltbench.engine.training.checkpoint import load_tensors
from ltbench.grid.worker import Request
from ltbench.storage.run_directory import RunDirectory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

_QUICK = ("--limit", "8", "--inference", "center", "--workers", "0")
_LONG = (*_QUICK, "--epochs", "30", "--out", "runs")
_PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str


def start(folder: Path, *arguments: str, module: Sequence[str] = ("ltbench",)) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *module, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> Finished:
    out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    return Finished(process.returncode, out, err)


def ltbench(folder: Path, *arguments: str) -> Finished:
    return end(start(folder, *arguments))


def run_directory(folder: Path, out: str = "runs") -> Path:
    (path,) = (folder / out).rglob("spec.json")
    return path.parent


def wait_for_an_epoch(folder: Path) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not any((folder / "runs").rglob("history.jsonl")):
        assert time.monotonic() < until
        time.sleep(0.05)


def ranks_of(process: subprocess.Popen) -> dict[int, int]:
    """Process id of each rank that a command has started."""
    found = {}
    for name in Path("/proc").iterdir():
        if not name.name.isdigit():
            continue
        try:
            parent = int((name / "stat").read_text().rpartition(")")[2].split()[1])
            variables = (name / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or belongs to somebody else
            continue
        if parent == process.pid:
            values = [one[5:] for one in variables if one.startswith(b"RANK=")]
            found |= {int(value): int(name.name) for value in values}
    return found


def weights(directory: Path) -> np.ndarray:
    tensors, _ = load_tensors(directory / "learned.safetensors")
    return np.concatenate([tensors[name].numpy().ravel() for name in sorted(tensors)])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of `_LONG` by one process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ended = ltbench(folder, "run", *_LONG)
    assert ended.code == 0, ended.err
    return run_directory(folder)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_rank_is_named_and_the_run_is_resumed_by_one(
    tmp_path: Path, undisturbed: Path, killed: int
) -> None:
    process = start(tmp_path, "run", *_LONG, "--ranks", "2")
    wait_for_an_epoch(tmp_path)
    ranks = ranks_of(process)
    assert sorted(ranks) == [0, 1]
    os.kill(ranks[killed], signal.SIGKILL)
    ended = end(process)
    assert ended.code == 1
    assert ended.err.count("error:") == 1
    assert f"rank {killed} of 2 was killed by SIGKILL" in ended.err
    directory = run_directory(tmp_path)
    assert not (directory / "failure.json").exists()
    assert (directory / "checkpoint" / "training.safetensors").exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in ranks.values())

    resumed = ltbench(tmp_path, "run", *_LONG)
    assert resumed.code == 0, resumed.err
    assert "resuming training after epoch" in resumed.err
    one, other = weights(undisturbed), weights(directory)
    assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(one)
    results = [RunDirectory(at).finished() for at in (undisturbed, directory)]
    assert results[0].metrics.per_class == results[1].metrics.per_class
    assert results[1].environment.ranks == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_stops_its_ranks_together(
    tmp_path: Path, undisturbed: Path, number: signal.Signals
) -> None:
    process = start(tmp_path, "run", *_LONG, "--ranks", "2")
    wait_for_an_epoch(tmp_path)
    ranks = ranks_of(process)
    process.send_signal(number)
    ended = end(process)
    assert ended.code == 130
    assert ended.err.count("error:") == 1
    assert "error: interrupted after" in ended.err
    directory = run_directory(tmp_path)
    assert not (directory / "failure.json").exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in ranks.values())

    resumed = ltbench(tmp_path, "run", *_LONG, "--ranks", "2")
    assert resumed.code == 0, resumed.err
    assert "resuming training after epoch" in resumed.err
    one, other = weights(undisturbed), weights(directory)
    assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(one)


def test_ranks_end_when_the_command_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path, "run", *_LONG, "--ranks", "2")
    wait_for_an_epoch(tmp_path)
    ranks = ranks_of(process)
    process.kill()
    end(process)
    until = time.monotonic() + _PATIENCE_SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in ranks.values()):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_diverged_training_is_recorded_once(tmp_path: Path) -> None:
    ended = ltbench(
        tmp_path,
        "run",
        *_QUICK,
        *("--method", "full", "--lr", "1e30", "--epochs", "2", "--out", "runs", "--ranks", "3"),
    )
    assert ended.code == 1
    assert ended.err.count("error:") == 1
    failure = json.loads((run_directory(tmp_path) / "failure.json").read_text())
    assert failure["kind"] == "NonFiniteLossError"
    assert failure["error"] in ended.err


def test_an_error_of_one_rank_is_that_of_the_run(tmp_path: Path) -> None:
    write_images(tmp_path / "images")
    command = ("run", "--dataset", "folder", "--set", "dataset.path=images", "--epochs", "1")
    command = (*command, "--workers", "0", "--cache", "0")
    alone = ltbench(tmp_path, *command, "--out", "alone")
    shared = ltbench(tmp_path, *command, "--out", "shared", "--ranks", "3")
    assert (alone.code, shared.code) == (4, 4), shared.err
    messages = [
        [line for line in ended.err.splitlines() if line.startswith("error:")]
        for ended in (alone, shared)
    ]
    assert messages[0] == messages[1]
    assert len(messages[1]) == 1
    failures = [
        json.loads((run_directory(tmp_path, out) / "failure.json").read_text())
        for out in ("alone", "shared")
    ]
    assert failures[0] == failures[1]


def test_evaluations_and_predictions_are_the_same_bytes(tmp_path: Path, undisturbed: Path) -> None:
    for name in ("one", "two"):
        subprocess.run(["cp", "-r", str(undisturbed), str(tmp_path / name)], check=True)
    command = ("--inference", "ten_crop", "--split", "train", "--json")
    one = ltbench(tmp_path, "eval", "one", *command)
    two = ltbench(tmp_path, "eval", "two", *command, "--ranks", "2")
    assert (one.code, two.code) == (0, 0), two.err
    assert one.out == two.out
    for path in (tmp_path / "one").glob("*predictions-*"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name

    photos = tmp_path / "photos"
    photos.mkdir()
    random = np.random.default_rng(0)
    for number in range(40):
        pixels = random.integers(0, 255, (30 + number % 5, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photos / f"{number:02}.png")
    (photos / "03.png").write_bytes(b"no image")
    (photos / "21.png").write_bytes(b"no image")
    (photos / "notes.txt").write_text("no image either")
    one = ltbench(tmp_path, "predict", "one", "photos", "--csv", "one.csv")
    two = ltbench(tmp_path, "predict", "one", "photos", "--csv", "two.csv", "--ranks", "3")
    assert (one.code, two.code) == (4, 4), two.err
    assert one.out == two.out
    assert one.err == two.err.replace("two.csv", "one.csv")
    assert one.err.count("files ignored") == 1
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_torchrun_starts_the_ranks(tmp_path: Path, undisturbed: Path) -> None:
    launcher = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "ltbench")
    ended = end(start(tmp_path, "run", *_LONG, "--device", "cpu", module=launcher))
    assert ended.code == 0, ended.err
    assert ended.out.count("overall") == 1
    result = RunDirectory(run_directory(tmp_path)).finished()
    assert (result.environment.ranks, result.environment.backend) == (2, "gloo")
    one, other = weights(undisturbed), weights(result.path)
    assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(one)


def test_torchrun_starts_the_ranks_of_several_machines(tmp_path: Path, undisturbed: Path) -> None:
    """Two agents on one machine, each with the first rank of its own."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        meeting = f"localhost:{free.getsockname()[1]}"
    launcher = ("torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1")
    launcher = (*launcher, "--rdzv-backend", "c10d", "--rdzv-id", "a", "--rdzv-endpoint", meeting)
    command = ("run", *_LONG, "--device", "cpu")
    agents = [start(tmp_path, *command, module=(*launcher, "-m", "ltbench")) for _ in range(2)]
    ends = [end(agent) for agent in agents]
    assert [one.code for one in ends] == [0, 0], ends
    assert sum(one.out.count("overall") for one in ends) == 1
    result = RunDirectory(run_directory(tmp_path)).finished()
    assert result.environment.ranks == 2
    one, other = weights(undisturbed), weights(result.path)
    assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(one)


def test_a_worker_of_a_grid_starts_the_ranks_of_its_run(tmp_path: Path) -> None:
    request = Request(
        settings={"limit": "8", "train.epochs": "1", "inference": "center"},
        out=str(tmp_path / "runs"),
        device="cpu",
        workers=0,
        data_root="data",
        overwrite="never",
        ranks=2,
    )
    ended = end(start(tmp_path, request.as_json(), module=("ltbench.grid.worker",)))
    assert ended.code == 0, ended.err
    result = RunDirectory(run_directory(tmp_path)).finished()
    assert result.environment.ranks == 2
    command = result.environment.command
    assert command[command.index("--ranks") + 1] == "2"


def test_an_error_before_the_training_is_recorded_by_a_worker(tmp_path: Path) -> None:
    failures = []
    for ranks in (1, 2):
        request = Request(
            settings={
                "method": "lora",
                "backbone": "timm",
                "backbone.model": "test_resnet",
                "backbone.pretrained": "false",
                "init": "random",
                "limit": "8",
            },
            out=str(tmp_path / str(ranks)),
            device="cpu",
            workers=0,
            data_root="data",
            overwrite="never",
            ranks=ranks,
        )
        ended = end(start(tmp_path, request.as_json(), module=("ltbench.grid.worker",)))
        assert ended.code == 1, ended.err
        directory = run_directory(tmp_path, str(ranks))
        failures.append(json.loads((directory / "failure.json").read_text()))
    assert failures[0]["kind"] == "NothingMatchedError"
    assert failures[0] == failures[1]
