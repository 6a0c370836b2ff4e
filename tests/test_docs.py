"""The pages that are made from the code are fresh."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from ltbench.plugins import Registry

DOCS = Path(__file__).parent.parent / "docs"
FOUND = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
assert FOUND is not None
assert FOUND.loader is not None
GENERATE = importlib.util.module_from_spec(FOUND)
FOUND.loader.exec_module(GENERATE)


@pytest.mark.parametrize("name", GENERATE.PAGES)
def test_generated_pages_are_fresh(name: str, registry: Registry) -> None:
    fresh = GENERATE.PAGES[name](registry)
    assert (DOCS / name).read_text(encoding="utf-8") == fresh, "run `make docs`"
