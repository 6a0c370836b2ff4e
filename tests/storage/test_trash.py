from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.errors import BusyError, RunError
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.trash import Trash, size_of
from tests.runs import spec_of, store


@pytest.fixture
def run(tmp_path: Path, registry: Registry) -> Path:
    return store(tmp_path, spec_of(registry))


def test_a_run_in_the_trash_is_not_found_and_can_come_back(tmp_path: Path, run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    trashed = Trash(tmp_path).put(run)
    assert trashed.parent == tmp_path / ".trash"
    assert trashed.name.endswith(f"-{run.name}")
    assert not run.exists()
    assert find_runs([tmp_path]).runs == ()
    assert len(find_runs([tmp_path / ".trash"]).runs) == 1
    trashed.rename(run)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert len(find_runs([tmp_path]).runs) == 1


def test_runs_of_one_name_are_kept_apart(tmp_path: Path, registry: Registry) -> None:
    trash, spec = Trash(tmp_path), spec_of(registry)
    put = [trash.put(store(tmp_path, spec)) for _ in range(3)]
    assert len(set(put)) == 3
    assert trash.entries() == sorted(put)


def test_a_busy_or_claimed_run_is_kept(tmp_path: Path, run: Path) -> None:
    for held in (RunDirectory(run).lock(tmp_path), RunDirectory(run).claim(tmp_path)):
        with held, pytest.raises(BusyError, match="is busy: another process"):
            Trash(tmp_path).put(run)
    assert run.exists()


def test_links_are_refused(tmp_path: Path, run: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(run)
    with pytest.raises(RunError, match="is a link"):
        Trash(tmp_path).put(link)
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / ".trash").symlink_to(outside)
    for act in (lambda: Trash(tmp_path).put(run), lambda: Trash(tmp_path).entries()):
        with pytest.raises(RunError, match=r"\.trash is a link"):
            act()
    assert run.exists()
    assert list(outside.iterdir()) == []


def test_what_is_in_the_trash_is_not_put_there_again(tmp_path: Path, run: Path) -> None:
    trash = Trash(tmp_path)
    with pytest.raises(RunError, match="in the trash already"):
        trash.put(trash.put(run))


def test_deleting_keeps_what_a_link_leads_to(tmp_path: Path, run: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    (run / "link").symlink_to(kept)
    trash = Trash(tmp_path)
    trash.delete(trash.put(run))
    assert trash.entries() == []
    assert (kept / "file").exists()


def test_an_empty_trash_has_no_entries(tmp_path: Path) -> None:
    assert Trash(tmp_path).entries() == []


def test_sizes_are_of_files_and_links_themselves(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 100)
    assert size_of(tmp_path) == 100
    assert size_of(tmp_path / "missing") == 0
