"""A small real Ray cluster on this machine; nothing outside its folder is touched.

`ray stop` is never called: it would end every Ray of the user.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

START_SECONDS = 180.0
ENVIRONMENT = {
    "RAY_worker_niceness": "0",  # 15: a busy machine starves them
    "LTBENCH_DISABLE_PLUGINS": "dask",  # an example: its trial prints a line on a busy machine
}
RAY = (sys.executable, "-m", "ray.scripts.scripts")


class RayCluster:
    """A head, and nodes that come and go.

    Args:
        folder: Folder of logs and sockets: a short path, as sockets have paths of 107 bytes.
        cpus: CPUs that each node claims to have.
        dashboard: Whether the head takes jobs (`ray job submit`).
    """

    def __init__(self, folder: Path, cpus: int = 2, *, dashboard: bool = False) -> None:
        self.folder = folder
        self._cpus = cpus
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        host, port = _own_address(), _free_port(6400)
        self.address = f"{host}:{port}"
        self.jobs_port = _free_port(8300)
        self._start(
            "head",
            "--head",
            f"--port={port}",
            f"--temp-dir={folder / 't'}",
            f"--include-dashboard={str(dashboard).lower()}",
            f"--dashboard-port={self.jobs_port}",
            f"--ray-client-server-port={_free_port(9000)}",
        )
        self._await(self._answers, "head")

    def add_node(self, name: str, resources: str = "{}") -> None:
        """Starts another node, and returns when the cluster has it."""
        arguments = (f"--address={self.address}", f"--resources={resources}")
        self._start(name, *arguments)

        def has_it() -> bool:
            if self._nodes[name].poll() is not None:  # Ray gives a start 30 seconds
                self._start(name, *arguments)
            return name in self.living_nodes()

        self._await(has_it, name)

    def kill_node(self, name: str) -> None:
        """Kills all processes of a node at once, as a loss of power does."""
        process = self._nodes.pop(name)
        for pid in (process.pid, *descendants(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ends all nodes."""
        for name in list(reversed(self._nodes)):
            self.kill_node(name)

    def living_nodes(self) -> list[str]:
        """Returns the names of the nodes that the head has; a dead one is among them for a while.

        The name of a node is therefore not used again.
        """
        code = (
            "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False,"
            " logging_level='ERROR');"
            " print(*(node['NodeName'] for node in ray.nodes() if node['Alive']))"
        )
        done = subprocess.run(
            (sys.executable, "-c", code, self.address), capture_output=True, text=True
        )
        return done.stdout.split()  # none where the head does not serve yet

    def log(self, name: str) -> str:
        """Returns what a node has printed."""
        return (self.folder / f"{name}.log").read_text()

    def _start(self, name: str, *arguments: str) -> None:
        common = (
            f"--node-name={name}",
            # Of agents with one port on one machine, the later ones end, and take no jobs.
            f"--dashboard-agent-listen-port={_free_port(7000 + 10 * len(self._nodes))}",
            f"--num-cpus={self._cpus}",
            "--object-store-memory=80000000",
            "--disable-usage-stats",
            "--include-log-monitor=false",  # it polls
            "--block",
        )
        with (self.folder / f"{name}.log").open("wb") as log:
            self._nodes[name] = subprocess.Popen(
                (*RAY, "start", *arguments, *common),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **ENVIRONMENT},
                start_new_session=True,
            )

    def _await(self, condition: Callable[[], bool], name: str) -> None:
        until = time.monotonic() + START_SECONDS
        while not condition():
            assert time.monotonic() < until, self.log(name)
            assert self._nodes[name].poll() is None, self.log(name)
            time.sleep(0.2)

    def _answers(self) -> bool:
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            return False
        return True


def started_cluster(folder: Path) -> RayCluster:
    """Returns a cluster of two nodes; skips the test where Ray is missing."""
    pytest.importorskip("ray", reason="the package ray is missing: make test-ray installs it")
    cluster = RayCluster(folder)
    try:
        cluster.add_node("second")
    except BaseException:
        cluster.stop()
        raise
    return cluster


def descendants(root: int) -> list[int]:
    """Returns the ids of all processes below one."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _own_address() -> str:
    """Returns the address that other nodes would reach this machine by; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        name: str = probe.getsockname()[0]
        return name


def _free_port(first: int) -> int:
    """Returns a free port; Ray's own workers take those from 10002 to 19999."""
    for port in range(first, 10_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
    raise AssertionError("no port is free")
