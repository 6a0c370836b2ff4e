"""What the README says is what happens."""

from __future__ import annotations

import re
import shlex
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


PAGES = ["README.md", *(f"docs/{name}.md" for name in ("data", "grids", "leaderboard", "reports"))]


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_exist(cli: Callable[..., Ended], page: str) -> None:
    text = (ROOT / page).read_text()
    commands = re.findall(r"^\$ ltbench (.*?)(?:#.*)?$", text, flags=re.MULTILINE)
    assert commands
    for command in commands:
        words = shlex.split(command.replace("...", "").split("|")[0])
        verb = words[: 2 if words[0] in ("data", "grid") else 1]
        flags = [word for word in words if word.startswith("--")]
        shown = cli(*verb, "--help").out
        assert all(flag in shown for flag in flags), command
