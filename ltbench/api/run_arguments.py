"""Arguments of `ltbench.run` that change no result, with their types and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from ltbench.config.options import parse_options
from ltbench.errors import ConfigError
from ltbench.specs import option
from ltbench.storage.run_directory import Overwrite


@dataclass(frozen=True)
class RunArguments:
    """Arguments of `ltbench.run`; its docstring describes them."""

    out: Path = option(Path(), "folder of the run directories")
    device: str = option("", "device of the run")
    workers: Annotated[int, Ge(0)] | None = option(None, "number of loader workers")
    cache: Annotated[float, Ge(0)] = option(0.0, "size of the cache in gigabytes")
    data_root: Path = option(Path(), "folder of the data sets")
    overwrite: Overwrite = option("never", "earlier runs that are executed again")
    trackers: tuple[str, ...] = option((), "names of the trackers")

    @classmethod
    def checked(cls, given: Mapping[str, Any]) -> RunArguments:
        """Returns the arguments of a call.

        Args:
            given: Value of each argument, by name.

        Raises:
            ConfigError: All arguments with a wrong type or value.
        """
        parsed, faults = parse_options(cls, given, "run", "ltbench.run")
        if faults:
            named = [fault.removeprefix("run.") for fault in faults]
            raise ConfigError.from_faults(named, hint="see help(ltbench.run)")
        assert isinstance(parsed, cls)
        return parsed
