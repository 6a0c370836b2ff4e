"""Checks of a node: `python -m ltbench.grid.node_check REQUEST`, as a job of an executor.

The findings are written to a file, because standard output need not reach the command.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ltbench import __version__
from ltbench.errors import LTBenchError
from ltbench.grid.findings import Finding, Mark
from ltbench.io.array_cache import MIN_FREE_DISK_BYTES, Cache
from ltbench.io.process import python_command
from ltbench.io.sizes import in_words
from ltbench.storage.files import write_atomically
from ltbench.storage.lock_probe import LOCKS_HINT, is_held
from ltbench.storage.run_directory import file_clock

MAX_SKEW_SECONDS = 2.0
FEW_FREE_BYTES = 5 * 10**9
HUB = ("huggingface.co", 443)
HUB_SECONDS = 3.0  # for which a connection is tried


@dataclass(frozen=True)
class NodeRequest:
    """Request to a node.

    Args:
        out: Folder of the run directories.
        data_root: Folder of the data sets; empty where the command has none.
        report: File for the findings.
        probe: Name of the lock probe that the command holds.
        machine: Name of the command's machine.
        version: Its version of ltbench.
        models: Names of the pretrained models in its cache.
    """

    out: str
    data_root: str
    report: str
    probe: str
    machine: str
    version: str
    models: Sequence[str]

    def command(self) -> tuple[str, ...]:
        """Returns the command of the job."""
        return (*python_command(__name__), json.dumps(asdict(self)))


def cached_models() -> tuple[Path, list[str], bool]:
    """Returns the folder of pretrained weights, its models, and whether a hub is not used."""
    from huggingface_hub.constants import HF_HUB_CACHE, HF_HUB_OFFLINE

    folder = Path(HF_HUB_CACHE)
    return folder, sorted(path.name for path in folder.glob("models--*")), HF_HUB_OFFLINE


def check_node(request: NodeRequest) -> list[Finding]:
    """Returns the findings on this machine."""
    out = Path(request.out)
    findings = [*_software(request)]
    try:
        findings += [*_clock(out), *_locks(out, request)]
    except LTBenchError as error:
        findings.append(Finding("folder of runs", "failed", error.message, error.hint))
    return [*findings, *_space(out), *_data(request), *_weights(request), *_devices()]


def _software(request: NodeRequest) -> Iterator[Finding]:
    machine = socket.gethostname()
    text = f"{machine}: ltbench {__version__}, Python {platform.python_version()}"
    if __version__ == request.version:
        yield Finding("node", "ok", text)
    else:
        hint = f"install ltbench {request.version} there, as on {request.machine}"
        yield Finding("node", "failed", text, hint)
    if machine == request.machine:
        yield Finding(
            "node", "warning", "the job ran on the machine of the command", "choose another node"
        )


def _clock(out: Path) -> Iterator[Finding]:
    before = time.time()
    of_files = file_clock(out)
    skew = (before + time.time()) / 2 - of_files
    text = f"{skew:+.1f} s against the clock that stamps files in {out}"
    if abs(skew) <= MAX_SKEW_SECONDS:
        yield Finding("clock", "ok", text)
    else:
        yield Finding("clock", "warning", text, "synchronise the clocks (NTP)")


def _locks(out: Path, request: NodeRequest) -> Iterator[Finding]:
    if is_held(out, request.probe):
        text = f"a lock of {request.machine} in {out} is respected"
        yield Finding("file locks", "ok", text)
    else:
        text = f"a lock that {request.machine} holds in {out} was acquired"
        yield Finding("file locks", "failed", text, LOCKS_HINT)


def _space(out: Path) -> Iterator[Finding]:
    for what, folder in (
        ("runs", out),
        ("cache", Cache.of(out, 1.0).folder),
        ("temporary files", Path(tempfile.gettempdir())),
    ):
        existing = next((one for one in (folder, *folder.absolute().parents) if one.exists()), out)
        try:
            free = shutil.disk_usage(existing).free
        except OSError as error:
            yield Finding("free space", "failed", f"{what}, {folder}: {error.strerror or error}")
            continue
        mark: Mark = "ok" if free >= FEW_FREE_BYTES else "warning"
        mark = "failed" if free < MIN_FREE_DISK_BYTES else mark
        hint = "" if mark == "ok" else "free space there"
        yield Finding("free space", mark, f"{what}, {folder}: {in_words(free)} free", hint)


def _data(request: NodeRequest) -> Iterator[Finding]:
    if request.data_root:
        there = os.path.isdir(request.data_root)  # noqa: PTH112  # False where it cannot be read
        text = f"{request.data_root} {'exists' if there else 'does not exist'}"
        hint = "" if there else "put it on a shared file system, or copy it to the node"
        yield Finding("data sets", "ok" if there else "failed", text, hint)


def _weights(request: NodeRequest) -> Iterator[Finding]:
    folder, models, offline = cached_models()
    text = f"{folder}: {len(models)} models{', offline (HF_HUB_OFFLINE)' if offline else ''}"
    lacking = sorted(set(request.models) - set(models))
    if lacking:
        text += f"; {request.machine} has {len(lacking)} others, such as {lacking[0]}"
        yield Finding("weights", "missing", text, "put HF_HOME on a shared file system")
    else:
        yield Finding("weights", "ok", text)
    if not offline and not _reaches_hub():
        yield Finding(
            "weights",
            "warning",
            f"{HUB[0]} cannot be reached",
            "download weights before, and export HF_HUB_OFFLINE=1 in the jobs: each run waits for "
            "the network otherwise",
        )


def _reaches_hub() -> bool:
    try:
        with socket.create_connection(HUB, timeout=HUB_SECONDS):
            return True
    except OSError:
        return False


def _devices() -> Iterator[Finding]:
    import torch

    names = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    threads = f"CPU, {torch.get_num_threads()} threads"
    yield Finding("devices", "ok", "; ".join([threads, *names]))


def main(arguments: Sequence[str]) -> int:
    """Checks this machine, and writes the findings."""
    request = NodeRequest(**json.loads(arguments[0]))
    found = [asdict(finding) for finding in check_node(request)]
    write_atomically(Path(request.report), json.dumps(found, indent=2).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
