"""Shorthand of runs: the settings that differ from recipes and defaults."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltbench.config.options import as_typed
from ltbench.config.resolve import resolve, settings_of
from ltbench.config.runspec import RunSpec
from ltbench.errors import LTBenchError
from ltbench.registry.registry import Registry
from ltbench.specs import SPECS, Settings

_ALWAYS = ("dataset", "backbone", "method")


class Shorthand:
    """Finds the fewest settings that make a run with the installed components."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._usual: dict[tuple[str, ...], dict[str, Any]] = {}

    def settings(self, spec: RunSpec) -> dict[str, Any]:
        """Returns data set, backbone, method, and every setting that does not follow from them.

        Seed and paths are left out. Where a component is not installed, every setting is returned.
        """
        names = {kind: choice.name for kind, choice in spec.choices().items()}
        usual = self._choices({kind: names[kind] for kind in _ALWAYS})
        chosen = {k: name for k, name in names.items() if k in _ALWAYS or usual.get(k) != name}
        usual = self._choices(chosen)
        paths = {f"{kind}.{key}" for kind, choice in spec.choices().items() for key in choice.paths}
        others = {
            key: value
            for key, value in settings_of(spec).items()
            if key not in chosen and key not in paths and key != "seed"
        }
        missing = object()
        return chosen | {k: v for k, v in others.items() if usual.get(k, missing) != v}

    def _choices(self, names: Settings) -> dict[str, Any]:
        """Returns the settings of a run for which only these components are chosen."""
        key = tuple(str(names.get(kind, "")) for kind in SPECS)
        if key not in self._usual:
            try:
                resolved = resolve(self._registry, names, Path(), identify=False)
                self._usual[key] = settings_of(resolved.spec)
            except LTBenchError:  # a component is not installed, or requires options
                self._usual[key] = {}
        return self._usual[key]


def as_line(settings: Mapping[str, Any]) -> str:
    """Returns settings as words of a shell, each an argument of `--set`.

    >>> as_line({"method": "mine", "train.lr": 0.1, "init.template": "a {}."})
    "method=mine train.lr=0.1 'init.template=a {}.'"
    """
    return shlex.join(f"{key}={as_typed(value)}" for key, value in settings.items())


def dataset_label(settings: Mapping[str, Any], title: str | None = None) -> str:
    """Returns the data set of a run, with its settings that are not the default.

    >>> dataset_label({"dataset": "pets_lt", "dataset.ratio": 10, "data_seed": 1, "loss": "ce"})
    'pets_lt (ratio=10, data_seed=1)'

    Args:
        settings: Settings of the run, from `Shorthand.settings`.
        title: Name to show for the data set; its own where None.
    """
    unusual = {
        key.removeprefix("dataset."): as_typed(value)
        for key, value in settings.items()
        if key.startswith("dataset.") or key in ("data_seed", "split")
    }
    said = ", ".join(f"{key}={value}" for key, value in unusual.items())
    name = str(settings["dataset"]) if title is None else title
    return f"{name} ({said})" if said else name
