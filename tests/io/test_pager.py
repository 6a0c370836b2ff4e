from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ltbench.io.pager import show_paged


def test_the_pager_of_the_user_gets_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = tmp_path / "shown"
    monkeypatch.setenv("PAGER", f"tee {shown}")
    before = signal.getsignal(signal.SIGINT)
    show_paged("lines \u00b1\n")
    assert shown.read_text(encoding="utf-8") == "lines \u00b1\n"
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("command", ["no-such-pager --x", "  ", "less '"])
def test_without_a_pager_the_text_is_printed(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGER", command)
    show_paged("text\n")
    assert capsys.readouterr().out == "text\n"


def test_a_pager_that_cannot_be_executed_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/no/such/interpreter\n")
    pager.chmod(0o755)
    monkeypatch.setenv("PAGER", str(pager))
    show_paged("text\n")
    assert capsys.readouterr().out == "text\n"
