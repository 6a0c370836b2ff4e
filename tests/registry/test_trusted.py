"""A plugin is tried when its files are new, and after a crash."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from ltbench.io import interrupts
from ltbench.registry import trusted
from ltbench.registry.stamp import files_of, stamp_of
from ltbench.registry.verdicts import Verdict, Verdicts
from ltbench.testing import installed_plugin
from tests.broken import LOSS


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LTBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "plugins"


@pytest.fixture
def point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EntryPoint:
    """A plugin that counts its imports and can be told to end the process."""
    folder = tmp_path / "site"
    info = folder / "counted-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ltbench]\ncounted = counted_plugin\n")
    write(folder, "")
    monkeypatch.syspath_prepend(folder)
    (found,) = [one for one in entry_points(group="ltbench") if one.name == "counted"]
    return found


def write(folder: Path, line: str) -> None:
    count = f"open({str(folder.parent / 'count')!r}, 'a').write('x')"
    (folder / "counted_plugin.py").write_text(LOSS.replace("LTBENCH_API = 1", f"{count}\n{line}"))


def trials(folder: Path) -> int:
    count = folder / "count"
    return len(count.read_text()) if count.exists() else 0


def test_a_plugin_is_tried_once_for_each_state_of_its_files(
    point: EntryPoint, tmp_path: Path
) -> None:
    assert [trusted.refusal(point) for _ in range(3)] == [("", "")] * 3
    assert trials(tmp_path) == 1
    write(tmp_path / "site", "import os; os._exit(3)")
    refused, remark = trusted.refusal(point)
    assert refused.startswith("loading it ended the process with exit code 3")
    assert (trusted.refusal(point), remark) == ((refused, ""), "")
    assert trials(tmp_path) == 2
    trusted.forget("counted")
    assert trusted.refusal(point) == (refused, "")
    assert trials(tmp_path) == 3


def test_a_plugin_whose_import_ended_the_command_is_tried_again(
    point: EntryPoint, tmp_path: Path, cache: Path
) -> None:
    trusted.refusal(point)
    for said in ("", "2 commands ended while they loaded it"):
        child = os.fork()
        if not child:
            with trusted.importing(point):
                os._exit(0)
        os.waitpid(child, 0)
        assert len(list(cache.glob("*.importing"))) == 1
        refused, _ = trusted.refusal(point)
        assert list(cache.glob("*.importing")) == []
        assert (trials(tmp_path), refused) == (2, said)


def test_an_import_in_progress_is_no_crash(point: EntryPoint, tmp_path: Path, cache: Path) -> None:
    trusted.refusal(point)
    with trusted.importing(point):
        assert len(list(cache.glob("*.importing"))) == 1
        child = os.fork()
        if not child:
            os._exit(Verdicts().crashed(point))
        assert os.waitpid(child, 0)[1] == 0
        assert Verdicts().crashed(point) == 0
    assert list(cache.glob("*.importing")) == []


def test_an_import_that_a_signal_ends_is_no_crash(point: EntryPoint, cache: Path) -> None:
    trusted.refusal(point)
    child = os.fork()
    if not child:
        interrupts.install()
        with trusted.importing(point):
            os.kill(os.getpid(), signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    assert list(cache.glob("*.importing")) == []
    assert Verdicts().crashed(point) == 0


def test_a_crash_before_a_success_does_not_count(point: EntryPoint) -> None:
    trusted.refusal(point)
    stored = Verdicts().read(point)
    assert stored is not None
    Verdicts().write(point, replace(stored, crashes=1))
    with trusted.importing(point):
        pass
    assert Verdicts().read(point) == stored


def test_a_cache_that_cannot_be_written_costs_one_trial_in_each_process(
    point: EntryPoint, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("no folder")
    refused, remark = trusted.refusal(point)
    assert refused == ""
    assert remark.startswith(f"is tried by each command: {tmp_path / 'cache'}")
    with trusted.importing(point):
        assert trusted.refusal(point) == ("", "")
    assert trials(tmp_path) == 1


HOSTILE = {
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "pipe": lambda path: os.mkfifo(path),
    "folder": lambda path: path.mkdir(),
    "brackets": lambda path: path.write_text("[" * 100_000),
    "list": lambda path: path.write_text("[1]"),
    "types": lambda path: path.write_text(
        '{"plugin": "a", "distribution": "b", "stamp": "c", "crashes": "many"}'
    ),
    "keys": lambda path: path.write_text('{"plugin": "a", "nothing": 3}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_verdict_that_is_no_file_of_ltbench_does_not_count(
    name: str, point: EntryPoint, cache: Path
) -> None:
    verdicts = Verdicts()
    assert verdicts.write(point, Verdict("counted", "counted", "stamp")) == ""
    (path,) = cache.iterdir()
    path.unlink()
    HOSTILE[name](path)
    assert verdicts.read(point) is None
    verdicts.forget("counted")


def test_a_plugin_that_a_test_installs_is_not_tried(cache: Path) -> None:
    with installed_plugin("mine", LOSS):
        (point,) = [one for one in entry_points(group="ltbench") if one.name == "mine"]
        assert trusted.refusal(point) == ("", "")
        with trusted.importing(point):
            assert not cache.exists()


def test_the_stamp_covers_the_package_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("stamped/__init__.py", "stamped/inner/deep.py", "shared/mine/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "shared" / "other.py").write_text("")
    (tmp_path / "stamped" / "inner" / "broken").symlink_to("nowhere")
    expected = {
        "stamped": ["stamped/__init__.py", "stamped/inner/deep.py"],
        "stamped.inner.deep:thing": ["stamped/__init__.py", "stamped/inner/deep.py"],
        "shared.mine": ["shared/mine/__init__.py"],
        "shared.other": ["shared/other.py"],
        "no_such_module": [],
    }
    for value, files in expected.items():
        point = EntryPoint("one", value, "ltbench")
        found = sorted(str(Path(path).relative_to(tmp_path)) for path, _, _ in files_of(point))
        assert found == files, value
    point = EntryPoint("one", "stamped", "ltbench")
    before = stamp_of(point)
    assert stamp_of(point) == before
    (tmp_path / "stamped" / "inner" / "deep.py").write_text("changed")
    assert stamp_of(point) != before
