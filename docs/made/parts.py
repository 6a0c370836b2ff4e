"""Parts of pages that are generated from the code, between marks.

<!-- NAME: made by `make docs` -->
...
<!-- end of NAME -->
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from docs.made import papers, results, rooms, source
from docs.made.components import names_table
from docs.made.markup import cell, fenced, table
from ltbench.analysis.columns import Columns
from ltbench.analysis.comparison.across_tables import ACROSS_COLUMNS
from ltbench.analysis.comparison.comparison_rows import COMPARISON_COLUMNS
from ltbench.analysis.leaderboard.rows import COLUMNS
from ltbench.scaffold.package import NewPackage

DOCS = Path(__file__).parents[1]
RESULTS = DOCS.parent / "benchmarks" / "results"
MARKED = re.compile(
    r"(<!-- (?P<name>[^:>]+): made by `make docs` -->\n)"
    r".*?"
    r"(<!-- end of (?P=name) -->)",
    re.DOTALL,
)
_LANGUAGES = {".py": "python", ".toml": "toml"}


def filled(page: str) -> str:
    """Returns a page with its parts generated again.

    Raises:
        KeyError: No generator has the name of a part.
    """
    return MARKED.sub(lambda found: f"{found[1]}{part(found['name'])}\n{found[3]}", page)


def part(name: str) -> str:
    """Returns a part by its name: a generator, and its argument."""
    word, _, about = name.partition(" ")
    return _PARTS[word](about)


def _columns(about: str) -> str:
    """Returns the columns of the CSV file of a table: of a leaderboard, or of `about`."""
    rows = [
        (f"`{column.name}`", column.metadata["dtype"], cell(column.metadata["help"]))
        for column in _COLUMNS[about]
    ]
    return table(("column", "pandas", ""), rows)


def _file(path: str) -> str:
    """Returns a whole file of the documentation as a block of code."""
    file = DOCS / path
    content = file.read_text(encoding="utf-8")
    return fenced(content, _LANGUAGES[file.suffix])


def _output(about: str) -> str:
    """Returns the output of a command, which `make figures` has stored below the results.

    Args:
        about: File, and "findings" where the tables that follow the sentences are left out.
    """
    name, _, part = about.partition(" ")
    text = (RESULTS / name).read_text(encoding="utf-8")
    if part == "findings":
        text = text.partition("\nDistance between ")[0] + "...\n"
    return fenced(text, "console")


def _example(kind: str) -> str:
    """Returns the modules and the test that `ltbench plugin new` writes for a kind."""
    name = f"my_{kind}"
    files = NewPackage(name=name, kind=kind, licence="mit", author="You").render()
    shown = {
        path: content
        for path, content in files.items()
        if path.suffix == ".py" and content.strip() and path.parts[0] in ("src", "tests")
    }
    # In the order of imports: the package, its modules, the tests.
    order = sorted(shown, key=lambda path: (path.parts[0], path.name != "__init__.py", path))
    return "\n\n".join(f"`{path}`:\n\n{fenced(shown[path], 'python')}" for path in order)


_COLUMNS: dict[str, Columns] = {
    "": COLUMNS,
    "of comparisons": COMPARISON_COLUMNS,
    "across data sets": ACROSS_COLUMNS,
}
_PARTS: dict[str, Callable[[str], str]] = {
    "columns": _columns,
    "contract": source.contract,
    "example": _example,
    "file": _file,
    "rooms": rooms.rooms_table,
    "names": names_table,
    "output": _output,
    "keys": results.keys,
    "tables": lambda _: papers.tables(),
}
