"""How the images of a run get at hand: decoded once where there is room, by enough processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from ltbench.config.runspec import RunSpec
from ltbench.data import Dataset, Split
from ltbench.data.images import FileImages
from ltbench.data.loading.batches import LoaderConfig
from ltbench.data.loading.decode_cache import decode_once
from ltbench.data.loading.num_workers import choose_workers, seconds_to_read, usable_cores
from ltbench.data.loading.unreadable import without_unreadable
from ltbench.progress import ProgressReporter


def prepare_loading(
    dataset: Dataset,
    spec: RunSpec,
    loader_config: LoaderConfig,
    resolution: int,
    seconds_per_image: Callable[[], float],
    progress: ProgressReporter,
) -> tuple[Dataset, LoaderConfig]:
    """Returns the same images, and by how many processes they are read.

    Training images that cannot be decoded are left out, where such are skipped.

    Args:
        dataset: The data set.
        spec: The run.
        loader_config: How images reach the device; `workers` may be left open.
        resolution: R.
        seconds_per_image: Measurement of the time that the model takes for an image; called only
            where files are read and `workers` is left open.
        progress: Told how it gets on.
    """
    cores = usable_cores()
    if loader_config.device.type == "cpu":  # runs that share a machine have their part of it
        cores = min(cores, torch.get_num_threads())
    again = [spec.split] + ["train"] * (spec.train.epochs > 1) + ["val"] * spec.uses_val
    splits = dict(dataset.splits)
    for name in dict.fromkeys(again):
        workers = cores if loader_config.workers is None else loader_config.workers
        splits[name] = _decoded(name, splits[name], loader_config, workers, progress)
    dataset = replace(dataset, splits=splits)
    if loader_config.skip_corrupt:
        processes = cores if loader_config.workers is None else loader_config.workers
        dataset = without_unreadable(dataset, loader_config.cache, processes, progress)
        splits = dict(dataset.splits)
    if loader_config.workers is not None:
        return dataset, loader_config
    reading = seconds_to_read(splits["train"], resolution)
    learning = None if reading is None else seconds_per_image()
    workers, reason = choose_workers(reading, learning, cores)
    if reading is not None:
        progress.note(f"workers: {workers} ({reason})")
    return dataset, replace(loader_config, workers=workers)


def _decoded(
    name: str, split: Split, loader_config: LoaderConfig, workers: int, progress: ProgressReporter
) -> Split:
    if not isinstance(split.images, FileImages) or not loader_config.cache.limit:
        return split
    stage = ""

    def advance(doing: str, images: int) -> None:
        nonlocal stage
        if doing != stage:
            if stage:
                progress.stop()
            stage = doing
            progress.start(f"{doing} {name}", len(split))
        progress.advance(images)

    try:
        images, note = decode_once(split.images, {}, loader_config.cache, workers, advance)
    finally:
        if stage:
            progress.stop()
    progress.note(f"{name}: {note}")
    return replace(split, images=images)
