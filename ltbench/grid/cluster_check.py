"""Check of a cluster: a job of the executor examines its node (`ltbench doctor --cluster`)."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ltbench import __version__
from ltbench.config.user_file import UserConfig
from ltbench.contexts import ExecutorContext
from ltbench.errors import RunError
from ltbench.grid.executor import CheckedDetachedExecutor, CheckedExecutor, build_executor
from ltbench.grid.executor_choice import choose_executor
from ltbench.grid.findings import Finding
from ltbench.grid.late_results import VISIBLE_SECONDS
from ltbench.grid.node_check import NodeRequest, cached_models
from ltbench.io.interrupts import check, deferred, named
from ltbench.io.reading import read_regular
from ltbench.jobs import Ended, Job, Resources
from ltbench.registry.registry import Registry
from ltbench.storage.files import make_folder
from ltbench.storage.lock_probe import hold_probe

STOP_SECONDS = 60.0  # for which `Executor.stop` may wait
_JOB_SECONDS = 60.0  # that the checks take
_POLL_SECONDS = 0.5
_LATE_SECONDS = 2.0  # after which a file is worth a remark
_MAX_REPORT_BYTES = 1_000_000


def check_cluster(
    registry: Registry,
    command: tuple[str | None, Mapping[str, Any]],
    out: Path,
    data_root: Path,
    faults: Sequence[str] = (),
    show: Callable[[str], None] = lambda text: None,
) -> list[Finding]:
    """Returns the findings of a job of the executor on its node.

    Args:
        registry: Components to choose from.
        command: Name of the executor and its options, from the command line.
        out: Folder of the run directories.
        data_root: Folder of the data sets.
        faults: Faults found so far, which are reported together with all others.
        show: Function that shows what is waited for.

    Raises:
        ConfigError: All faults of the executor's options.
        RunError: The job cannot be started, or ends without findings.
        Interrupted: The user interrupted the command; the job is ended.
    """
    choice = choose_executor(UserConfig.read(), ("grid", {}), command, registry.default("executor"))
    context = ExecutorContext(jobs=1, device="auto", out=out)
    executor = build_executor(registry, choice, context, faults)
    name = f"doctor-{secrets.token_hex(4)}"
    make_folder(context.folder)
    report = context.folder / f"{name}.json"
    with deferred(STOP_SECONDS), named(), hold_probe(out) as probe:
        request = NodeRequest(
            out=str(out.resolve()),
            data_root=str(data_root.resolve()) if data_root.is_dir() else "",
            report=str(report),
            probe=probe.name,
            machine=socket.gethostname(),
            version=__version__,
            models=cached_models()[1],
        )
        try:
            executor.start(
                Job(name, request.command(), "", Resources(_JOB_SECONDS), "ltbench doctor")
            )
            show(f"waiting for a job of executor {choice.name}")
            return _findings(report, _end_of(executor, name, show))
        finally:
            executor.stop()
            report.unlink(missing_ok=True)


def _end_of(executor: CheckedExecutor, name: str, show: Callable[[str], None]) -> Ended:
    while True:
        for ended in executor.wait(_POLL_SECONDS):
            return ended
        check()
        place = (
            executor.report().get(name) if isinstance(executor, CheckedDetachedExecutor) else None
        )
        if place is not None:
            show(f"job {place.id} is {place.state} {place.place or place.reason}".strip())


def _findings(report: Path, ended: Ended) -> list[Finding]:
    """Returns the findings of a job that has ended, when they are visible here."""
    start = time.monotonic()
    patience = VISIBLE_SECONDS if ended.code == 0 else 0.0
    while True:
        try:
            found = json.loads(read_regular(report, _MAX_REPORT_BYTES))
            break
        except OSError as error:
            if time.monotonic() - start >= patience:
                reason = ended.reason or "unknown cause"
                raise RunError(
                    f"the job on the node ended without findings ({reason})",
                    hint="check that this folder and this Python are on the nodes too",
                ) from error
        check()
        time.sleep(_POLL_SECONDS)
    findings = [Finding(**one) for one in found]
    late = time.monotonic() - start
    if late > _LATE_SECONDS:
        text = f"a file of the node was visible here after {late:.0f} s"
        findings.append(Finding("folder of runs", "warning", text, "grids wait for such files"))
    return findings
