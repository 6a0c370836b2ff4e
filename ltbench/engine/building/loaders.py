"""Loading of a run's images: decoded once if the cache has room, by enough processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from ltbench.config.runspec import RunSpec
from ltbench.data import Dataset, Split
from ltbench.data.images import FileImages
from ltbench.data.loading.batches import LoaderConfig
from ltbench.data.loading.decode_cache import decode_once
from ltbench.data.loading.num_workers import choose_workers, measure_read_seconds, usable_cores
from ltbench.data.loading.unreadable import drop_unreadable
from ltbench.progress import ProgressReporter


def prepare_loading(
    dataset: Dataset,
    spec: RunSpec,
    loader_config: LoaderConfig,
    resolution: int,
    seconds_per_image: Callable[[], float],
    progress: ProgressReporter,
    *,
    training: bool,
    evaluated: str,
) -> tuple[Dataset, LoaderConfig]:
    """Returns the data set with decoded images where there is room, and the number of workers.

    Training images that cannot be decoded are left out where the run skips such images.

    Args:
        dataset: Data set with the images.
        spec: Choices of the run.
        loader_config: Device, and how images reach it; `workers` may be left open.
        resolution: R, in pixels.
        seconds_per_image: Measurement of the time that the model takes for an image; called only
            where files are read and `workers` is left open.
        progress: Reporter of what is decoded.
        training: Whether the model is trained; if not, only the evaluated split is read.
        evaluated: Split that is evaluated.
    """
    cores = max(1, loader_cores(loader_config.device) // loader_config.group.local_size)
    decoded = [evaluated]
    if training:
        decoded += ["train"] * (spec.train.epochs > 1) + ["val"] * spec.uses_val
    splits = dict(dataset.splits)
    processes = cores if loader_config.workers is None else loader_config.workers
    for name in dict.fromkeys(decoded):
        splits[name] = _decoded(name, splits[name], loader_config, processes, progress)
    dataset = replace(dataset, splits=splits)
    if loader_config.skip_corrupt and training:
        dataset = drop_unreadable(dataset, loader_config.cache, processes, progress)
    if loader_config.workers is not None:
        return dataset, loader_config
    reading = measure_read_seconds(dataset.splits["train" if training else evaluated], resolution)
    if reading is None:  # the images are arrays, or none can be decoded
        return dataset, replace(loader_config, workers=0)
    workers, reason = choose_workers(reading, seconds_per_image(), cores)
    progress.note(f"workers: {workers} ({reason})")
    return dataset, replace(loader_config, workers=workers)


def loader_cores(device: torch.device) -> int:
    """Returns the largest number of loader workers that is chosen for a model on a device."""
    cores = usable_cores()
    if device.type == "cpu":  # runs that share a machine have a part of its cores
        return min(cores, torch.get_num_threads())
    return cores


def _decoded(
    name: str, split: Split, loader_config: LoaderConfig, workers: int, progress: ProgressReporter
) -> Split:
    """Returns a split with decoded images, or the split itself if the cache has no room."""
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
