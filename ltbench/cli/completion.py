"""Shell completion of names: components, kinds, grids and the keys of `--set`.

A callback is called while the user types. It imports no torch, prints nothing, and returns an empty
list where it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import typer

from ltbench.specs import KINDS, SPECS

if TYPE_CHECKING:
    from ltbench.registry.registry import Registry

Completion = Callable[[str], list[tuple[str, str]]]
_Named = Iterable[tuple[str, str]]


def complete_kind(incomplete: str) -> list[tuple[str, str]]:
    """Returns the kinds of components that begin with a text."""
    return _starting(incomplete, ((spec.kind, f"see all {spec.plural}") for spec in KINDS.values()))


def complete_name_of(kind: str, *, many: bool = False) -> Completion:
    """Returns the completion of the names of a kind.

    Args:
        kind: Kind of the components.
        many: Whether the text is a list of names with commas between them.
    """

    def complete(incomplete: str) -> list[tuple[str, str]]:
        before, comma, last = incomplete.rpartition(",") if many else ("", "", incomplete)
        found = _quietly(lambda registry: _names(registry, kind))
        prefixed = ((f"{before}{comma}{name}", about) for name, about in found)
        return _starting(f"{before}{comma}{last}", prefixed)

    return complete


def complete_word_of(words: Sequence[str]) -> Completion:
    """Returns the completion of some words."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        return _starting(incomplete, ((word, "") for word in words))

    return complete


def complete_component(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Returns the names of the kind that the command line has before."""
    given = str(ctx.params.get("kind", ""))
    kinds = [spec.kind for spec in KINDS.values() if given in (spec.kind, spec.plural)]
    found = _quietly(lambda registry: (one for kind in kinds for one in _names(registry, kind)))
    return _starting(incomplete, found)


def complete_grid(incomplete: str) -> list[tuple[str, str]]:
    """Returns the names of grids; paths are completed by the shell where no grid begins so."""
    return _starting(incomplete, _quietly(lambda registry: ((name, "") for name in registry.grids)))


def complete_topic(incomplete: str) -> list[tuple[str, str]]:
    """Returns the topics of the documentation."""
    from ltbench.manual.pages import pages

    try:
        return _starting(incomplete, ((topic, page.title) for topic, page in pages().items()))
    except Exception:  # the user is typing: an error belongs to the command
        return []


def complete_setting(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Returns the keys of `--set` for the components of the command line, and their values' names.

    The default of a kind is taken where none is chosen; recipes are not read.
    """
    key, equals, value = incomplete.partition("=")
    if equals and key in SPECS:
        names = complete_name_of(key)(value)
        return [(f"{key}={name}", about) for name, about in names]
    return _starting(incomplete, _quietly(lambda registry: _settings(registry, ctx.params)))


def complete_search(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Returns the keys that `ltbench tune` can search, behind the name of a method if one is given.

    Without one, options of the first method of `--methods` are offered.
    """
    before, colon, _ = incomplete.rpartition(":")
    method = before or str(ctx.params.get("methods") or "").split(",")[0]
    params = {**ctx.params, "method": method}
    found = _quietly(lambda registry: _settings(registry, params))
    return _starting(incomplete, ((f"{before}{colon}{name}", about) for name, about in found))


def _settings(registry: Registry, params: dict[str, Any]) -> _Named:
    from ltbench.config.runspec import RunConfig, TrainConfig

    for field in fields(TrainConfig):
        yield f"train.{field.name}=", _help(field)
    for field in fields(RunConfig):
        yield f"{field.name}=", _help(field)
    for kind in SPECS:
        yield f"{kind}=", f"name of the {kind}"
        name = params.get(kind) or registry.default(kind)
        component = registry.components[kind].get(str(name))
        for field in fields(component.spec.config) if component is not None else ():
            yield f"{kind}.{field.name}=", _help(field)


def _help(field: Any) -> str:
    return str(field.metadata.get("help", ""))


def _names(registry: Registry, kind: str) -> _Named:
    return ((name, one.spec.summary) for name, one in registry.components[kind].items())


def _quietly(names: Callable[[Registry], _Named]) -> list[tuple[str, str]]:
    """Returns names of a registry; an empty list where the plugins cannot be loaded."""
    import io
    from contextlib import redirect_stderr, redirect_stdout

    try:
        from ltbench.registry.load import load_plugins

        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return list(names(load_plugins()))
    except Exception:  # the user is typing: an error belongs to the command
        return []


def _starting(incomplete: str, named: _Named) -> list[tuple[str, str]]:
    return [(name, about) for name, about in named if name.startswith(incomplete)]
