"""Reference pages of the public contract: hooks, specs, protocols, read from the source."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

from docs.made.markup import cell, fenced, table
from ltbench import contexts, hookspecs, jobs, late, protocols, published, specs
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS, ComponentSpec

_MADE = "Made from the code by `make docs`: do not edit."
_ARGUMENT = re.compile(r"^(\w+): ", re.MULTILINE)


def hooks_page(registry: Registry) -> str:
    """Returns the page of all hooks."""
    functions = [node for node in _parsed(hookspecs).body if isinstance(node, ast.FunctionDef)]
    parts = [f"# Hooks\n\n{_MADE}\n\n{inspect.getdoc(hookspecs)}\n"]
    for title, prefix in (
        ("Registration", "ltbench_register_"),
        ("Published results", "ltbench_published_"),
        ("Grids", "ltbench_grid_"),
        ("Notifications", "ltbench_on_"),
    ):
        parts.append(f"## {title}\n")
        for node in functions:
            if node.name.startswith(prefix):
                parts.append(f"### {node.name}\n\n{fenced(_signature(node), 'python')}\n")
                parts.append(f"{ast.get_docstring(node)}\n")
    return "\n".join(parts)


def specs_page(registry: Registry) -> str:
    """Returns the page of specs and of the contexts that `build` receives."""
    parts = [f"# Specs and contexts\n\n{_MADE}\n\n{inspect.getdoc(specs)}\n"]
    for title, module, wanted in (
        ("Contexts that `build` receives", contexts, lambda name: True),
        ("Fields of all kinds", specs, lambda name: name in ("ComponentSpec", "Recipe")),
        (
            "A spec for each kind",
            specs,
            lambda name: name.endswith("Spec") and name != "ComponentSpec",
        ),
        ("Specs that are imported when they are used", late, lambda name: True),
        ("Published results", published, lambda name: name == "PublishedResult"),
    ):
        parts.append(f"## {title}\n")
        parts += [_described(node) for node in _classes(module) if wanted(node.name)]
    return "\n".join(parts)


def protocols_page(registry: Registry) -> str:
    """Returns the page of the protocols of built objects."""
    parts = [f"# Protocols\n\n{_MADE}\n\n{inspect.getdoc(protocols)} Their source:\n"]
    for module, node in _protocols():
        parts.append(f"## {node.name}\n\n{fenced(_text(module, node), 'python')}\n")
    return "\n".join(parts)


def contract(kind: str) -> str:
    """Returns hook, spec and protocols of a kind."""
    spec = KINDS[kind]
    about = " ".join((spec.__doc__ or "").partition("\n    Args:")[0].split())
    rows = [
        ("hook", _linked("hooks", f"ltbench_register_{spec.plural}")),
        ("returns", f"any number of {_linked('specs', spec.__name__)}"),
        ("used by", f"`{_used(spec)}`"),
    ]
    parts = [about, "\n".join(f"- {word}: {said}" for word, said in rows)]
    parts += [
        fenced(_text(module, node), "python")
        for module, node in _protocols()
        if node.name in _PROTOCOLS.get(kind, ())
    ]
    return "\n\n".join(parts)


_PROTOCOLS = {
    "method": ("Method", "ParameterGroup"),
    "head": ("Head", "StartsItself", "TrainingFeatures"),
    "init": ("TrainingFeatures", "Init"),
    "loss": ("Loss", "ScheduledLoss"),
    "sampling": ("Sampling",),
    "augmentation": ("Augmentation", "PixelAugmentation", "Targets"),
    "optimizer": ("Optimizer",),
    "schedule": ("Schedule",),
    "refinement": ("RefinementContext", "Refinement"),
    "inference": ("Inference", "RandomInference"),
    "executor": (
        "Executor",
        "Job",
        "Resources",
        "Ended",
        "ReportingExecutor",
        "DetachedExecutor",
        "JobReport",
        "ForkServer",
        "ForkedProcess",
    ),
}
"""Protocols of each kind. The other kinds build a class of ltbench."""


def _used(spec: type[ComponentSpec]) -> str:
    if spec.kind == "executor":
        return "ltbench grid run FILE --executor NAME"
    if spec.kind == "tracker":
        return "ltbench run --tracker NAME"
    return f"ltbench run --{spec.kind} NAME"


def _linked(page: str, heading: str) -> str:
    return f"[`{heading}`](../reference/{page}.md#{heading.lower()})"


def _parsed(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _classes(module: ModuleType) -> Iterator[ast.ClassDef]:
    return (
        node
        for node in _parsed(module).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )


def _protocols() -> Iterator[tuple[ModuleType, ast.ClassDef]]:
    return ((module, node) for module in (protocols, jobs) for node in _classes(module))


def _text(module: ModuleType, node: ast.ClassDef) -> str:
    lines = inspect.getsource(module).splitlines()
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return "\n".join(lines[first - 1 : node.end_lineno])


def _signature(node: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"def {node.name}({ast.unparse(node.args)}){returns}: ..."
    if len(line) <= 90:
        return line
    inner = "".join(f"    {ast.unparse(one)},\n" for one in node.args.args)
    return f"def {node.name}(\n{inner}){returns}: ..."


def _described(node: ast.ClassDef) -> str:
    """Returns the section of a dataclass: description and table of fields."""
    about, _, listed = (ast.get_docstring(node) or "").partition("\nArgs:\n")
    helps = dict(_arguments(inspect.cleandoc(listed)))
    rows = []
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        kind = ast.unparse(item.annotation)
        if kind.startswith("ClassVar"):
            continue
        default = "needed" if item.value is None else f"`{_default(item.value)}`"
        name = item.target.id
        rows.append((f"`{name}`", f"`{cell(kind)}`", cell(default), cell(helps[name])))
    base = ast.unparse(node.bases[0]) if node.bases else ""
    inherits = f"\nBesides the fields of [`{base}`](#{base.lower()}):\n" if base and rows else ""
    fields = f"\n{table(('field', 'type', 'default', ''), rows)}\n" if rows else ""
    return f"### {node.name}\n\n{about.strip()}\n{inherits}{fields}"


def _default(value: ast.expr) -> str:
    """Returns a default without the syntax of dataclasses."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        given = {one.arg: ast.unparse(one.value) for one in value.keywords}
        made = given.get("default_factory")
        return given["default"] if made is None else f"{made}()".replace("dict()", "{}")
    text = ast.unparse(value)
    return "nothing" if text.startswith("_") else text


def _arguments(listed: str) -> Iterator[tuple[str, str]]:
    """Yields name and help of the arguments that a docstring lists."""
    _, *parts = _ARGUMENT.split(listed)
    for name, about in zip(parts[::2], parts[1::2], strict=True):
        yield name, about.strip()
