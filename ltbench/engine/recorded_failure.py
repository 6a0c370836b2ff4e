"""Record of the failure of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ltbench.config.resolve import Resolved
from ltbench.engine.observers import Observers
from ltbench.errors import BusyError, Interrupted, LTBenchError, RankLostError, RunError, Stopped
from ltbench.io.interrupts import deferred, requested_late
from ltbench.ranks.group import Group
from ltbench.registry.attribution import describe_error
from ltbench.storage.result_schema import Failure
from ltbench.storage.run_directory import RunDirectory


@contextmanager
def failure_recorded(
    directory: RunDirectory, resolved: Resolved, observers: Observers, group: Group
) -> Iterator[None]:
    """Records the failure of a run, and notifies the observers; checkpoints are kept."""
    group.lead(directory.forget_failure)
    try:
        with deferred():
            yield
    except (Stopped, BusyError, RankLostError) as error:  # of a run that goes on, or can
        group.lead(observers.fail, error)
        raise
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, Interrupted)) or requested_late():
            done, epochs = len(directory.history()), resolved.spec.train.epochs
            stage = f"after {done} of {epochs} epochs" if done < epochs else "after the training"
            hint = "the same command resumes the run"
            interrupted = Interrupted(f"interrupted {stage}", hint=hint)
            group.lead(observers.fail, interrupted)
            raise interrupted from error
        if isinstance(error, Exception):
            group.lead(_record, error, directory, observers)
        raise


def _record(error: Exception, directory: RunDirectory, observers: Observers) -> None:
    """Writes `failure.json`, and notifies the observers."""
    shown = error if isinstance(error, LTBenchError) else LTBenchError(describe_error(error))
    failure = Failure(error=shown.message, hint=shown.hint, kind=type(error).__name__)
    with suppress(RunError):  # a full disk: the error that is raised is the first one
        directory.expect_own_attempt()
        directory.write(failure)
    observers.fail(shown)
