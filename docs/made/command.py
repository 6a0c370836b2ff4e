"""The reference page of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from docs.made.markup import cell, table
from ltbench.cli.app import app
from ltbench.registry.registry import Registry

_INTRODUCTION = """# The command line

All verbs with their arguments and options, as in `ltbench VERB --help`. Made from the code by
`make docs`: do not edit.
"""
_ALWAYS = ("help", "install_completion", "show_completion")


def command_page(registry: Registry) -> str:
    """Returns the page of all verbs."""
    root = typer.main.get_command(app)
    sections = [_section(name, verb, level) for name, verb, level in verbs(root)]
    return "\n".join([_INTRODUCTION, _body(root), *sections])


def verbs(group: Any, before: str = "ltbench", level: int = 2) -> Iterator[tuple[str, Any, int]]:
    """Yields name, command of typer and level of every verb below a group."""
    for name, verb in group.commands.items():
        yield f"{before} {name}", verb, level
        if hasattr(verb, "commands"):
            yield from verbs(verb, f"{before} {name}", level + 1)


def _section(name: str, verb: Any, level: int) -> str:
    return f"{'#' * level} {name}\n\n{_body(verb)}"


def _body(verb: Any) -> str:
    parts = [(verb.help or "").strip() + "\n"]
    shown = [one for one in verb.params if one.name not in _ALWAYS and not _hidden(one)]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    if arguments:
        rows = [(f"`{_placeholder(one)}`", cell(one.help or "")) for one in arguments]
        parts.append(table(("argument", ""), rows) + "\n")
    panels: dict[str, list[Any]] = {}
    for one in shown:
        if one.param_type_name == "option":
            panels.setdefault(getattr(one, "rich_help_panel", None) or "Options", []).append(one)
    for title, options in panels.items():
        described = [(_option(one), _default(one), cell(one.help or "")) for one in options]
        if any(default for _, default, _ in described):
            parts.append(table((title, "default", ""), described) + "\n")
        else:
            parts.append(table((title, ""), [(one, about) for one, _, about in described]) + "\n")
    return "\n".join(parts)


def _hidden(parameter: Any) -> bool:
    return bool(getattr(parameter, "hidden", False))


def _placeholder(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    name = name if argument.required else f"[{name}]"
    return f"{name}..." if argument.nargs == -1 else name


def _option(option: Any) -> str:
    said = ", ".join(f"`{text}`" for text in [*option.opts, *option.secondary_opts])
    if option.is_flag:
        return said
    choices = getattr(option.type, "choices", None)
    words = "|".join(choices) if choices else option.metavar or option.type.name.upper()
    return said + f" `{cell(words)}`"


def _default(option: Any) -> str:
    """Returns the default, if the help shows one, and the variable that can set it."""
    parts = []
    value = option.default
    if option.show_default and value not in (None, False, (), []) and not callable(value):
        parts.append(f"`{value}`")
    if option.envvar:
        parts.append(f"or `${option.envvar}`")
    return " ".join(parts)
