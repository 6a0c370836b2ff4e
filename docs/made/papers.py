"""Sections about the grids of the papers, from the comments at the head of their files."""

from __future__ import annotations

import re
from pathlib import Path

from docs.made.markup import fenced
from ltbench.config.toml_document import read_document

_PAPER = Path(__file__).parents[2] / "plugins" / "ltbench_plugins" / "grids" / "paper"
_FIRST = ("main", "methods", "ablation")
_PARTS = re.compile(r"(?P<about>.*?)\n\n    (?P<command>[^\n]+)\n\n(?P<rest>.*)", re.DOTALL)


def tables() -> str:
    """Returns a section a grid file: comparison, command, cost, published numbers."""
    files = sorted(_PAPER.glob("*.toml"), key=lambda file: (_place(file.stem), file.stem))
    return "\n\n".join(_section(file) for file in files)


def _place(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _section(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    head = re.match(r"(#[^\n]*\n)+", text)
    assert head is not None, f"{file}: expected a comment at the head"
    lines = [line.removeprefix("#").removeprefix(" ") for line in head[0].splitlines()]
    found = _PARTS.fullmatch("\n".join(lines))
    assert found is not None, (
        f"{file}: expected a comparison, a command, cost and published numbers"
    )
    cost, _, published = found["rest"].partition("Published: ")
    assert cost.startswith("Cost: "), f"{file}: expected 'Cost: '"
    assert published, f"{file}: expected 'Published: '"
    title = read_document(text).table["name"]
    parts = [
        f"### {title[0].upper()}{title[1:]}",
        _joined(found["about"]),
        fenced(f"$ {found['command']}", "console"),
        f"**Cost.** {_joined(cost.removeprefix('Cost: '))}",
        _published(published),
    ]
    return "\n\n".join(parts)


def _published(text: str) -> str:
    """Returns the published numbers; indented lines become a list."""
    lines = (text[0].upper() + text[1:]).splitlines()
    said = [line for line in lines if not line.startswith("    ")]
    listed: list[str] = []
    for line in lines:
        if line.startswith("        "):
            listed[-1] += f" {line.strip()}"
        elif line.startswith("    "):
            listed.append(f"- {line.strip()}")
    return "\n".join(
        [f"**Published.** {_joined(' '.join(said))}", *([""] if listed else []), *listed]
    )


def _joined(text: str) -> str:
    return re.sub(r"-\n(?=[A-Z])", "-", text.strip()).replace("\n", " ")
