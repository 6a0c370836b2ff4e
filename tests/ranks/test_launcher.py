"""Launcher of ranks that end in different ways; the ranks are small programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltbench.errors import RunError
from ltbench.ranks import launcher
from ltbench.ranks.launcher import Launcher

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(sys.platform != "linux", reason="signals of a terminal"),
]

BEGIN = (
    "import sys, time\n"
    "from ltbench.ranks.place import LOST, read_place\n"
    "place = read_place()\n"
    "def lost(why):\n"
    "    place.last_words.write_text(why)\n"
    "    sys.exit(LOST)\n"
)


def error_of(code: str, size: int = 2) -> str:
    with pytest.raises(RunError) as raised:
        Launcher((sys.executable, "-c", BEGIN + code), size).run()
    return raised.value.message


def test_the_first_rank_that_lost_the_others_tells_why() -> None:
    code = "time.sleep(0.3 * abs(place.rank - 1))\nlost(f'no memory in {place.rank}')"
    assert error_of(code, 3) == "rank 1 of 3 lost the others: no memory in 1"


def test_a_rank_without_last_words_is_shown_with_its_output() -> None:
    code = "print(f'output of {place.rank}', flush=True)\nsys.exit(LOST)"
    assert error_of(code, 3) == "rank 2 of 3 lost the others: output of 2"


def test_an_error_of_a_rank_is_shown_before_the_losses_that_follow() -> None:
    code = "if place.rank:\n    time.sleep(0.3)\n    sys.exit('damaged')\nlost('closed by peer')"
    assert error_of(code) == "rank 1 of 2 ended with code 1: damaged"


def test_ranks_that_wait_for_a_lost_one_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "EXIT_SECONDS", 0.3)
    code = "if place.rank:\n    lost('no memory')\ntime.sleep(60)"
    start = time.monotonic()
    assert error_of(code) == "rank 1 of 2 lost the others: no memory"
    assert time.monotonic() < start + 30


def test_a_second_interruption_leaves_no_folder(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom ltbench.io import interrupts\n"
        "from ltbench.ranks.launcher import Launcher\n"
        "interrupts.install()\n"
        "ignoring = 'import signal, time; signal.signal(signal.SIGTERM, lambda *a: None); "
        "print(0, flush=True); time.sleep(60)'\n"
        "Launcher((sys.executable, '-c', ignoring), 2).run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
