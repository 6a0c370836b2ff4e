"""Every method on three families of backbones: the formats that the documentation lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ltbench.registry.load import load_plugins
from ltbench.testing.bench import Bench
from tests.export.matrix import BACKBONES, cases, cell, export_to_all

PAGE = Path(__file__).parents[2] / "docs" / "export.md"
ROW = re.compile(r"^\| `(.+)` \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def documented() -> dict[tuple[str, str], str]:
    """Formats in the table, by method and family; the row of `peft` is for each of its tuners."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("<!-- matrix -->")[2].partition("<!-- end of matrix -->")[0]
    rows = ROW.findall(table)
    return {(row[0], family): row[n + 1] for row in rows for n, family in enumerate(BACKBONES)}


def test_the_table_has_every_method() -> None:
    assert {case for case, _ in documented()} == set(load_plugins().components["method"])


@pytest.mark.slow
@pytest.mark.parametrize("family", BACKBONES)
@pytest.mark.parametrize("case", cases())
def test_the_table_is_right(case: str, family: str, tmp_path: Path) -> None:
    expected = documented()["peft" if case.startswith("tuner ") else case, family]
    settings = {**BACKBONES[family], **cases()[case]}
    exports = export_to_all(Bench.of(load_plugins()), settings, tmp_path)
    assert cell(exports) == expected
    assert expected == "-" or "torch" in expected
