"""The README is short, and its code works."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended
from tests.strangers import install

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
MAX_LINES = 150


def python_block(opening: str) -> str:
    (block,) = re.findall(rf"```python\n({re.escape(opening)}.*?)```", README, flags=re.DOTALL)
    return block


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_LINES


@pytest.mark.full
def test_the_python_call_in_the_readme_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = python_block("import ltbench").replace(
        '"method.dim": 8', '"method.dim": 8, "train.epochs": 1'
    )
    names: dict[str, object] = {}
    exec(source, names)
    (stored,) = Path("runs/digits_lt/clip_tiny/lift_plus").glob("*/result.json")
    assert json.loads(stored.read_text())["run"]["seed"] == 1
    assert names["result"]


def test_the_plugin_in_the_readme_works(
    cli: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = python_block("# my_method.py")
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "my_method", source)
    ended = cli("run", "--method", "my_biases", "--epochs", "1", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["learned"]["encoder"] == 6 * (128 * 4 + 384 + 512)
