"""Time to read a long split list, and memory that loader workers hold of it.

Writes a list in the form of iNaturalist 2018's, whose rows point to a few real JPEG files, reads it
several times, and goes through some of it with loader workers while their own memory is watched.

    python -m benchmarks.data.index --rows 437513
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ltbench.data import Dataset, FileImages, Split, list_identity, read_list
from ltbench.data.loading.batches import Batches, LoaderConfig
from ltbench.views import Views

CLASSES = 8142
FILES = 200
BATCH = 128
REPEATS = 7


def write_list(folder: Path, rows: int) -> Path:
    """Writes the images and a list of them; a row takes 64 bytes, as in iNaturalist's."""
    random = np.random.default_rng(0)
    names = [f"train_val2018/Plantae/{number:04}/{number:032x}.jpg" for number in range(FILES)]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((500, 375)).save(folder / name, quality=90)
    labels = random.integers(0, CLASSES, rows).tolist()
    path = folder / "train.txt"
    path.write_text("".join(f"{names[row % FILES]} {label}\n" for row, label in enumerate(labels)))
    return path


def own_memory(pid: int) -> float:
    """Returns the memory that a process shares with no other process, in MiB (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def whole(sizes: np.ndarray, epoch: int, draws: np.ndarray) -> Views:
    """Returns one view of each image: the whole image."""
    boxes = np.concatenate([np.zeros_like(sizes), sizes], axis=1)
    return Views(boxes[:, None].astype(np.float64), None)


def watch_workers(dataset: Dataset, workers: int, images: int) -> list[tuple[int, float]]:
    """Returns the largest own memory of a worker at ten times of the loading."""
    loader_config = LoaderConfig(torch.device("cpu"), workers, skip_corrupt=False)
    batches = Batches(dataset, "train", whole, 224, loader_config)
    order = np.random.default_rng(0).permutation(len(dataset.splits["train"]))[:images]
    seen: list[tuple[int, float]] = []
    done, every = 0, images // 10
    for batch in batches.of((0, part) for part in np.array_split(order, images // BATCH)):
        done += len(batch.labels)
        if done >= every * (len(seen) + 1):
            children = [child.pid for child in multiprocessing.active_children() if child.pid]
            seen.append((done, max(map(own_memory, children))))
    return seen


def main() -> None:
    """Prints times and memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=437_513)
    parser.add_argument("--images", type=int, default=12_800, help="gone through by the workers")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = write_list(Path(folder), options.rows)
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            list_identity(path)
            names, labels = read_list(path, CLASSES)
            split = Split(FileImages(Path(folder), names), labels)
            dataset = Dataset(tuple(map(str, range(CLASSES))), {"train": split, "test": split})
            seconds.append(time.perf_counter() - start)
        print(f"{options.rows:,} rows, {path.stat().st_size / 2**20:.1f} MiB")
        print(
            f"identity, index and data set: first {seconds[0]:.2f} s, then median "
            f"{statistics.median(seconds[1:]):.2f} s; paths {names.nbytes / 2**20:.1f} MiB"
        )
        for done, memory in watch_workers(dataset, options.workers, options.images):
            print(f"after {done:>7,} images: {memory:6.1f} MiB of its own in the largest worker")


if __name__ == "__main__":
    main()
