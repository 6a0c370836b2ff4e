"""The project's own board: every pack that comes in is accepted, and the recipe is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ltbench.board.contributors import MAX_NOTE_CHARACTERS, read_contributions
from ltbench.board.verification import PackVerifier
from ltbench.board.verify_packs import Stage, verify_packs
from ltbench.registry.registry import Registry

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "benchmarks" / "board"
MAX_PACK_BYTES = 2_000_000


def test_packs_are_small_and_in_their_place() -> None:
    found = read_contributions(BOARD)
    assert not found.misplaced
    for one in found.each:
        assert not one.fault
        assert len(one.contributor.note) <= MAX_NOTE_CHARACTERS
        for pack in one.packs:
            assert pack.stat().st_size <= MAX_PACK_BYTES, f"{pack}: split it"
        extra = {path.name for path in (BOARD / one.contributor.name).iterdir()}
        assert extra <= {"entry.toml", "README.md", *(pack.name for pack in one.packs)}


def test_every_pack_is_accepted(registry: Registry, tmp_path: Path) -> None:
    verifier = PackVerifier(registry, tmp_path, tmp_path / "store")
    for checked in verify_packs(read_contributions(BOARD), verifier, Stage()):
        assert not checked.refusals, checked.refusals


def test_the_recipe_and_ci_build_the_same_board() -> None:
    recipe = (ROOT / "Makefile").read_text()
    assert "ltbench board build benchmarks/board --out build/board" in recipe
    assert re.search(r"^check: .*\bboard\b", recipe, flags=re.MULTILINE)
    assert "make check" in (ROOT / ".ci" / "run").read_text()
    page = (BOARD / "README.md").read_text()
    for number in range(1, 5):
        assert f"# {number}. " in page
    assert "5\\. Open a pull request" in page


@pytest.mark.parametrize("key", ["who", "affiliation", "link", "paper", "note"])
def test_the_recipe_has_every_key(key: str) -> None:
    assert re.search(rf"^{key} = ", (BOARD / "README.md").read_text(), flags=re.MULTILINE)
