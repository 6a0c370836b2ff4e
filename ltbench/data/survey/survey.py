"""Survey of a folder of class folders: its images, their faults, and a split of the sound ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.class_folders import ClassFolders, scan_class_folders
from ltbench.data.content_digests import ABSENT, Digests, file_digests
from ltbench.data.drawn_splits import DEFAULT_TEST_SHARE, Amount, draw_splits
from ltbench.data.folder_layout import UNDIVIDED
from ltbench.data.images import FileImages
from ltbench.data.survey.examination import Examination, examine
from ltbench.data.survey.list_rules import class_labels, path_fault
from ltbench.data.survey.similar import similar_images
from ltbench.errors import ConfigError, DataError
from ltbench.progress import ProgressReporter

SPLITS = ("test", "val", "train")
"""Splits in the order in which they keep an image that occurs more than once."""


@dataclass(frozen=True)
class SimilarPair:
    """An image that looks like a training image, and the one that it is most like.

    Args:
        train: Path of the training image.
        other: Path of the image in another split.
        split: Name of the other split.
        distance: Number of bits of 64 in which their perceptual hashes differ.
    """

    train: str
    other: str
    split: str
    distance: int


@dataclass(frozen=True)
class Survey:
    """A folder of class folders, as it is found.

    Args:
        root: The folder.
        class_names: Names of the K classes that have images.
        paths: Paths of the N sound images below the folder, class by class.
        labels: Class ids, (N,).
        splits: Split of each image as an index into `SPLITS`, (N,).
        drawn: Names of the splits that were drawn.
        unreadable: Path -> reason for files that cannot be read, and for folders without images.
        repeated: Path -> path of the image with the same bytes that is kept; empty where the two
            have different classes, and neither is kept.
        similar: Images that look like a training image; None where they were not compared.
        notes: Sentences on ignored files.
    """

    root: Path
    class_names: tuple[str, ...]
    paths: tuple[str, ...]
    labels: NDArray[np.int64]
    splits: NDArray[np.int8]
    drawn: tuple[str, ...]
    unreadable: dict[str, str]
    repeated: dict[str, str]
    similar: tuple[SimilarPair, ...] | None
    notes: tuple[str, ...]

    def counts(self, split: str) -> NDArray[np.int64]:
        """Returns the images of each class in a split, (K,)."""
        labels = self.labels[self.splits == SPLITS.index(split)]
        return np.bincount(labels, minlength=len(self.class_names)).astype(np.int64)


def survey_folder(
    root: Path,
    *,
    test: Amount | None,
    val: Amount | None,
    data_seed: int,
    similar: bool,
    processes: int,
    progress: ProgressReporter,
) -> Survey:
    """Checks a folder: reads each file once for its digest, and decodes each content once.

    Files that cannot be read are left out, and so are all but one image with the same bytes, and
    all of them where they have different classes. Splits that the folder does not have are drawn.

    Args:
        root: Folder with CLASS/, or with train/CLASS/ and others.
        test: Test images to draw of each class; a share where None and the folder has no test/.
        val: Validation images to draw of each class; None for no such split.
        data_seed: Seed of the draw.
        similar: Whether other images are compared with training images by perceptual hashes.
        processes: Number of processes that decode images.
        progress: Progress reporter.

    Raises:
        ConfigError: A split is to be drawn that the folder has.
        DataError: The folder has no classes with images, two classes that a list cannot tell, or no
            class with an image for test.
    """
    tree = scan_class_folders(root, collect_faults=True, given="ltbench data new ")
    _expect_undivided(tree, root, {"test": test, "val": val})
    class_labels(tree.class_names)  # before the work: a list could not name two classes alike
    files = _Files.of(tree)
    unreadable = dict(tree.faults)
    sound = np.ones(len(files.labels), dtype=bool)
    for row, path in enumerate(files.names):
        fault = path_fault(path)
        if fault:
            unreadable[path], sound[row] = fault, False
    digests = file_digests(root, files.paths, progress)
    group, first = _contents(digests)
    looked = examine(
        FileImages(root, files.paths.take(first)), processes, progress, perceptual=similar
    )
    for row, fault in _faults(looked, group):
        unreadable[files.names[row]] = fault
        sound[row] = False
    repeated, kept = _without_repeats(files, group, sound)
    chosen = np.flatnonzero(kept)
    if not len(chosen):
        raise DataError(
            f"{root} has no image that can be read", hint="see the files: are they images?"
        )
    present, labels = np.unique(files.labels[chosen], return_inverse=True)
    splits, drawn = _split(files.given[chosen], labels, test, val, data_seed)
    if not (splits == SPLITS.index("test")).any():
        raise DataError(
            f"{root} has no test images: none of its classes has two images to draw one from",
            hint="add images: a class needs two, one for training and one for test",
        )
    names = tuple(files.names[row] for row in chosen)
    pairs = None
    if looked.hashes is not None:
        pairs = _similar(looked.hashes[group[chosen]], splits, names)
    return Survey(
        root=root,
        class_names=tuple(tree.class_names[label] for label in present),
        paths=names,
        labels=labels.astype(np.int64),
        splits=splits,
        drawn=drawn,
        unreadable=dict(sorted(unreadable.items())),
        repeated=dict(sorted(repeated.items())),
        similar=pairs,
        notes=(*tree.notes, *_nested_note(tree)),
    )


@dataclass(frozen=True)
class _Files:
    """All image files: paths, class ids (N,), and their splits as indices, -1 where none, (N,)."""

    names: list[str]
    paths: Any
    labels: NDArray[np.int64]
    given: NDArray[np.int8]

    @classmethod
    def of(cls, tree: ClassFolders) -> _Files:
        import pyarrow as pa

        names = [path for part in tree.parts.values() for path in part.files]
        labels = np.concatenate([part.labels for part in tree.parts.values()])
        ids = [-1 if name == UNDIVIDED else SPLITS.index(name) for name in tree.parts]
        given = np.repeat(np.array(ids, np.int8), [len(part.files) for part in tree.parts.values()])
        return cls(names, pa.array(names, pa.string()), labels, given)


def _expect_undivided(tree: ClassFolders, root: Path, drawn: dict[str, Amount | None]) -> None:
    for split, amount in drawn.items():
        if amount is not None and split in tree.parts:
            raise ConfigError(
                f"--{split}: {root} has a {split} split",
                hint=f"leave --{split} out, which draws a missing split",
            )


def _contents(digests: Digests) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the content of each file, (N,), and a file with each content, (M,).

    Files without a digest, which cannot be read, have a content each.
    """
    keys = np.ascontiguousarray(digests).view(f"V{digests.shape[1]}").ravel()
    absent = np.flatnonzero(keys == np.frombuffer(ABSENT, keys.dtype)[0])
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    group = group.astype(np.int64)
    group[absent[1:]] = len(first) + np.arange(max(0, len(absent) - 1))
    return group, np.concatenate([first, absent[1:]]).astype(np.int64)


