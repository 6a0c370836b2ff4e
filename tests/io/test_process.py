from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ltbench.errors import ConfigError
from ltbench.io.process import expect_working_folder


def test_closed_streams_are_no_place_for_the_next_file(tmp_path: Path) -> None:
    code = (
        "import os\n"
        "from ltbench.io.process import open_closed_streams\n"
        "open_closed_streams()\n"
        f"number = os.open({str(tmp_path / 'kept')!r}, os.O_WRONLY | os.O_CREAT)\n"
        "os.write(2, b'message')\n"
        "print('shown')\n"
        "os._exit(number)"
    )
    command = f"exec {sys.executable} -c '{code.replace(chr(39), chr(34))}' <&- >&- 2>&-"
    assert subprocess.run(command, shell=True, check=False).returncode > 2
    assert (tmp_path / "kept").read_bytes() == b""


def test_a_deleted_working_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match="the working folder cannot be used"):
        expect_working_folder()
