"""The process of one run of a grid: `python -m ltbench.grid.worker REQUEST [--leash]`.

REQUEST is JSON. What became of the run is in its directory; the exit code says the rest.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.options import as_typed
from ltbench.config.resolve import Resolved, resolve
from ltbench.config.text import Text
from ltbench.engine.tracking import choose_trackers
from ltbench.errors import BusyError, Interrupted, LTBenchError
from ltbench.grid.fork_server import python
from ltbench.registry.attribution import describe_error
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.run_directory import Overwrite, RunDirectory

BUSY = 75  # EX_TEMPFAIL of sysexits.h: somebody else is at it, try later
_PATIENCE = 20.0  # seconds from the wish to end until the end


@dataclass(frozen=True)
class Request:
    """What a worker is to run.

    Args:
        settings: As the grid file sets them, each as a user types it.
        out: Folder of the run directories.
        device: As in `ltbench run`.
        workers: As in `ltbench run`.
        data_root: As in `ltbench run`.
        overwrite: As in `ltbench run`.
        trackers: Names, as in `ltbench run`.
        tracker_options: Their options by key, `tracker.NAME.OPTION`, each as a user types it.
        cache: Gigabytes, as in `ltbench run`.
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

    @classmethod
    def of(cls, settings: Settings, **how: Any) -> Request:
        """Returns the request for the run of these settings."""
        return cls({key: as_typed(value) for key, value in settings.items()}, **how)

    def command(self) -> tuple[str, ...]:
        """Returns the command that starts the worker."""
        return (*python(__name__), self.as_json())

    def as_json(self) -> str:
        """Returns what the worker is given."""
        return json.dumps(asdict(self))

    def as_run(self) -> list[str]:
        """Returns the same as an `ltbench run`: the command that the result records."""
        settings = {**self.settings, **self.tracker_options}
        chosen = [part for item in settings.items() for part in ("--set", "=".join(item))]
        chosen += [part for name in self.trackers for part in ("--tracker", name)]
        where = ["--out", self.out, "--device", self.device, "--cache", f"{self.cache:g}"]
        where += [] if self.workers is None else ["--workers", str(self.workers)]
        return ["ltbench", "run", *chosen, *where, "--data-root", self.data_root]


def main(arguments: Sequence[str], registry: Registry | None = None) -> int:
    """Runs what is asked for and returns the exit code.

    Args:
        arguments: Of the command line.
        registry: The components there are, where the plugins have been loaded already.
    """
    try:
        if "--leash" in arguments:
            threading.Thread(target=_watch_stdin, daemon=True).start()
        request = Request(**json.loads(arguments[0]))
        sys.argv = request.as_run()
        return _run(request, registry or load_plugins())
    except (KeyboardInterrupt, Interrupted):
        return Interrupted.exit_code
    except LTBenchError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)  # noqa: T201
        return error.exit_code


def _run(request: Request, registry: Registry) -> int:
    out = Path(request.out)
    settings = {key: Text(value) for key, value in request.settings.items()}
    options = {key: Text(value) for key, value in request.tracker_options.items()}
    trackers, faults = choose_trackers(registry, request.trackers, options)
    resolved = resolve(registry, settings, Path(request.data_root), faults)

    from ltbench.engine.run import RuntimeConfig, execute
    from ltbench.io.array_cache import Cache
    from ltbench.progress import SilentReporter

    runtime = RuntimeConfig(out, request.device, request.workers, Cache.of(out, request.cache))
    try:
        execute(resolved, registry, runtime, request.overwrite, SilentReporter(), trackers)
    except BusyError:
        return BUSY
    except (KeyboardInterrupt, Interrupted):
        raise
    except Exception as error:
        shown = error if isinstance(error, LTBenchError) else LTBenchError(describe_error(error))
        keep_failure(resolved, out, shown, type(error).__name__)
        return shown.exit_code
    return 0


def keep_failure(resolved: Resolved, out: Path, error: LTBenchError, kind: str) -> None:
    """Records why a run could not be run, whether it came to record that itself or not.

    Raises:
        BusyError: Another process is at it by now.
    """
    spec = resolved.spec
    directory = RunDirectory.of(out, spec)
    with directory.lock(out):
        directory.write("spec.json", {"hash": spec.hash, "run": spec.to_dict()})
        recorded = {"error": error.message, "hint": error.hint, "kind": kind}
        directory.write("failure.json", recorded)


def _watch_stdin() -> None:
    """Interrupts this process when its parent is gone, or wishes it to end."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_PATIENCE)
    os._exit(Interrupted.exit_code)  # stuck in a library; an interrupted run can be resumed


if __name__ == "__main__":
    faulthandler.enable()  # a crash in a library says where
    sys.exit(main(sys.argv[1:]))