def _faults(looked: Examination, group: NDArray[np.int64]) -> list[tuple[int, str]]:
    """Returns row and fault of each file whose content cannot be decoded."""
    bad = np.flatnonzero(np.isin(group, list(looked.faults)))
    return [(int(row), looked.faults[int(group[row])]) for row in bad]


def _without_repeats(
    files: _Files, group: NDArray[np.int64], sound: NDArray[np.bool_]
) -> tuple[dict[str, str], NDArray[np.bool_]]:
    """Returns the images that are left out because others have the same bytes, and a mask."""
    kept = sound.copy()
    repeated: dict[str, str] = {}
    rows = np.flatnonzero(sound)
    order = rows[np.lexsort((rows, files.given[rows], group[rows]))]
    starts = np.flatnonzero(np.diff(group[order], prepend=-1, append=-1))
    for start, end in pairwise(starts.tolist()):
        if end - start == 1:
            continue
        members = order[start:end].tolist()
        mixed = len({int(files.labels[row]) for row in members}) > 1
        for row in members if mixed else members[1:]:
            kept[row] = False
            repeated[files.names[row]] = "" if mixed else files.names[members[0]]
    return repeated, kept


def _split(
    given: NDArray[np.int8],
    labels: NDArray[np.int64],
    test: Amount | None,
    val: Amount | None,
    data_seed: int,
) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """Returns the split of each image, (N,), and the names of the drawn splits."""
    splits = given.copy()
    train = SPLITS.index("train")
    pool = np.flatnonzero((given < 0) | (given == train))
    if test is None and not (given == SPLITS.index("test")).any():
        test = DEFAULT_TEST_SHARE
    splits[pool] = train
    members = draw_splits(labels[pool], test, val, data_seed)
    for name, at in members.items():
        splits[pool[at]] = SPLITS.index(name)
    return splits, tuple(name for name in members if name != "train")


def _similar(
    hashes: NDArray[np.uint8], splits: NDArray[np.int8], names: Sequence[str]
) -> tuple[SimilarPair, ...]:
    train = np.flatnonzero(splits == SPLITS.index("train"))
    found: list[SimilarPair] = []
    for name in SPLITS[:-1] if len(train) else ():
        rows = np.flatnonzero(splits == SPLITS.index(name))
        ones, others, distances = similar_images(hashes[rows], hashes[train])
        for one, other, distance in zip(ones, others, distances, strict=True):
            pair = SimilarPair(names[train[other]], names[rows[one]], name, int(distance))
            found.append(pair)
    return tuple(sorted(found, key=lambda pair: (pair.distance, pair.other, pair.train)))


def _nested_note(tree: ClassFolders) -> tuple[str, ...]:
    if not tree.nested:
        return ()
    return (
        f"images in {len(tree.nested):,} subfolders belong to the class folder above them, such as "
        f"{min(tree.nested)}",
    )
