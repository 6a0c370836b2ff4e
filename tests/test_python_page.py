"""The code of docs/python.md works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.page_code import execute_page

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
SMALL = '"dataset.largest": 10, "dataset.ratio": 4.0, "inference": "center"'


@pytest.mark.full  # five runs, four of them in processes of their own
def test_the_code_of_the_page_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = execute_page(
        PAGE,
        {
            '{"method.dim": 8}': f'{{"method.dim": 8, "train.epochs": 1, {SMALL}}}',
            '"defaults": {': f'"defaults": {{{SMALL}, ',
        },
    )
    shown = capsys.readouterr()
    assert len(names["results"]) == 4
    assert len(names["frame"]) == 4
    assert names["page"].is_file()
    assert "few-shot classes" in shown.out
    assert "did you mean 'epochs'" in shown.out
    assert "4/4 done" in shown.err
