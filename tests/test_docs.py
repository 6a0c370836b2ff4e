"""The documentation is fresh, its links lead somewhere, its commands exist, its code runs."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.generate import PAGES
from docs.hooks import FROM_ROOT, with_links
from docs.made import rooms
from docs.made.command import verbs
from docs.made.parts import MARKED
from ltbench.grid.grid_file import read_grid
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from tests.conftest import Ended

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial"
WRITTEN = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
LINK = re.compile(r"!?\[[^\]]*\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
EXAMPLES = re.compile(r"`(ltbench [^`]*)`")
OF_THE_COMMAND = ("--help", "--version", "--install-completion", "--show-completion")


def pages() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in WRITTEN]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_fresh(name: str, registry: Registry) -> None:
    fresh = PAGES[name](registry)
    assert (DOCS / name).read_text(encoding="utf-8") == fresh, "run `make docs`"


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as MkDocs and GitHub make them."""
    headings = re.findall(r"^#+ +(.+)$", prose(path), flags=re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"\s", "-", word) for word in words}


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for link, anchor in LINK.findall(prose(path)):
        target = (path.parent / link).resolve() if link else path
        assert target.exists() or target.name in FROM_ROOT, f"{link} is not there"
        if anchor:
            assert anchor in anchors(target), f"{link}#{anchor} is not there"


def commands(page: str) -> Iterator[str]:
    """The commands of a page: in its consoles from `$` on, and in its sentences."""
    text = (ROOT / page).read_text()
    yield from re.findall(r"^\$ ltbench (.*(?:\\\n.*)*)$", text, flags=re.MULTILINE)
    for command in EXAMPLES.findall(prose(ROOT / page)):
        yield command.removeprefix("ltbench ")


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Every verb, and its options."""
    import typer

    from ltbench.cli.app import app

    root = typer.main.get_command(app)
    found = {
        name.removeprefix("ltbench "): {text for one in verb.params for text in one.opts}
        for name, verb, _ in verbs(root)
    }
    return {verb: options | {"--help", "-h"} for verb, options in found.items()}


@pytest.mark.parametrize("page", pages())
def test_commands_exist(page: str, known: dict[str, set[str]]) -> None:
    groups = {verb.split()[0] for verb in known if " " in verb}
    for command in commands(page):
        words = shlex.split(re.split(r"[|>]| && ", command)[0].replace("...", ""), comments=True)
        if not words or words[0] in ("VERB", *OF_THE_COMMAND):
            continue
        if words[0] in groups and len(words) == 1:
            continue
        if words[0] in groups:  # `grid plan|run|status` is cut at the first
            words[:2] = [" ".join(words[:2])]
        assert words[0] in known, command
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known[words[0]], command


def test_every_file_of_the_tutorial_is_shown() -> None:
    page = (DOCS / "plugins" / "tutorial.md").read_text()
    shown = {name.removeprefix("file ") for name in (m["name"] for m in MARKED.finditer(page))}
    files = {
        path.relative_to(DOCS).as_posix()
        for path in TUTORIAL.rglob("*")
        if path.suffix in (".py", ".toml") and path.name != "ruff.toml"
    }
    assert shown == files


def test_the_files_that_contributing_names_exist() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| .* \| `\w+/.* \|$", line)]
    named = {name for row in rows for name in re.findall(r"`([\w/]+/[\w./]*)`", row)}
    assert len(rows) >= 30
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_room_has_a_floor_and_one_import_at_most_leads_upwards() -> None:
    folders = {path.parent.name for path in (ROOT / "ltbench").glob("*/__init__.py")}
    assert {room for floor in rooms.FLOORS for room in floor} == {*folders, rooms.CONTRACT}
    assert len(rooms.upward(rooms.arrows())) <= 1


def test_every_figure_is_shown() -> None:
    """The site shows the dark twin of a light picture."""
    linked = {link for path in WRITTEN for link, _ in LINK.findall(path.read_text())}
    linked |= {link.replace("_light.", "_dark.") for link in linked}
    assert {f"figures/{path.name}" for path in (DOCS / "figures").iterdir()} <= linked


@pytest.mark.parametrize("page", pages())
def test_commands_are_in_consoles_with_prompts(page: str) -> None:
    """What is copied from a console is its commands: they are the lines with a prompt."""
    blocks = re.findall(
        r"^```(\w*)\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE
    )
    for language, block in blocks:
        assert language not in ("bash", "sh", "shell"), block
        if language == "console":
            assert block.startswith("$ "), block
        else:
            assert not re.match(r"\$ |(?:ltbench|pip|make|python) [a-z-]", block), block


@pytest.fixture
def svft(
    cli: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The package of the tutorial: as `plugin new` writes it, with the files of the page."""
    assert cli("plugin", "new", "svft", "--kind", "method").code == 0
    package = tmp_path / "svft"
    for path in TUTORIAL.rglob("*.py"):
        target = package / path.relative_to(TUTORIAL)
        assert target.exists(), "it is a file that `plugin new` writes"
        target.write_text(path.read_text())
    installed = package / "src" / "svft-0.1.0.dist-info"  # as pip would
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: svft\nVersion: 0.1.0\n")
    (installed / "entry_points.txt").write_text("[ltbench]\nsvft = svft\n")
    monkeypatch.syspath_prepend(package / "src")
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "svft"]:
        del sys.modules[name]


