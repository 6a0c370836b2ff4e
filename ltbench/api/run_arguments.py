"""Arguments of Python functions that change no result, with their types and ranges."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from annotated_types import Ge

from ltbench.config.defaults import DATA_ROOT_VARIABLE, DEFAULT_DATA_ROOT
from ltbench.config.options import parse_options
from ltbench.errors import ConfigError
from ltbench.specs import option
from ltbench.storage.run_directory import Overwrite


def data_root_or_default(given: Any) -> Any:
    """Returns the folder of the data sets: as given, from the environment, or the default."""
    if given is not None:
        return given
    return os.environ.get(DATA_ROOT_VARIABLE) or DEFAULT_DATA_ROOT


@dataclass(frozen=True)
class RuntimeArguments:
    """Arguments of functions that compute with a model."""

    FUNCTION: ClassVar[str]

    device: str = option("", "device of the run")
    workers: Annotated[int, Ge(0)] | None = option(None, "number of loader workers")
    cache: Annotated[float, Ge(0)] = option(0.0, "size of the cache in gigabytes")
    data_root: Path = option(Path(), "folder of the data sets")

    @classmethod
    def checked(cls, given: Mapping[str, Any]) -> Self:
        """Returns the arguments of a call.

        Args:
            given: Value of each argument, by name.

        Raises:
            ConfigError: All arguments with a wrong type or value.
        """
        parsed, faults = parse_options(cls, given, "run", cls.FUNCTION)
        if faults:
            named = [fault.removeprefix("run.") for fault in faults]
            raise ConfigError.from_faults(named, hint=f"see help({cls.FUNCTION})")
        assert isinstance(parsed, cls)
        return parsed


@dataclass(frozen=True)
class DiagnosisArguments(RuntimeArguments):
    """Arguments of `FinishedRun.diagnose`; its docstring describes them."""

    FUNCTION: ClassVar = "ltbench.FinishedRun.diagnose"


@dataclass(frozen=True)
class RunArguments(RuntimeArguments):
    """Arguments of `ltbench.run`; its docstring describes them."""

    FUNCTION: ClassVar = "ltbench.run"

    out: Path = option(Path(), "folder of the run directories")
    overwrite: Overwrite = option("never", "earlier runs that are executed again")
    trackers: tuple[str, ...] = option((), "names of the trackers")


@dataclass(frozen=True)
class GridArguments(RunArguments):
    """Arguments of `ltbench.run_grid`; its docstring describes them."""

    FUNCTION: ClassVar = "ltbench.run_grid"

    executor: str | None = option(None, "name of the executor")
    jobs: Annotated[int, Ge(1)] | None = option(None, "number of runs at the same time")
