"""Rooms of the package and the imports between them, read from the source with `ast`."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from docs.made.markup import cell, table
from ltbench.registry.registry import Registry

PACKAGE = Path(__file__).parents[2] / "ltbench"
CONTRACT = "contract"
FLOORS: tuple[dict[str, float], ...] = (
    {CONTRACT: 1.5},
    {"io": 2, "manual": 3},
    {"ranks": 2},
    {"registry": 1, "data": 2},
    {"config": 1.5},
    {"storage": 1.5},
    {"analysis": 1},
    {"engine": 2},
    {"scaffold": 0, "report": 1, "grid": 2, "testing": 3},
    {"prediction": 0, "board": 1, "export": 2, "tuning": 3},
    {"api": 1.5},
    {"cli": 1.5},
)
"""Rooms from the lowest floor to the highest, with their column in the drawing, from 0 to 3.

A room imports from the floors below it.
"""

_ENTRY_POINTS = ("__init__.py", "__main__.py")  # of the package: they import late, from all rooms
_CONTRACT_PURPOSE = "What a plugin author reads: hooks, specs, protocols, errors."
_BOX, _ROW, _COLUMN, _MARGIN = (196, 50), 86, 212, 14


@functools.cache
def arrows() -> dict[str, set[str]]:
    """Returns the rooms that each room imports, late imports included."""
    found: dict[str, set[str]] = {room: set() for floor in FLOORS for room in floor}
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        if relative.as_posix() in _ENTRY_POINTS:
            continue
        room = relative.parts[0] if len(relative.parts) > 1 else CONTRACT
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[room] |= {_room_of(name) for name in _imported(tree)} - {room}
    return found


def upward(imports: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Returns the arrows that lead from a room to a floor that is not below it."""
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    return sorted(
        (room, other)
        for room, others in imports.items()
        for other in others
        if floor[other] >= floor[room]
    )


def rooms_table(_: str) -> str:
    """Returns a table of the rooms: purpose, folders, imports."""
    imports = arrows()
    order = [room for floor in FLOORS for room in floor]
    rows = []
    for room in reversed(order):
        below = ", ".join(f"`{one}`" for one in order if one in imports[room])
        name = f"`{room}/`" if room != CONTRACT else "the files in `ltbench/`"
        inner = ", ".join(f"`{folder}/`" for folder in _folders(room))
        rows.append((name, cell(_purpose(room)), inner, below))
    return table(("room", "purpose", "folders in it", "imports"), rows)


def rooms_svg(registry: Registry) -> str:
    """Returns the drawing of the rooms; arrows that follow from others are left out."""
    imports = arrows()
    above = set(upward(imports))
    down = {
        room: {other for other in others if (room, other) not in above}
        for room, others in imports.items()
    }
    height = _ROW * (len(FLOORS) - 1) + _BOX[1] + 2 * _MARGIN
    width = _COLUMN * 3 + _BOX[0] + 2 * _MARGIN
    places = dict(_places())
    lines = [
        _line(places[room], places[other], "arrow")
        for room in sorted(down)
        for other in sorted(_without_implied(room, down))
    ]
    lines += [_line(places[other], places[room], "upward") for room, other in sorted(above)]
    boxes = [_box(room, *places[room]) for room in places]
    style = (
        "text{font-family:sans-serif;fill:#1f2937}.name{font-size:15px;font-weight:bold}"
        ".inner{font-size:11px}.box{fill:#eef2ff;stroke:#4f46e5}"
        ".arrow{stroke:#6b7280;fill:none;marker-end:url(#tip)}"
        ".upward{stroke:#dc2626;stroke-dasharray:5 4;fill:none;marker-start:url(#tip)}"
    )
    tip = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="#6b7280"/></marker>'
    )
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        "<title>Rooms of ltbench and the imports between them</title>"
    )
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    parts = [opening, f"<style>{style}</style>", f"<defs>{tip}</defs>", ground, *lines, *boxes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _without_implied(room: str, down: dict[str, set[str]]) -> set[str]:
    """Returns the arrows of a room without those that lead through another room as well."""

    def reached(start: str) -> set[str]:
        return down[start].union(*(reached(other) for other in down[start]))

    return {one for one in down[room] if not any(one in reached(o) for o in down[room] - {one})}


def _places() -> Iterator[tuple[str, tuple[float, float]]]:
    """Yields the centre of each room's box."""
    for number, floor in enumerate(reversed(FLOORS)):
        for room, column in floor.items():
            x = _MARGIN + _COLUMN * column + _BOX[0] / 2
            yield room, (x, _MARGIN + _ROW * number + _BOX[1] / 2)


def _line(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    """Returns a curve from the bottom of one box to the top of another."""
    (x, y), (u, v) = (start[0], start[1] + _BOX[1] / 2), (end[0], end[1] - _BOX[1] / 2)
    if kind == "upward":  # beside the arrow down, where there is one
        x, u = x - 24, u - 24
    bend = min((v - y) / 2, _ROW / 2)
    curve = f"C{x:g} {y + bend:g} {u:g} {v - bend:g} {u:g} {v:g}"
    return f'<path class="{kind}" d="M{x:g} {y:g}{curve}"/>'


def _box(room: str, x: float, y: float) -> str:
    width, height = _BOX
    inner = " · ".join(_folders(room)) if room != CONTRACT else "hookspecs, specs, protocols, ..."
    name_y = y - 3 if inner else y + 5
    return (
        f'<rect class="box" x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" '
        f'height="{height}" rx="6"/>'
        f'<text class="name" x="{x:g}" y="{name_y:g}" text-anchor="middle">{room}</text>'
        f'<text class="inner" x="{x:g}" y="{y + 15:g}" text-anchor="middle">{escape(inner)}</text>'
    )


def _folders(room: str) -> list[str]:
    """Returns the folders of a room that hold modules."""
    if room == CONTRACT:
        return []
    return sorted(path.parent.name for path in (PACKAGE / room).glob("*/__init__.py"))


def _purpose(room: str) -> str:
    if room == CONTRACT:
        return _CONTRACT_PURPOSE
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")


def _room_of(module: str) -> str:
    parts = module.split(".")[1:]
    if parts and (PACKAGE / parts[0]).is_dir():
        return parts[0]
    return CONTRACT


def _imported(node: ast.AST) -> Iterator[str]:
    """Yields the modules of ltbench that a module imports when it runs."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        children: Iterable[ast.AST] = node.orelse
    else:
        children = ast.iter_child_nodes(node)
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names if one.name.split(".")[0] == "ltbench")
    elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ltbench":
        if node.module == "ltbench":  # `from ltbench import specs`, or a re-exported name
            yield from (f"ltbench.{one.name}" for one in node.names)
        else:
            yield node.module or ""
    for child in children:
        yield from _imported(child)
