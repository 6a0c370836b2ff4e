"""Arguments of `ltbench.run` that change no result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ltbench
from ltbench.api.run_arguments import RunArguments
from ltbench.errors import ConfigError

WRONG = {
    "out": (3, "out: expected path, got 3"),
    "device": (None, "device: expected text, got None"),
    "workers": (-1, "workers: expected whole number >= 0 or none, got -1"),
    "cache": (float("nan"), "cache: expected number >= 0, got nan"),
    "overwrite": (True, "overwrite: expected never, failed, always, got True"),
    "trackers": ("csv", "trackers: expected list of texts, got 'csv'"),
}


def test_texts_are_paths_and_lists_are_tuples() -> None:
    arguments = RunArguments.checked({"out": "runs", "trackers": ["csv"], "cache": 2})
    assert (arguments.out, arguments.trackers, arguments.cache) == (Path("runs"), ("csv",), 2.0)


def test_all_wrong_arguments_are_named_together() -> None:
    given: dict[str, Any] = {name: value for name, (value, _) in WRONG.items()}
    with pytest.raises(ConfigError) as caught:
        ltbench.run(**given)
    assert "6 faults" in caught.value.message
    for _, said in WRONG.values():
        assert said in caught.value.message
