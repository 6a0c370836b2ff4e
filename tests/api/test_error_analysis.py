"""`FinishedRun.errors` in Python and in notebooks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ltbench
from ltbench.errors import ConfigError, DataError
from ltbench.registry.registry import Registry
from tests.runs_on_images import IMAGES, failing_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> ltbench.FinishedRun:
    return ltbench.load_run(failing_run(tmp_path_factory.mktemp("failing"), registry)[1])


def test_frames_have_the_documented_columns(run: ltbench.FinishedRun) -> None:
    page = (Path(ltbench.__file__).parents[1] / "docs/errors.md").read_text()
    errors = run.errors()
    for name in ("groups", "classes", "confusions", "mistakes", "reliability"):
        (row,) = re.findall(rf"^\| `{name}` \| [^|]*\| (.*) \|$", page, flags=re.MULTILINE)
        assert re.findall(r"`(\w+)`", row) == list(getattr(errors, name).columns)


def test_a_notebook_shows_findings_tables_and_pictures(run: ltbench.FinishedRun) -> None:
    errors = run.errors(pictures=3)
    assert sorted(set(errors.mistakes["image"])) == IMAGES
    assert [picture.data[:2] for picture in errors.pictures] == [b"\xff\xd8"] * 3
    shown = errors._repr_html_()
    assert shown.count("data:image/jpeg;base64,") == 3
    assert shown.count("<table>") == 5
    assert "The 2 few-shot classes" in shown
    assert repr(errors).startswith("<ErrorAnalysis of lift_plus on folder with clip_tiny, seed 0>")
    assert run.errors().pictures == ()


@pytest.mark.parametrize(
    "arguments",
    [
        {"pictures": -1},
        {"pictures": 25},
        {"pictures": True},
        {"data_root": 3},
        {"settings": {"train.lr": "1"}},
        {"settings": ["dataset.path"]},
    ],
)
def test_wrong_arguments_are_named(run: ltbench.FinishedRun, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"pictures|data_root|train\.lr|settings"):
        run.errors(**arguments)


def test_predictions_that_are_not_stored(run: ltbench.FinishedRun) -> None:
    with pytest.raises(DataError, match="no predictions with inference 'flip'"):
        run.errors(inference="flip")
