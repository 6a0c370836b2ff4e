from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("empty", "--to", "torch", "--out", "model"), 4, "is not a run directory"),
        (("empty", "--to", "zip", "--out", "model"), 2, "there is no format 'zip'"),
        (("empty", "--to", "torch", "--out", "file"), 2, "file exists but is not a directory"),
        (("empty", "--to", "torch", "--out", "model", "--set", "x"), 2, "expected KIND.OPTION"),
        (("empty", "--to", "torch"), 2, "Missing option '--out'"),
        (("empty", "--to", "torch", "--out", "."), 2, "exists: expected a new folder"),
    ],
)
def test_wrong_calls_are_explained(
    cli: Callable[..., Ended],
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    ended = cli("export", *arguments)
    assert ended.code == code
    assert message in ended.err
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "file"}


@pytest.mark.full
def test_sizes_and_the_largest_difference_are_printed(
    cli: Callable[..., Ended], tmp_path: Path
) -> None:
    run = cli("run", "--method", "zero_shot", "--device", "cpu", "--json").json["directory"]
    ended = cli("export", run, "--to", "openclip", "--out", "model")
    assert ended.code == 0
    assert "model/open_clip_model.safetensors" in ended.out
    assert "differ from those of the trained model by at most" in ended.out
    printed = cli("export", run, "--to", "safetensors", "--out", "other", "--json").json
    assert printed["format"] == "safetensors"
    assert printed["max_error"] < 1e-3
    assert set(printed["files"]) == {path.name for path in (tmp_path / "other").iterdir()}
