"""Runs whose folder is in the way, is deleted, or cannot be written."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from tests.cli.test_run import SMALL, Cli, only_run
from tests.strangers import install

FROZEN = (*SMALL, "--method", "classifier_only")

DELETING = """
import shutil
from pathlib import Path

@hookimpl
def ltbench_on_epoch_end(run, epoch):
    if epoch == 0:
        shutil.rmtree("runs")
"""

DELETING_LATER = """
import shutil

import numpy as np
from ltbench import InferenceSpec
from ltbench.views import Views

class Deleting:
    def views(self, sizes):
        boxes = np.concatenate([np.zeros_like(sizes), sizes], axis=1)[:, None]
        return Views(boxes, np.zeros(boxes.shape[:2], bool))

    def reduce(self, logits):
        shutil.rmtree("runs", ignore_errors=True)
        return logits.mean(1)

@hookimpl
def ltbench_register_inferences():
    return [InferenceSpec(name="deleting", summary="deletes runs", build=lambda *_: Deleting())]
"""


def test_a_run_that_is_deleted_ends_at_the_next_epoch(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "deleter", DELETING)
    ended = cli("run", *FROZEN)
    assert ended.code == 1
    assert "was deleted or moved during the run" in ended.err
    assert not list(tmp_path.rglob("spec.json"))


def test_a_run_that_is_deleted_during_its_evaluation_has_failed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "deleter", DELETING_LATER)
    ended = cli("run", *FROZEN, "--inference", "deleting")
    assert ended.code == 1, ended.err
    assert "was deleted or moved" in ended.err


def test_a_full_disk_is_the_cause_that_is_shown(cli: Cli, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))
    try:
        ended = cli("run", *FROZEN, "--cache", "0")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ended.code == 1
    assert "training.safetensors cannot be written: File too large" in ended.err
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.full
def test_a_run_directory_that_is_a_link_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", *FROZEN).code == 0
    run = only_run(tmp_path / "runs")
    run.rename(tmp_path / "moved")
    run.symlink_to(tmp_path / "moved")
    assert "stored earlier" in cli("run", *FROZEN).out
    ended = cli("run", *FROZEN, "--overwrite", "always")
    assert ended.code == 1
    assert "is a link: expected a directory" in ended.err
    assert run.is_symlink()
    assert (tmp_path / "moved" / "result.json").exists()


@pytest.mark.parametrize("name", ["loop", "taken", "taken/below", "x" * 256, "nowhere"])
def test_a_folder_that_cannot_be_one_is_reported_first(cli: Cli, name: str) -> None:
    Path("loop").symlink_to("loop")
    Path("nowhere").symlink_to("missing")
    Path("taken").touch()
    for arguments in (("run", "--dry-run"), ("grid", "status", "digits"), ("report", "taken")):
        ended = cli(*arguments, "--out", name)
        assert ended.code == 2, ended.err
        assert "--out: " in ended.err
    assert not os.path.lexists("missing")
