"""Worker process of one run of a grid: `python -m ltbench.grid.worker REQUEST [--stop-on-eof]`.

REQUEST is JSON. The result or the failure is written to the run directory; the exit code reports
whether the run finished, failed, was interrupted, or is executed by another process.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.options import as_typed
from ltbench.config.resolve import Resolved
from ltbench.config.text import Text
from ltbench.engine.launch import plan_run, runtime_config
from ltbench.errors import BusyError, Interrupted, LTBenchError, RunError
from ltbench.io import interrupts
from ltbench.io.process import python_command
from ltbench.io.text import terminal_text
from ltbench.ranks.launcher import Launcher
from ltbench.ranks.place import read_place
from ltbench.registry.attribution import describe_error
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.lock_probe import try_probe
from ltbench.storage.result_schema import Failure, RunDescription
from ltbench.storage.run_directory import Overwrite, RunDirectory

BUSY = 75  # EX_TEMPFAIL of sysexits.h: another process is executing the run
STOP_ON_EOF = "--stop-on-eof"
EXIT_SECONDS = 20.0  # from the interruption until the process exits, whatever it is doing


@dataclass(frozen=True)
class Request:
    """Request to a worker: a run and the options of `ltbench run`.

    Args:
        settings: Settings of the grid file by dotted key, written as for `--set`.
        out: Folder of the run directories.
        device: Device (`--device`).
        workers: Number of loader workers (`--workers`).
        data_root: Folder of the data sets (`--data-root`).
        overwrite: Earlier runs that are executed again (`--overwrite`).
        trackers: Names of trackers (`--tracker`).
        tracker_options: Options of trackers by key, `tracker.NAME.OPTION`, written as for `--set`.
        cache: Size of the cache in gigabytes (`--cache`).
        cache_dir: Folder of the cache (`--cache-dir`); empty for the default of the machine.
        command_id: Random text of the grid's command. A worker that is started again for the same
            command continues its run, also with `--overwrite always`.
        probe: Name of the command's lock probe; empty for none.
        ranks: Number of processes that execute the run together (`--gpus` or `--ranks`).
    """

    settings: Mapping[str, str]
    out: str
    device: str
    workers: int | None
    data_root: str
    overwrite: Overwrite
    trackers: Sequence[str] = ()
    tracker_options: Mapping[str, str] = field(default_factory=dict)
    cache: float = 0.0
    cache_dir: str = ""
    command_id: str = ""
    probe: str = ""
    ranks: int = 1

    @classmethod
    def of(cls, settings: Settings, **options: Any) -> Request:
        """Returns the request for a run.

        Args:
            settings: Settings of the run by dotted key.
            options: Values of the other fields.
        """
        return cls({key: as_typed(value) for key, value in settings.items()}, **options)

    def command(self) -> tuple[str, ...]:
        """Returns the command that starts the worker."""
        return (*python_command("ltbench.grid.worker"), self.as_json())

    def as_json(self) -> str:
        """Returns the request as the worker's argument."""
        return json.dumps(asdict(self))

    def as_run(self) -> list[str]:
        """Returns the equivalent `ltbench run` command, which the result records."""
        settings = {**self.settings, **self.tracker_options}
        chosen = [part for item in settings.items() for part in ("--set", "=".join(item))]
        chosen += [part for name in self.trackers for part in ("--tracker", name)]
        options = ["--out", self.out, "--device", self.device, "--cache", f"{self.cache:g}"]
        options += ["--cache-dir", self.cache_dir] if self.cache_dir else []
        if self.ranks > 1:
            kind = "--ranks" if self.device == "cpu" else "--gpus"
            options += [kind, str(self.ranks)]
        options += [] if self.workers is None else ["--workers", str(self.workers)]
        return ["ltbench", "run", *chosen, *options, "--data-root", self.data_root]


def main(arguments: Sequence[str], registry: Registry | None = None) -> int:
    """Executes a request and returns the exit code.

    Args:
        arguments: Arguments of the command line.
        registry: Components, where the plugins are loaded already.
    """
    try:
        if STOP_ON_EOF in arguments:
            threading.Thread(target=_watch_stdin, daemon=True).start()
        request = Request(**json.loads(arguments[0]))
        sys.argv = request.as_run()
        with interrupts.named():
            return _run(request, registry or load_plugins())
    except LTBenchError as error:
        print(terminal_text(f"{error.message}\n{error.hint}"), file=sys.stderr)  # noqa: T201
        return error.exit_code


def _run(request: Request, registry: Registry) -> int:
    out = Path(request.out)
    try:
        try_probe(out, request.probe)
    except RunError as error:  # no fault of the run, which is left to do
        raise Interrupted(error.message, hint=error.hint) from error
    settings = {
        key: Text(value) for key, value in {**request.settings, **request.tracker_options}.items()
    }
    planned = plan_run(registry, settings, Path(request.data_root), request.trackers)
    place = read_place()
    try:
        with interrupts.named():
            if place is None and request.ranks > 1:
                with planned.directory(out).lock(out, request.command_id):
                    return Launcher(request.command(), request.ranks).run()
            from ltbench.ranks.join import joined  # imports torch

            interrupts.expect_one_result()
            with joined(place, request.device) as (group, device):
                runtime = runtime_config(
                    out,
                    device,
                    request.workers,
                    request.cache,
                    request.command_id,
                    group,
                    cache_dir=Path(request.cache_dir) if request.cache_dir else None,
                )
                planned.execute(runtime, request.overwrite)
    except BusyError:
        return BUSY
    except Interrupted:
        raise
    except Exception as error:
        if place is not None and place.rank > 0:  # the leading rank has the same error
            raise
        shown = error if isinstance(error, LTBenchError) else LTBenchError(describe_error(error))
        try:
            locked = place is not None and place.launched  # by the parent
            record_failure(planned.resolved, out, shown, type(error).__name__, locked=locked)
        except BusyError:
            raise
        except RunError:  # a full disk: the first error is the one to report
            raise shown from error
        return shown.exit_code
    return 0


def record_failure(
    resolved: Resolved,
    out: Path,
    error: LTBenchError,
    kind: str,
    unless: Callable[[], bool] = lambda: False,
    *,
    locked: bool = False,
) -> bool:
    """Writes `failure.json` for a run that failed, possibly before it could do so itself.

    Returns whether it was written.

    Args:
        resolved: Choices of the run.
        out: Folder of the run directories.
        error: Error with its hint.
        kind: Type of the error.
        unless: Condition under which nothing is written, checked while the run is locked.
        locked: Whether the caller, or the process that started it, holds the lock of the run.

    Raises:
        BusyError: Another process is executing the run.
    """
    spec = resolved.spec
    directory = RunDirectory.of(out, spec)
    with nullcontext() if locked else directory.lock(out):
        if unless():
            return False
        directory.begin(RunDescription.of(spec))
        directory.write(Failure(error=error.message, hint=error.hint, kind=kind))
    return True


def _watch_stdin() -> None:
    """Interrupts this process when its standard input is closed."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # SIGINT is ignored where the command is in background
    time.sleep(EXIT_SECONDS)
    interrupts.end_now()  # a library blocks the interruption; the run can be resumed


if __name__ == "__main__":
    interrupts.install(EXIT_SECONDS)
    faulthandler.enable()  # a crash in a library prints its traceback
    sys.exit(main(sys.argv[1:]))
