"""Runs that one of several processes disturbs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from benchmarks.ranks.cases import write_images
from ltbench.config.resolve import resolve
from ltbench.engine.run import RuntimeConfig, execute
from ltbench.errors import LTBenchError
from ltbench.io import interrupts
from ltbench.io.array_cache import NO_CACHE, Cache
from ltbench.io.sizes import GB
from ltbench.progress import SILENT, ProgressReporter, SilentReporter
from ltbench.ranks.group import Group
from ltbench.registry.load import load_plugins
from tests.ranks.test_process_group import in_processes

pytestmark = pytest.mark.slow

SETTINGS = {"limit": 2, "train.epochs": 1, "inference": "center", "method": "classifier_only"}


class FullDisk(SilentReporter):
    """Reporter that cannot write any more in the middle of the features."""

    def advance(self, images: int, loss: float | None = None) -> None:
        raise OSError(28, "No space left on device")


class InterruptedAtTheEnd(SilentReporter):
    """Reporter in whose process a signal arrives when the images have been evaluated."""

    stage = ""

    def start(self, stage: str, *about: Any) -> None:
        self.stage = stage

    def stop(self) -> None:
        if self.stage == "evaluating":
            os.kill(os.getpid(), signal.SIGTERM)


def ended(
    group: Group,
    out: Path,
    settings: Mapping[str, Any] = MappingProxyType({}),
    progress: ProgressReporter = SILENT,
    cache: Cache = NO_CACHE,
    disturb: Callable[[], object] = lambda: None,
) -> Any:
    """The error of a run, which is disturbed when it is planned."""
    registry = load_plugins()
    resolved = resolve(registry, {**SETTINGS, **settings}, out)
    disturb()
    runtime = RuntimeConfig(out, "cpu", 0, cache, group=group)
    try:
        execute(resolved, registry, runtime, "never", progress)
    except LTBenchError as error:
        return type(error).__name__, error.message
    return None


def test_a_full_disk_while_features_are_cached_is_the_error_of_all(tmp_path: Path) -> None:
    def work(group: Group) -> Any:
        cache = Cache(tmp_path / "cache", GB)
        return ended(group, tmp_path, {}, FullDisk() if group.leads else SILENT, cache)

    message = "the features cannot be computed: [Errno 28] No space left on device"
    assert in_processes(work, 2, tmp_path) == [("RunError", message)] * 2


@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_before_the_end_stops_all(tmp_path: Path, rank: int) -> None:
    def work(group: Group) -> Any:
        interrupts.install()
        return ended(group, tmp_path, {}, InterruptedAtTheEnd() if group.rank == rank else SILENT)

    found = in_processes(work, 2, tmp_path)
    assert found == [("Interrupted", "interrupted after the training")] * 2
    assert list(tmp_path.rglob("environment.json"))
    assert not list(tmp_path.rglob("result.json"))


@pytest.mark.parametrize("planned", [True, False])
def test_files_that_one_rank_reads_otherwise_end_all(tmp_path: Path, planned: bool) -> None:
    """Each rank has a copy of the data set; that of rank 1 is damaged before or after the plan."""

    def work(group: Group) -> Any:
        images = tmp_path / str(group.rank)
        write_images(images)

        def damage() -> None:
            if group.rank == 1:
                (images / "train" / "bee" / "2.png").write_bytes(b"no image")

        if not planned:
            damage()
        own = {"dataset.path": str(images), "on_corrupt": "skip", "train.batch_size": 5}
        settings = {"dataset": "folder", "limit": None, **own}
        return ended(group, tmp_path, settings, disturb=damage if planned else lambda: None)

    (kind, message), other = in_processes(work, 2, tmp_path)
    assert (kind, message) == other
    assert kind == "DataError"
    if planned:
        assert message == (
            "the ranks have read different data sets: rank 0: 3 classes, train 17 images, test 9 "
            "images; rank 1: 3 classes, train 16 images, test 9 images"
        )
    else:
        assert message.startswith("the ranks have different runs: rank 0: dataset content:")
