"""Hostile names and texts in the run directories of others."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import Outcome, graceful
from benchmarks.attack.stores import finished_store

_MARK = "oWnEd"
_HOSTILE = (
    *(f"=1+{_MARK}", f"@SUM({_MARK})", f"-{_MARK}", f"+{_MARK}", f"\t={_MARK}", f"\r={_MARK}"),
    *(f"\x1b[31m{_MARK}", f"\x1b]0;{_MARK}\x07", f"\x9b2J{_MARK}", f"\u202e{_MARK}", "\x00\x7f"),
    *(f"a|b|{_MARK}", f"a\n| b | {_MARK} |", f"\n\n# {_MARK}", f"[{_MARK}](javascript:alert(1))"),
    *(f"<script>{_MARK}</script>", f"<img src=x onerror={_MARK}>", f'"><b id={_MARK}>', "</svg>"),
    *(f"[red]{_MARK}[/]", "[/bold]", f"[link=http://x/]{_MARK}", "\\", "$x^2_", f"$\\{_MARK}$"),
    *("\ud800", "名前", "é", "a" * 300, "{{7*7}}", "%s{0}", "' or 1", "-->", "]]>", "\u2028"),
)


def _try_names(rng: random.Random, folder: Path) -> None:
    store = finished_store(folder, 6)
    clean = graceful(ltbench("leaderboard", "runs", "--markdown", cwd=folder), codes=(0,))
    path = rng.choice(sorted(store.rglob("result.json")))
    value = json.loads(path.read_text())
    places = list(_texts(value))
    for _ in range(rng.choice((1, 1, 3, 20))):
        holder, key = rng.choice(places)
        holder[key] = rng.choice(_HOSTILE)
    if rng.random() < 0.2:
        kind = rng.choice([key for key, part in value["run"].items() if isinstance(part, dict)])
        value["run"][kind].setdefault("options", {})[rng.choice(_HOSTILE)] = rng.choice(_HOSTILE)
    _sign(value)
    path.write_text(json.dumps(value))
    _check_outputs(rng, folder, path.parent, clean)


def _try_failures(rng: random.Random, folder: Path) -> None:
    store = finished_store(folder, 4)
    path = rng.choice(sorted(store.rglob("result.json")))
    path.unlink()
    texts = {key: rng.choice(_HOSTILE) for key in ("error", "hint", "kind")}
    (path.parent / "failure.json").write_text(json.dumps({"schema": 3, **texts}))
    if rng.random() < 0.5:
        fit = (text for text in _HOSTILE if text.isascii() and len(text) < 256)
        names = [text for text in fit if not set("/\0") & set(text)]
        path.parent.rename(path.parent.with_name(rng.choice(names)))
    verb = rng.choice((("leaderboard", "runs"), ("reproduce", "runs", "--published", "50")))
    graceful(ltbench(*verb, cwd=folder))
    outcome = graceful(ltbench("report", "runs", "--out", "report", cwd=folder))
    if outcome.code == 0:
        _check_page(outcome, folder / "report" / "index.html")


def _texts(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields the container and the key of each text within a JSON value."""
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(one, str):
            yield value, key
        elif isinstance(one, dict | list):
            yield from _texts(one)


def _sign(value: dict[str, Any]) -> None:
    from ltbench.config.runspec import hash_of

    value["hash"] = hash_of(value["run"])


def _check_outputs(rng: random.Random, folder: Path, run: Path, clean: Outcome) -> None:
    """Checks each output about a store, in which one run has hostile texts."""
    kind = rng.choice(("terminal", "markdown", "csv", "report", "report", "others"))
    if kind == "terminal":
        graceful(ltbench("leaderboard", "runs", cwd=folder), codes=(0,))
    elif kind == "markdown":
        outcome = graceful(ltbench("leaderboard", "runs", "--markdown", cwd=folder), codes=(0,))
        _check_markdown(outcome, clean)
    elif kind == "csv":
        outcome = ltbench("leaderboard", "runs", "--csv", "board.csv", cwd=folder)
        graceful(outcome, codes=(0,))
        _check_csv(outcome, (folder / "board.csv").read_bytes().decode())
    elif kind == "report":
        outcome = graceful(ltbench("report", "runs", "--out", "report", cwd=folder), codes=(0,))
        _check_page(outcome, folder / "report" / "index.html")
        _check_csv(outcome, (folder / "report" / "leaderboard.csv").read_bytes().decode())
    else:
        lift = "runs/digits_lt/clip_tiny/lift_plus"
        for verb in (("eval", str(run)), ("compare", str(run), lift), ("compare", lift, str(run))):
            graceful(ltbench(*verb, cwd=folder))


def _check_markdown(outcome: Outcome, clean: Outcome) -> None:
    """Checks that each row of a table has the cells of its head, and that nothing is markup."""
    width = 0
    for line in outcome.out.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line.replace("\\\\", "")))
        if line.startswith("### "):
            width = 0
        elif line.startswith("|"):
            width = width or cells
            if cells != width:
                raise outcome.finding(f"each row has {width - 1} cells")
        if re.search(r"(?<!\\)<\w", line.replace("\\\\", "")):
            raise outcome.finding("no element in Markdown")
    # One row may be missing, with a run that is skipped, or apart, with conditions of its own.
    if outcome.out.count("### ") > clean.out.count("### ") + 1:
        raise outcome.finding("at most one table more")


def _check_csv(outcome: Outcome, text: str) -> None:
    """Checks that no cell of a CSV file is a formula, and that rows have equal lengths."""
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows:
        if len(row) != len(rows[0]):
            raise outcome.finding("rows of one length")
        for cell in row:
            if re.match(r"\s*[=+@-]", cell) and not _is_number(cell):
                raise outcome.finding(f"no formula in a cell, got {cell!r}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Elements(HTMLParser):
    """Parser that collects the elements of a page which its own template cannot have."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = f"<{tag} {attrs}>"
        if tag == "script" and attrs and _MARK in shown:
            self.found.append(shown)
        if tag in ("img", "b", "iframe", "object"):
            self.found.append(shown)
        for name, value in attrs:
            if name.startswith("on") or (name == "href" and "javascript" in (value or "")):
                self.found.append(shown)


def _check_page(outcome: Outcome, page: Path) -> None:
    """Checks that a page has no element or handler of the texts, and no control character."""
    text = page.read_text(encoding="utf-8")
    parser = _Elements()
    parser.feed(text)
    if parser.found or f"<script>{_MARK}" in text:
        raise outcome.finding(f"no element of others, got {parser.found[:3]}")
    if re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", text):
        raise outcome.finding("no control character on the page")


ATTACKS = (
    Attack(
        "hostile_names",
        "Formulas, escape sequences, markup and HTML in each text of a result: no output has them",
        _try_names,
        share=2.0,
    ),
    Attack(
        "hostile_failures",
        "The same in a failed run's error and in the names of folders",
        _try_failures,
    ),
)
