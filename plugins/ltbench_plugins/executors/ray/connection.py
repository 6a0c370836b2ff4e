"""Connection of this process to a Ray cluster."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltbench.errors import ConfigError, RunError

ANSWER_SECONDS = 10.0  # for which a head may take to accept a connection
_START = "start one with `ray start --head`, or set RAY_ADDRESS; see `ltbench docs cluster`"
_COPIES = ("runtime_resources", "working_dir_files")  # where Ray copies a job's files to


def connect(address: str | None) -> bool:
    """Connects this process to a cluster, unless the caller has done so.

    Args:
        address: HOST:PORT of the head; None for RAY_ADDRESS, or the cluster of this machine.

    Returns:
        Whether the connection was made here.

    Raises:
        ConfigError: The package is missing, or the address is not one of a head.
        RunError: No cluster answers, or its version is another one.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            f"executor 'ray' needs the package ray ({error})", hint="pip install 'ltbench[ray]'"
        ) from error
    if ray.is_initialized():
        return False
    address = address or os.environ.get("RAY_ADDRESS") or "auto"
    if address != "auto":
        _require_head(address)
    try:
        with _own_signals():
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level="ERROR",
                configure_logging=False,
            )
    except ConnectionError as error:
        raise RunError("no Ray cluster runs on this machine", hint=_START) from error
    except (RuntimeError, OSError) as error:  # another version of Ray or of Python
        raise RunError(
            f"the Ray cluster refuses the connection: {str(error).strip().splitlines()[0]}",
            hint="use the versions of Ray and Python that the cluster was started with",
        ) from error
    _keep_stdout_clean()
    return True


def refuse_copied(out: Path) -> None:
    """Refuses a folder of runs that is deleted with a submitted job.

    Args:
        out: Folder of the run directories.

    Raises:
        ConfigError: The folder is in a working directory that Ray has copied.
    """
    if set(_COPIES) <= {*out.resolve().parts}:
        raise ConfigError(
            f"--out: {out} is in the copied working directory of a Ray job, deleted with the job",
            hint="give --out and --data-root as absolute paths of a shared file system",
        )


def _require_head(address: str) -> None:
    """Checks that something listens at an address: a driver without a head retries for minutes."""
    host, _, port = address.rpartition(":")
    if "//" in address or not host or not port.isdecimal():
        raise ConfigError(
            f'executor.address: expected HOST:PORT, got "{address}"',
            hint="give the port of `ray start --head`, and start the grid on a node of the cluster",
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RunError(f"no Ray head answers at {address}: {error}", hint=_START) from error


def _keep_stdout_clean() -> None:
    """Drops the messages that a thread of Ray prints to stdout, into the output of `--json`.

    Ray has no setting for that. They are about workers and nodes that die, which the executor
    reports as the ends of their jobs.
    """
    from ray._private import worker

    worker.print_to_stdstream = lambda *arguments, **options: None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keeps the signal handlers of this process: Ray replaces that of SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
