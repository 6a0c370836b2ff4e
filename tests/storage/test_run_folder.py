from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.errors import RunError
from ltbench.io.files import partial_path
from ltbench.storage.files import write_atomically
from ltbench.storage.run_folder import clear_folder, make_checkpoint_folder, open_folder


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A link where a run directory is expected, to a folder with a file."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "spec.json").write_text("kept")
    (tmp_path / "run").symlink_to("elsewhere")
    return tmp_path / "run"


def test_a_link_is_refused_before_anything_is_changed(linked: Path) -> None:
    for change in (
        open_folder,
        clear_folder,
        lambda path: make_checkpoint_folder(path, "spec.json"),
    ):
        with pytest.raises(RunError, match="is a link: expected a directory"):
            change(linked)
    assert linked.is_symlink()
    assert [path.name for path in linked.iterdir()] == ["spec.json"]


def test_a_linked_folder_of_checkpoints_is_refused(tmp_path: Path, linked: Path) -> None:
    run = tmp_path / "other"
    open_folder(run)
    (run / "checkpoint").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="checkpoint is a link"):
        clear_folder(run)


def test_a_file_in_the_way_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("kept")
    for change in (open_folder, clear_folder):
        with pytest.raises(RunError, match="exists but is not a directory"):
            change(tmp_path / "run")
    with pytest.raises(RunError, match="not a directory"):
        open_folder(tmp_path / "run" / "below")
    assert (tmp_path / "run").read_text() == "kept"


def test_a_folder_that_was_deleted_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    open_folder(run)
    (run / "spec.json").touch()
    make_checkpoint_folder(run, "spec.json")
    clear_folder(run)
    with pytest.raises(RunError, match="deleted or moved during the run"):
        make_checkpoint_folder(run, "spec.json")
    with pytest.raises(RunError, match="was deleted or moved"):
        write_atomically(run / "history.jsonl", b"")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_this_run_go_when_it_continues(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoint").mkdir(parents=True)
    for path in (run, run / "spec.json", run / "checkpoint" / "training.safetensors"):
        partial_path(path).touch()
    others = partial_path(tmp_path / "other")
    others.touch()
    open_folder(run)
    assert sorted(tmp_path.rglob("*")) == sorted([run, run / "checkpoint", others])
