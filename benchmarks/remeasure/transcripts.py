"""Commands that pages show with their output."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.remeasure.command import ROOT, ltbench

_LEFT_OUT = "..."
_WIDTH = 120  # characters of a sentence


@dataclass(frozen=True)
class Step:
    """A command, and what a page shows of it.

    Args:
        command: Command as the page shows it. Those of `ltbench` are executed; HASH at the end of a
            path stands for the one folder there.
        shown: Patterns of the lines of the output that are shown, one for each; lines between them
            become an ellipsis. Empty for no output, None for all lines.
        first: Pattern of the first line of the output that counts; empty for the first of all.
        last: Pattern of the last line that counts; empty for the last of all.
        comment: Comment behind the command on the page.
        echoed: Whether the page shows the command.
    """

    command: str
    shown: tuple[str, ...] | None = None
    first: str = ""
    last: str = ""
    comment: str = ""
    echoed: bool = True


@dataclass(frozen=True)
class Transcript:
    """A part of a page: commands in order, executed in one folder.

    Args:
        page: Page, from the root of the repository.
        name: Name of the part.
        folder: Folder that the commands are executed in, below that of all transcripts.
        steps: Commands.
        fence: Opening of the block of code; empty for the first table of output in Markdown.
        package: Folder of a plugin's package that the commands need, from the root of the
            repository: its modules are in `src`.
    """

    page: str
    name: str
    folder: str
    steps: tuple[Step, ...]
    fence: str = "```console"
    package: str = ""


def text_of(transcript: Transcript, work: Path) -> str:
    """Returns the part of the page: executes what was not executed yet.

    Args:
        transcript: Commands.
        work: Folder of all transcripts; outputs are kept there.
    """
    folder = work / transcript.folder
    folder.mkdir(parents=True, exist_ok=True)
    environment = installed(ROOT / transcript.package, work) if transcript.package else {}
    lines: list[str] = []
    for step in transcript.steps:
        if step.echoed:
            lines.append(f"$ {step.command}{step.comment}")
        if _is_executed(step):
            output = between(_output(step, folder, environment), step.first, step.last)
            lines += shown_lines(output, step.shown)
    if not transcript.fence:
        return markdown_table(lines)
    wrapped = [part for line in lines for part in _wrapped(line)]
    return "\n".join([transcript.fence, *wrapped, "```"])


def installed(package: Path, work: Path) -> dict[str, str]:
    """Returns the environment in which a package of plugins is installed, without its metadata."""
    (module,) = (path.parent.name for path in package.glob("src/*/__init__.py"))
    name = module.replace("_", "-")
    site = work / "site" / name / f"{module}-0.1.0.dist-info"
    site.mkdir(parents=True, exist_ok=True)
    plugin = module.removeprefix("ltbench_")
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n"
    (site / "METADATA").write_text(metadata, encoding="utf-8")
    (site / "entry_points.txt").write_text(f"[ltbench]\n{plugin} = {module}\n", encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(package / "src"), str(site.parent)])}


def between(output: str, first: str, last: str) -> list[str]:
    """Returns the lines from the first match of a pattern to the match of another."""
    lines = output.strip("\n").splitlines()
    start = _find(lines, first, 0)
    return lines[start : _find(lines, last, start) + 1 if last else len(lines)]


def markdown_table(lines: Sequence[str]) -> str:
    """Returns the first table of a text in Markdown."""
    first = next(place for place, line in enumerate(lines) if line.startswith("|"))
    after = (place for place in range(first, len(lines)) if not lines[place].startswith("|"))
    return "\n".join(lines[first : next(after, len(lines))])


def shown_lines(lines: list[str], patterns: Sequence[str] | None) -> Iterator[str]:
    """Yields the lines of an output that match, with an ellipsis for the lines between them.

    Raises:
        ValueError: No line after the one before matches a pattern.
    """
    if patterns is None:
        yield from lines
        return
    at = 0
    for pattern in patterns:
        found = _find(lines, pattern, at)
        if found > at:
            yield _LEFT_OUT
        yield lines[found]
        at = found + 1
    if patterns and at < len(lines):
        yield _LEFT_OUT


def _find(lines: list[str], pattern: str, start: int) -> int:
    for place in range(start, len(lines)):
        if re.search(pattern, lines[place]):
            return place
    raise ValueError(f"no line matches {pattern!r}:\n" + "\n".join(lines[start:]))


def _wrapped(line: str) -> list[str]:
    """Returns a sentence of a list in several lines; tables stay as they are."""
    if not line.startswith("- "):
        return [line]
    return textwrap.wrap(line, _WIDTH, subsequent_indent="  ", break_long_words=False)


def _is_executed(step: Step) -> bool:
    return step.command.startswith("ltbench ")


def _output(step: Step, folder: Path, environment: Mapping[str, str]) -> str:
    """Returns the output of a command; that of an earlier measurement where it is kept."""
    words = shlex.split(step.command.replace("\\\n", " "))
    kept = folder / f".{hashlib.sha256(' '.join(words).encode()).hexdigest()[:12]}.txt"
    if not kept.exists():
        arguments = [_with_hash(word, folder) for word in words[1:]]
        output = ltbench(*arguments, folder=folder, environment=environment)
        kept.write_text(output, encoding="utf-8")
    return kept.read_text(encoding="utf-8")


def _with_hash(word: str, folder: Path) -> str:
    """Returns a path with the one folder that HASH stands for."""
    if not word.endswith("/HASH"):
        return word
    (found,) = (folder / word).parent.iterdir()
    return found.relative_to(folder).as_posix()
