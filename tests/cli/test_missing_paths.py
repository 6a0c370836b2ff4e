"""One exit code for a path that is not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Ended


@pytest.mark.parametrize(
    "command",
    [
        "compare none nor-this",
        "board build none --out site",
        "board check none.zip",
        "data new none",
        "data prepare cifar10_lt --source none",
        "data verify csv --set dataset.path=none.csv",
        "data verify folder --set dataset.path=nowhere.none",
        "errors none",
        "eval none",
        "export none --to torch --out model",
        "grid plan none.toml",
        "leaderboard none",
        "predict none photo.jpg",
        "report none --out page",
        "reproduce none",
        "run --config none.toml",
        "run --backbone clip_vit_b32 --set backbone.weights=none.safetensors",
        "runs add none.zip",
        "runs list none",
        "runs show none",
    ],
)
def test_a_named_path_that_is_not_there_is_wrong_usage(
    cli: Callable[..., Ended], command: str
) -> None:
    shown = cli(*command.split())
    assert shown.code == 2, shown.err
    assert "none" in shown.err
    assert shown.err.count("error:") == 1
