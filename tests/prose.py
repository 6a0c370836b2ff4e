"""Prose rules as checks: `python -m tests.prose [FOLDER ...]` prints all findings.

Docstrings, comments, messages and help texts of Python files, templates and grid files, and pages
in Markdown outside of their code blocks.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

BANNED = {
    r"(?:is|are|was|were|be|been|being|gets?|not) told(?! apart)": "reports, receives, is notified",
    r"tell whether|tells? (?:of|nothing|them|it|apart)\b|told of": "report, distinguish",
    r"(?:no|any|every|some)body": "name the caller, the process or the user",
    r"who(?:ever|m|mever)": "name the object",
    r"strangers?": "third-party plugin, another user",
    r"gets? on\b": "progress",
    r"(?:is|are|was|be|gets?|come) at it": "runs, works",
    r"(?:at|to) hand\b": "available",
    r"lets? go\b|letting go": "release, free",
    r"hears?(?: of)?\b": "is notified, receives",
    r"(?:is|are|was|were|be|been|being) asked": "request, query, receive",
    r"brought|brings? along|comes? along": "provide, register, include",
    r"vouch\w*": "untrusted, unverified",
    r"there (?:is|are) none|there is no more": "say what is missing",
    r"(?:same|back|other) doors?": "entry point",
    r"affairs?": "responsibility",
    r"looks? whether|looks? into\b|looks? through": "check, read",
    r"knows? (?:no|of|nothing|about|whether|how|what|which|that)\b": "has, reads, defines",
    r"does not know|cannot know|do not know": "has no information about",
    r"speaks? of|speaking of": "describe, concern",
    r"has (?:a|no) (?:part|say) in": "affects",
    r"stopwatch\w*": "measured time",
    r"(?:for|from) want of": "without",
    r"made up for": "compensated",
    r"blames?\b": "attribute",
    r"in one go\b|at one go\b": "at once",
    r"(?:without|not) a word": "silently",
    r"it is so\b|that is it\b": "state the fact",
    r"their own accord|of itself": "automatically",
    r"takes? the word": "use",
    r"goes? (?:astray|missing)": "is lost",
    r"mend(?:s|ed|ing)?\b": "repair, fix",
    r"no(?:t)? (?:wiser|sooner)": "state the fact",
}
"""Stems that reference text does not use, each with the field's term to write instead."""

_STEM = re.compile("|".join(rf"\b(?:{stem})" for stem in BANNED), re.IGNORECASE)
_OPENING = re.compile(r"(What|Who|Whom|Whose|How|Which|Where|When)\b")
_FRAGMENT = re.compile(
    r"(Of|By|As|From|With|Whom|Whose|Who|What|How|Which|Where|When|That|For|In|On|To|At|If)\b"
)
_SECTION = re.compile(r"(?:Args|Attributes):\n((?:[ \t]+\S.*\n?|\n)*)")
_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?: +(\S.*)")
_FENCED = re.compile(r"^( *)(```|~~~).*?^\1\2", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(r"`[^`\n]*`")
_MADE = ("components.md", "conformance.md", "reference/")


@dataclass(frozen=True)
class Finding:
    """A place that does not follow the rules.

    Args:
        path: File, from the root of the repository.
        line: Number of the line, from 1.
        text: Words found, and the rule.
    """

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        """Returns `file:line: text`."""
        return f"{self.path}:{self.line}: {self.text}"


def folders() -> dict[str, list[Path]]:
    """Returns the checked files by folder; tests are not checked."""
    found: dict[str, list[Path]] = {}
    for path in sorted(_files()):
        parts = path.relative_to(ROOT).parts
        depth = {"ltbench": 2, "plugins": 3}.get(parts[0], 1)
        name = "/".join(parts[: min(depth, len(parts) - 1)]) or "(root)"
        found.setdefault(name, []).append(path)
    return found


def _files() -> Iterator[Path]:
    for folder in ("ltbench", "plugins", "docs", "examples", "benchmarks"):
        for path in (ROOT / folder).rglob("*"):
            relative = path.relative_to(ROOT).as_posix()
            left_out = "/runs/" in relative or "/licences/" in relative  # data and legal texts
            if path.suffix in (".py", ".md", ".jinja", ".toml") and not left_out:
                yield path
    yield from ROOT.glob("*.md")


def findings(path: Path) -> list[Finding]:
    """Returns the places of one file that do not follow the rules, in the order of their lines."""
    text = path.read_text(encoding="utf-8")
    relative = path.relative_to(ROOT).as_posix()
    if path.suffix == ".py":
        pieces = [*_stems(_spoken(text)), *_docstrings(text)]
    elif path.suffix == ".md":
        made = relative.removeprefix("docs/").startswith(_MADE)
        pieces = [] if made and relative != "docs/reference/results.md" else _stems(_prose(text))
    elif path.suffix == ".toml":
        pieces = _stems(_numbered("\n".join(line.partition("#")[2] for line in text.split("\n"))))
    else:
        pieces = _stems(_numbered(text))
    return [Finding(relative, line, said) for line, said in sorted(set(pieces))]


def _stems(lines: Iterator[tuple[int, str]]) -> list[tuple[int, str]]:
    """Returns the stems found; a stem may go over the end of a line."""
    numbers: list[int] = []
    joined = ""
    for number, line in lines:
        part = " ".join(line.strip(" #").split()) + " "
        joined += part
        numbers += [number] * len(part)
    hits = _STEM.finditer(joined)
    return [(numbers[hit.start()], f'"{hit[0]}": {_advice(hit[0])}') for hit in hits]


def _advice(words: str) -> str:
    return next(a for stem, a in BANNED.items() if re.match(stem, words, re.IGNORECASE))


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.split("\n"), start=1)


def _spoken(source: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of strings and comments of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            for offset, line in enumerate(token.string.split("\n")):
                yield token.start[0] + offset, line.strip("\"'")


def _prose(page: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of a page without its code."""
    blank = _FENCED.sub(lambda block: "\n" * block[0].count("\n"), page)
    return _numbered(_QUOTED.sub("``", blank))


def _docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yields docstrings that open with a relative clause, and entries without a noun."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        text = ast.get_docstring(node, clean=False) if isinstance(node, kinds) else None
        if text is None:
            continue
        first = node.body[0].lineno  # type: ignore[attr-defined]
        if opening := _OPENING.match(text):
            yield first, f'docstring opens with "{opening[0]}": begin with a verb or a noun'
        for section in _SECTION.finditer(text):
            yield from _entries(section, first + text.count("\n", 0, section.start(1)))


def _entries(section: re.Match[str], first: int) -> Iterator[tuple[int, str]]:
    lines = section[1].split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    for offset, line in enumerate(lines):
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            return
        entry = _ENTRY.match(line.strip()) if line[indent : indent + 1].strip() else None
        if entry and (word := _FRAGMENT.match(entry[2])):
            yield first + offset, f'{entry[1]}: begins with "{word[0]}": begin with a noun'


def main() -> None:
    """Prints the findings of all folders, or of those named, and their number."""
    wanted = sys.argv[1:]
    chosen = {
        name: files
        for name, files in folders().items()
        if not wanted or any(name.startswith(one.rstrip("/")) for one in wanted)
    }
    count = 0
    for files in chosen.values():
        for finding in (one for path in files for one in findings(path)):
            print(finding)  # noqa: T201 - a report for the terminal
            count += 1
    print(f"{count} findings")  # noqa: T201
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
