"""How the images of a run get at hand: decoded once where there is room, by enough processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from ltbench.config.runspec import RunSpec
from ltbench.data import Dataset, Split
from ltbench.data.images import FileImages
from ltbench.data.loading.batches import Loading
from ltbench.data.loading.decode_cache import decoded
from ltbench.data.loading.num_workers import choose_workers, seconds_to_read, usable_cores
from ltbench.data.loading.unreadable import without_unreadable
from ltbench.progress import Watch


def at_hand(
    dataset: Dataset,
    spec: RunSpec,
    loading: Loading,
    resolution: int,
    seconds_per_image: Callable[[], float],
    watch: Watch,
) -> tuple[Dataset, Loading]:
    """Returns the same images, and by how many processes they are read.

    Training images that cannot be decoded are left out, where such are skipped.

    Args:
        dataset: The data set.
        spec: The run.
        loading: How images reach the device; `workers` may be left open.
        resolution: R.
        seconds_per_image: Measurement of the time that the model takes for an image; called only
            where files are read and `workers` is left open.
        watch: Told how it gets on.
    """
    cores = usable_cores()
    if loading.device.type == "cpu":  # runs that share a machine have their part of it
        cores = min(cores, torch.get_num_threads())
    again = [spec.split] + ["train"] * (spec.train.epochs > 1) + ["val"] * spec.uses_val
    splits = dict(dataset.splits)
    for name in dict.fromkeys(again):
        workers = cores if loading.workers is None else loading.workers
        splits[name] = _decoded(name, splits[name], loading, workers, watch)
    dataset = replace(dataset, splits=splits)
    if loading.skip_corrupt:
        processes = cores if loading.workers is None else loading.workers
        dataset = without_unreadable(dataset, loading.cache, processes, watch)
        splits = dict(dataset.splits)
    if loading.workers is not None:
        return dataset, loading
    reading = seconds_to_read(splits["train"], resolution)
    learning = None if reading is None else seconds_per_image()
    workers, reason = choose_workers(reading, learning, cores)
    if reading is not None:
        watch.note(f"workers: {workers} ({reason})")
    return dataset, replace(loading, workers=workers)


def _decoded(name: str, split: Split, loading: Loading, workers: int, watch: Watch) -> Split:
    if not isinstance(split.images, FileImages) or not loading.cache.limit:
        return split
    stage = ""

    def advance(doing: str, images: int) -> None:
        nonlocal stage
        if doing != stage:
            if stage:
                watch.stop()
            stage = doing
            watch.start(f"{doing} {name}", len(split))
        watch.advance(images)

    try:
        images, note = decoded(split.images, {}, loading.cache, workers, advance)
    finally:
        if stage:
            watch.stop()
    watch.note(f"{name}: {note}")
    return replace(split, images=images)
