"""Commands that repeat the runs of a board, made from their settings and checked by resolving them.

The command line that a run has recorded is text of its author: a board never shows it as something
to copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ltbench.config.minimal_settings import Shorthand
from ltbench.config.resolve import Resolver, settings_of
from ltbench.config.run_command import run_command
from ltbench.config.runspec import RunSpec
from ltbench.errors import LTBenchError, shortened
from ltbench.registry.registry import Registry
from ltbench.specs import Settings

PLACE_OF_PATH = "PATH"
"""Word in a command in the place of a path, which is another one on each machine."""


@dataclass(frozen=True)
class RunCommand:
    """Command of a run.

    Args:
        line: The command, `ltbench run ...`, for a shell.
        doubt: Reason why it may lead to another run; empty where it leads to the same choices with
            the installed components.
    """

    line: str
    doubt: str


class CommandWriter:
    """Writes the commands of runs.

    Args:
        registry: Installed components, whose defaults are left out of a command.
    """

    def __init__(self, registry: Registry) -> None:
        self._shorthand = Shorthand(registry)
        self._resolver = Resolver(registry, Path())

    def write(self, spec: RunSpec) -> RunCommand:
        """Returns the command of a run, and whether it leads to it.

        Args:
            spec: Choices of the run.
        """
        settings = {**self._shorthand.settings(spec), "seed": spec.seed}
        paths = {
            f"{kind}.{key}": PLACE_OF_PATH
            for kind, choice in spec.choices().items()
            for key, value in choice.paths.items()
            if value
        }
        return RunCommand(run_command({**settings, **paths}), self._doubt(spec, settings, paths))

    def _doubt(self, spec: RunSpec, settings: Settings, paths: Settings) -> str:
        """Returns why settings may not lead to the choices of a run."""
        try:
            found = self._resolver.resolve({**settings, **paths}, identify=False).spec
        except LTBenchError as error:
            return f"it is refused here: {shortened(error.message, 300)}"
        wanted, got = settings_of(spec), settings_of(found)
        differing = sorted(
            key
            for key in (wanted.keys() | got.keys()) - paths.keys()
            if wanted.get(key) != got.get(key)
        )
        if differing:
            return f"it leads to other settings here: {', '.join(map(shortened, differing[:5]))}"
        changed = list(_other_definitions(spec, found))
        return f"installed here are {', '.join(changed)}" if changed else ""


def _other_definitions(spec: RunSpec, found: RunSpec) -> Iterator[str]:
    """Yields the components of a run that are defined otherwise here."""
    here = found.choices()
    for kind, choice in spec.choices().items():
        own, other = _distribution(choice.plugin), _distribution(here[kind].plugin)
        if own != other:
            yield f"{kind} {choice.name} of {other}, the run used that of {shortened(own)}"
        elif choice.version != here[kind].version:
            yield (
                f"{kind} {choice.name} in version {here[kind].version}, the run used version "
                f"{choice.version}"
            )


def _distribution(plugin: str) -> str:
    """Returns the name of a plugin's distribution, without its version."""
    return plugin.partition(" ")[0]
