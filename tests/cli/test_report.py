"""`ltbench report` on stored runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of, store

Cli = Callable[..., Ended]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    out = tmp_path_factory.mktemp("drawn")
    for method in ("lift_plus", "full"):
        store(out, spec_of(registry, method=method))
    return out


def test_a_report(cli: Cli, drawn: Path) -> None:
    ended = cli("report", str(drawn), "--out", "report", "--title", "My runs", "--metric", "few")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("report/index.html: ")
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "<h1>My runs</h1>" in page
    assert re.search("ranked by (<[^>]+>)?few-shot", page)


def test_a_report_where_nothing_can_be_written(cli: Cli, drawn: Path) -> None:
    Path("taken").touch()
    ended = cli("report", str(drawn), "--out", "taken/report")
    assert ended.code == 2
    assert "cannot be written" in ended.err


def test_nothing_to_report(cli: Cli, tmp_path: Path) -> None:
    ended = cli("report", str(tmp_path), "--out", "report")
    assert ended.code == 4
    assert not Path("report").exists()


@pytest.mark.full
def test_skipped_runs_with_strict(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    broken = tmp_path / "more" / "broken"
    broken.mkdir(parents=True)
    (broken / "spec.json").write_text("{}")
    ended = cli("report", str(drawn), str(tmp_path / "more"), "--out", "report", "--strict")
    assert ended.code == 1
    assert Path("report/index.html").exists()


def test_a_file_is_no_folder(cli: Cli, drawn: Path) -> None:
    Path("taken").touch()
    ended = cli("report", str(drawn), "--out", "taken")
    assert ended.code == 2
    assert "exists but is not a directory" in ended.err


@pytest.mark.full
def test_pictures_can_be_left_out(cli: Cli) -> None:
    runs = Path(__file__).parents[2] / "benchmarks/results/digits/runs/digits_lt/clip_tiny/full"
    for option in ("--pictures", "--no-pictures"):
        assert cli("report", str(runs), "--out", option.strip("-"), option).code == 0
    with_them, without = (
        Path(name, "index.html").read_text(encoding="utf-8") for name in ("pictures", "no-pictures")
    )
    assert "data:image/jpeg" in with_them
    assert "data:image/" not in without
