from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltbench.cli.options import read_assignments
from ltbench.config.resolve import resolve
from ltbench.config.text import Text
from ltbench.grid import worker
from ltbench.grid.worker import BUSY, Request
from ltbench.storage.run_directory import RunDirectory
from tests.grid.grids import Folder


def request(folder: Folder, rest: str) -> tuple[Request, RunDirectory]:
    (run,) = folder.read(rest).runs
    asked = Request.of(
        run.settings,
        out=str(folder.out),
        device="cpu",
        workers=0,
        data_root=str(folder.path / "data"),
        overwrite="never",
    )
    return asked, RunDirectory.of(folder.out, run.resolved.spec)


def test_settings_reach_the_worker_as_they_are(folder: Folder) -> None:
    text = """
        [[include]]
        method = "lora"
        "method.dim" = "none"
        "method.layers" = [[0, 1]]
        "method.targets" = [["q"]]
        train.lr = 0.1
        init = "semantic"
        "init.template" = "5 of {}"
    """
    (run,) = folder.read(text).runs
    sent = json.loads(json.dumps(Request.of(run.settings, **_nowhere()).settings))
    typed = {key: Text(value) for key, value in sent.items()}
    again = resolve(folder.registry, typed, folder.path / "data")
    assert again.spec == run.resolved.spec


def _nowhere() -> dict[str, object]:
    return {"out": "runs", "device": "cpu", "workers": 0, "data_root": "d", "overwrite": "never"}


def test_the_recorded_command_is_that_of_the_same_run(folder: Folder) -> None:
    asked, directory = request(folder, "seed = 3\n")
    arguments = asked.as_run()
    assert arguments[:2] == ["ltbench", "run"]
    texts = [after for at, after in itertools.pairwise(arguments) if at == "--set"]
    settings, faults = read_assignments(texts)
    assert not faults
    spec = resolve(folder.registry, settings, folder.path / "data").spec
    assert RunDirectory.of(folder.out, spec) == directory


def test_the_working_directory_is_not_searched_for_modules(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, _ = request(folder, "seed = 0\n")
    monkeypatch.setattr(sys, "path", ["/somewhere/bin", *sys.path])
    assert "-P" in asked.command()
    monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path])  # as for `python -m ltbench`
    assert "-P" not in asked.command()


def test_a_run_that_another_process_has_is_left_alone(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    asked, directory = request(folder, "seed = 0\n")
    with directory.lock(folder.out):
        assert worker.main(asked.command()[-1:]) == BUSY
    assert not directory.path.exists()
    assert worker.main(asked.command()[-1:]) == 0
    assert directory.result()


def test_what_cannot_be_resolved_is_said_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    asked = Request.of({"loss": "cee"}, **_nowhere())
    assert worker.main(asked.command()[-1:]) == 2
    assert "there is no loss 'cee'" in capsys.readouterr().err


def test_a_worker_ends_when_its_standard_input_is_closed() -> None:
    code = (
        "import threading, time; from ltbench.grid import worker\n"
        "worker.interrupts.install()\n"
        "threading.Thread(target=worker._watch_stdin, daemon=True).start()\n"
        "print('up', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"up\n"
        began = time.monotonic()
        process.stdin.close()
        assert process.wait(20) == 130
        assert time.monotonic() - began < 10
