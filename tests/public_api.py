"""Lists the public API: `python -m tests.public_api` writes what `test_public_api.py` compares.

Names that a public module has in `__all__`, or defines itself, with signatures.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ltbench import hookspecs
from ltbench.registry import api_version as api

LISTING = Path(__file__).parent / "data" / "api.txt"


def listing() -> str:
    """Returns the public API, a line a name."""
    lines = [f"version {api.VERSION}"]
    for name in api.MODULES:
        lines += ["", f"[{name}]", *_module(import_module(name))]
    lines += ["", "[hooks]"]
    lines += [
        f"{name}{_signature(hook)}"
        for name, hook in vars(hookspecs).items()
        if name.startswith("ltbench_")
    ]
    return "\n".join(lines) + "\n"


def _module(module: types.ModuleType) -> Iterator[str]:
    for name in sorted(_public(module)):
        yield from _described(name, getattr(module, name))


def _public(module: types.ModuleType) -> list[str]:
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = (types.FunctionType, type)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and isinstance(value, own)
        and value.__module__ == module.__name__
    ]


def _described(name: str, value: Any) -> Iterator[str]:
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        yield f"class {name}({bases})"
        if dataclasses.is_dataclass(value):
            yield from (f"    {_field(field)}" for field in dataclasses.fields(value))
        for key, member in sorted(vars(value).items()):
            if _is_shown(value, key):
                yield from (f"    {line}" for line in _member(key, member))
    else:
        yield from _member(name, value)


def _is_shown(kind: type, name: str) -> bool:
    """Returns whether a member is told of: neither private nor made or told of as a field."""
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    if name == "__init__":
        return not fields and not getattr(kind, "_is_protocol", False)
    public = not name.startswith("_") or name == "__call__"
    return public and name not in {field.name for field in fields}


def _member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, property):
        yield f"{name}: property"
    elif isinstance(member, classmethod | staticmethod):
        yield f"{name}{_signature(member.__func__)}"
    elif inspect.isfunction(member):
        yield f"{name}{_signature(member)}"
    else:
        yield name


def _field(field: dataclasses.Field[Any]) -> str:
    missing = dataclasses.MISSING
    required = field.default is missing and field.default_factory is missing
    return f"{field.name}: {field.type}{'' if required else ' = ...'}"


def _signature(function: Any) -> str:
    """Returns a signature with "..." for defaults: what they are is no promise."""
    signature = inspect.signature(function)
    parameters = [
        one if one.default is one.empty else one.replace(default=...)
        for one in signature.parameters.values()
    ]
    text = str(signature.replace(parameters=parameters))
    return text.replace("Ellipsis", "...").replace("'", "")


if __name__ == "__main__":
    LISTING.write_text(listing(), encoding="utf-8")
