"""The Python code of the page about predictions runs as it is printed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.prediction.stored import Predictable

PAGE = Path(__file__).parents[2] / "docs/production.md"
STORED = "runs/photos/clip_vit_b16/lift_plus/HASH"


def test_the_code_about_predictions_runs(
    predictable: Predictable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    section = PAGE.read_text().partition("## Predict\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    shutil.copytree(predictable.images / "ant", "new_photos")
    Path("new_photos/0.jpg").write_bytes(b"")
    names: dict[str, object] = {}
    for block in blocks:
        exec(block.replace(STORED, str(predictable.run.path)), names)
    shown = capsys.readouterr()
    assert "new_photos/0.jpg new_photos/0.jpg cannot be decoded: it is empty" in shown.out
    assert shown.err == ""
