"""A real Slurm cluster of two nodes on this machine, and grids that are run on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.grid.grids import SMALL

SCRIPT = Path(__file__).parent / "slurm.sh"
ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
SLOW_LOSS = """
from __future__ import annotations

import time
from pathlib import Path

from ltbench import LossSpec, NoOptions, hookimpl


def build(config, ctx):
    import torch

    def loss(logits, labels):
        if Path("pause").exists():
            time.sleep(float(Path("pause").read_text()))
        return torch.nn.functional.cross_entropy(logits, labels)

    return loss


@hookimpl
def ltbench_register_losses():
    return [LossSpec(name="slow_ce", summary="pauses where a file says so", build=build)]
"""


def require_slurm() -> None:
    """Skips the test where Slurm is not installed."""
    missing = [one for one in ("slurmctld", "slurmd", "munged", "sbatch") if not _found(one)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not found: make test-slurm installs slurm-wlm, munge")


def _found(command: str) -> bool:
    return shutil.which(command, path=PATH) is not None


@dataclass
class Cluster:
    """A running cluster.

    Args:
        path: Folder of its files.
        variables: Settings of `slurm.sh`.
        prefix: Command that starts everything, for another user.
    """

    path: Path
    variables: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """Environment of commands that use the cluster."""
        conf = str(self.path / "slurm.conf")
        return {**os.environ, "PATH": PATH, "SLURM_CONF": conf, **self.variables}

    def script(self, *arguments: str) -> None:
        """Calls `slurm.sh`; its daemons write into their own logs."""
        what, *rest = arguments
        subprocess.run(
            [*self.prefix, str(SCRIPT), what, str(self.path), *rest],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def ask(self, *command: str) -> str:
        """Returns what a command of Slurm prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def jobs(self, states: str = "pending,running,completing,configuring") -> list[str]:
        """Returns the ids of the jobs in some states."""
        return self.ask("squeue", "-rh", f"--states={states}", "--format=%i").split()

    def kill(self, name: str) -> None:
        """Kills a daemon, and the jobs of a node with it, as a power cut does."""
        pid = int((self.path / f"{name}.pid").read_text())
        victims = [pid]
        if name.startswith("slurmd"):
            node = name.removeprefix("slurmd-")
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    variables = (process / "environ").read_bytes().split(b"\0")
                    command = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                mine = f"SLURM_CONF={self.path}/slurm.conf".encode() in variables
                on_node = f"SLURMD_NODENAME={node}".encode() in variables
                if mine and (on_node or b"slurmstepd: [" in command):
                    victims.append(int(process.name))
        for victim in victims:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue


@contextmanager
def cluster(path: Path, prefix: tuple[str, ...] = (), **variables: Any) -> Iterator[Cluster]:
    """Starts a cluster, and stops it."""
    require_slurm()
    chosen = {"PORT": _free_ports(), **variables}
    one = Cluster(path, {name: str(value) for name, value in chosen.items()}, prefix)
    one.script("start")
    try:
        yield one
    finally:
        for job in one.jobs():
            one.ask("scancel", job)
        one.script("stop")


def _free_ports() -> int:
    """Returns the first of three free ports."""
    for first in range(16800, 17800, 3):
        with ExitStack() as opened:
            try:
                for port in range(first, first + 3):
                    one = opened.enter_context(socket.socket())
                    one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@dataclass
class Desk:
    """A folder with a grid file, in which commands are run.

    Args:
        path: The folder.
        cluster: The cluster.
        commands: Commands that were started.
    """

    path: Path
    cluster: Cluster
    commands: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        plugin = self.path / "slow_plugin"
        info = plugin / "slow-1.0.dist-info"
        info.mkdir(parents=True)
        (plugin / "slow_plugin.py").write_text(SLOW_LOSS)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[ltbench]\nslow = slow_plugin\n")

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the commands."""
        path = os.pathsep.join(map(str, (self.path / "slow_plugin", ROOT, ROOT / "plugins")))
        return {**self.cluster.environment, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}

    def grid(self, rest: str) -> str:
        """Writes the grid file."""
        (self.path / "grid.toml").write_text(f"{SMALL}loss = 'slow_ce'\n{rest}")
        return "grid.toml"

    def pause(self, seconds: float) -> None:
        """Lets each training step take longer, which changes no result."""
        (self.path / "pause").write_text(str(seconds))

    def begin(self, *options: str, executor: str = "slurm") -> subprocess.Popen[str]:
        """Starts `ltbench grid run`."""
        own = ["cpus=1", "poll_seconds=1"] if executor == "slurm" else []
        chosen = ["--executor", executor, *(p for one in own for p in ("--set", f"executor.{one}"))]
        return self.start("grid", "run", "grid.toml", "--device", "cpu", *chosen, *options)

    def run(self, *options: str, executor: str = "slurm") -> tuple[int, str]:
        """Runs `ltbench grid run`; returns its exit code and all that it prints."""
        return self.end(self.begin(*options, executor=executor))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `ltbench`."""
        command = subprocess.Popen(
            [*self.cluster.prefix, sys.executable, "-m", "ltbench", *arguments],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.commands.append(command)
        return command

    def clear(self) -> None:
        """Ends what a test that failed has left."""
        for command in self.commands:
            if command.poll() is None:
                command.kill()
                command.communicate()
        for job in self.cluster.jobs():
            self.cluster.ask("scancel", job)

    def call(self, *arguments: str) -> tuple[int, str]:
        """Runs `ltbench`; returns its exit code and all that it prints."""
        return self.end(self.start(*arguments))

    @staticmethod
    def end(process: subprocess.Popen[str], seconds: float = 900) -> tuple[int, str]:
        """Waits for a command; returns its exit code and all that it prints."""
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"no end after {seconds} s: {output}") from None
        return process.returncode, output

    def states(self, out: str = "runs") -> list[dict[str, Any]]:
        """Returns the runs as `grid status --json` has them."""
        code, output = self.call("grid", "status", "grid.toml", "--json", "--out", out)
        assert code == 0, output
        runs: list[dict[str, Any]] = json.loads(output)["runs"]
        return runs

    def epochs(self) -> int:
        """Returns the number of trained epochs of all runs, read from the files."""
        return sum(len(path.read_text().splitlines()) for path in self.found("history.jsonl"))

    def found(self, name: str, out: str = "runs") -> list[Path]:
        """Returns the files of all runs with a name."""
        return sorted((self.path / out).glob(f"*/*/*/*/{name}"))

    def submitted(self) -> list[str]:
        """Returns the names of all jobs that were submitted, with repetitions."""
        batches = (self.path / "runs/.jobs/slurm").glob("*/batch.json")
        return [name for path in batches for name in json.loads(path.read_text())["names"]]

    def learned(self, out: str = "runs") -> dict[str, bytes]:
        """Returns the learned weights of all finished runs, by hash."""
        paths = self.found("learned.safetensors", out)
        return {path.parent.name: path.read_bytes() for path in paths}


def eventually(condition: Callable[[], Any], seconds: float = 240) -> None:
    """Waits until something holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.3)