@pytest.mark.usefixtures("svft")
@pytest.mark.full
def test_the_tutorial_leads_to_a_row_on_a_leaderboard(cli: Callable[..., Ended]) -> None:
    assert "singular values" in cli("list", "method").out
    refused = cli("run", "--method", "svft", "--set", "method.parts=qkv,mlp", "--dry-run")
    assert refused.code == 2
    assert "method.parts" in refused.err
    ended = cli("run", "--method", "svft", "--epochs", "1", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["learned"]["encoder"] == 6 * 4 * 128  # blocks, parts, singular values
    assert cli("run", "--method", "zero_shot").code == 0
    csv = cli("leaderboard", "runs", "--csv", "board.csv")
    assert csv.code == 0, csv.err
    assert {"svft", "zero_shot"} <= set(Path("board.csv").read_text().split(","))


@pytest.mark.usefixtures("svft")
def test_the_grids_of_the_tutorial_can_be_run() -> None:
    sizes = {
        path.name: len(read_grid(path, load_plugins(), Path("data")).runs)
        for path in TUTORIAL.glob("*.toml")
        if path.name != "ruff.toml"
    }
    assert sizes == {"rates.toml": 9, "beside.toml": 10}


@pytest.mark.full
@pytest.mark.usefixtures("svft")
def test_the_tests_of_the_tutorial_pass() -> None:
    """The value by hand here; of the checks those that take no run."""
    from ltbench.testing import checks_for

    module = importlib.import_module("docs.tutorial.tests.test_svft")
    module.test_a_diagonal_is_added_to_the_singular_values()
    quick = ("on clip_tiny: starts as the backbone", "on clip_tiny: copies are independent")
    registry = load_plugins()
    checks = checks_for(registry.find("method", "svft"), registry)
    chosen = [check for check in checks if check.name.endswith(quick)]
    assert len(chosen) == 4
    for check in chosen:
        check()


def dotted(value: Any, key: str = "") -> Iterator[str]:
    """The keys of a result, as deep as the page goes."""
    parts = ("metrics", "classes", "learned", "training", "selection", "refinement", "evaluation")
    if isinstance(value, dict) and key in ("", *parts, "environment"):
        for name, inner in value.items():
            yield from dotted(inner, f"{key}.{name}".removeprefix("."))
    else:
        yield key


def test_every_key_of_a_result_is_documented(cli: Callable[..., Ended]) -> None:
    page = (DOCS / "reference" / "results.md").read_text().partition("## result.json")[2]
    cells = re.findall(r"^\| `([^|]+)` \|", page.partition("## spec.json")[0], flags=re.MULTILINE)
    run = ("run", "--method", "tau_norm", "--epochs", "1", "--set", "dataset.largest=20")
    found = cli(*run, "--json").json
    # A file has `earlier_hash` only where a migration changed the hash.
    assert sorted({*cells} - {"refinement"}) == sorted({*dotted(found), "earlier_hash"})


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("[data](data.md#x)", "docs/grids.md", "[data](data.md#x)"),
        ("[data](docs/data.md)", "CONTRIBUTING.md", "[data](data.md)"),
        ("[a](../../benchmarks/x.toml)", "docs/plugins/p.md", "a (`benchmarks/x.toml`)"),
        ("[`x.toml`](../benchmarks/x.toml)", "docs/p.md", "`benchmarks/x.toml`"),
        ("[LIFT](https://arxiv.org/abs/1)", "docs/p.md", "[LIFT](https://arxiv.org/abs/1)"),
    ],
)
def test_links_that_leave_the_site_become_paths(text: str, path: str, expected: str) -> None:
    assert with_links(text, path) == expected
