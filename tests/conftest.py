from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any library asks a hub

from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry

if TYPE_CHECKING:
    from tests.prediction.stored import Predictable

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # tests run in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch  # not in the process that only hands the tests out: it would wait for it first

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _one_command_line() -> Iterator[None]:
    """Describes the command line to click once, and not anew for each command of a test."""
    import typer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps digests of images out of the user's cache folder, and ignores the user's cluster."""
    monkeypatch.setenv("LTBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "ltbench-cache"))
    monkeypatch.setenv("LTBENCH_CONFIG", str(tmp_path_factory.getbasetemp() / "no-config.toml"))
    monkeypatch.delenv("LTBENCH_CACHE_DIR", raising=False)


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_plugins()


@pytest.fixture(scope="session")
def predictable(tmp_path_factory: pytest.TempPathFactory) -> Predictable:
    """A finished run on image files whose training images are gone; it must not be changed."""
    from tests.prediction.stored import predictable_run

    return predictable_run(tmp_path_factory.mktemp("predictable"))


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed


@pytest.fixture
def cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., Ended]]:
    """Runs the command in this process, in an empty folder."""
    from ltbench.cli import run_command

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["ltbench", *arguments])
        code = 0
        try:
            run_command()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run
