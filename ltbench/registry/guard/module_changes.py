"""Modules that a plugin replaces or breaks while it is loaded."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_BUILTINS = builtins.__dict__
LIBRARIES = frozenset(
    {
        "IPython",
        "PIL",
        "annotated_types",
        "filelock",
        "huggingface_hub",
        "imagehash",
        "jinja2",
        "markupsafe",
        "matplotlib",
        "numpy",
        "onnx",
        "onnxruntime",
        "onnxscript",
        "open_clip",
        "optuna",
        "pandas",
        "platformdirs",
        "pluggy",
        "pyarrow",
        "pydantic",
        "rich",
        "safetensors",
        "scipy",
        "simplejpeg",
        "timm",
        "torch",
        "typer",
        "xxhash",
    }
)
"""Libraries that ltbench imports; a plugin imports them, and puts nothing in their place."""

_NEEDED = (sys.stdlib_module_names - {"distutils"}) | LIBRARIES  # setuptools replaces it
_MISSING = object()


class ModuleState:
    """Modules at one time: which there are, and what is in those of Python and ltbench.

    Args:
        own: Packages of ltbench.
    """

    def __init__(self, own: frozenset[str]) -> None:
        self._needed = _NEEDED | own
        self._modules = sys.modules
        self._named = dict(self._modules)
        self._builtins = _BUILTINS.copy()
        self._inside = {
            name: vars(module).copy()
            for name, module in self._named.items()
            if _top(name) in sys.stdlib_module_names | own and isinstance(module, ModuleType)
        }

    def restore_builtins(self) -> list[str]:
        """Undoes changes of built-in functions, which all other code needs.

        Returns predicates of what the plugin did.
        """
        now = _BUILTINS.copy()
        _BUILTINS.update(self._builtins)  # with methods only: a function may be one of these
        return [
            f"replaces the built-in {name}"
            for name, value in self._builtins.items()
            if now.get(name, _MISSING) is not value
        ]

    def restore(self, plugin: str) -> list[str]:
        """Undoes what would break other code, and returns predicates of what the plugin did.

        Added modules, and functions that a library replaces by its own, stay.

        Args:
            plugin: Package of the plugin.
        """
        sys.modules = self._modules
        return [
            *self._entries(plugin),
            *(
                f"replaces {name}.{key}"
                for name, before in self._inside.items()
                if name != "builtins"
                for key in _broken(before, vars(self._named[name]), plugin)
            ),
        ]

    def _entries(self, plugin: str) -> Iterator[str]:
        """Restores the entries of `sys.modules`, and yields what was wrong with each."""
        for name, module in self._named.items():
            if _top(name) not in self._needed or _top(name) == plugin:
                continue  # such as a library that replaces itself
            if name not in self._modules:
                yield f"removes the module {name}"
            elif self._modules[name] is not module:
                yield f"replaces the module {name}"
            else:
                continue
            self._modules[name] = module
        for name in [*self._modules]:
            if name in self._needed and name not in self._named and name != plugin:
                module = self._modules[name]
                if not isinstance(module, ModuleType) or _name_of(module) != name:
                    del self._modules[name]
                    yield f"puts something else in the place of the module {name}"


def _broken(before: dict[str, Any], now: dict[str, Any], plugin: str) -> Iterator[str]:
    """Restores the functions and classes of a module, and yields the names of broken ones."""
    for key, value in before.items():
        found = now.get(key, _MISSING)
        if found is value or not callable(value):
            continue
        if callable(found) and _top(str(getattr(found, "__module__", ""))) != plugin:
            continue
        now[key] = value
        yield key


def _top(name: str) -> str:
    return name.partition(".")[0]


def _name_of(module: ModuleType) -> object:
    return getattr(getattr(module, "__spec__", None), "name", None)
