"""What the README says is what happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended
from tests.strangers import install

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_plugin_in_the_readme_works(
    cli: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "my_method", source)
    ended = cli("run", "--method", "my_biases", "--epochs", "1", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["learned"]["encoder"] == 6 * (128 * 4 + 384 + 512)
