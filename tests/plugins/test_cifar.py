from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltbench.contexts import DataContext
from ltbench.data import ArrayImages, Dataset, Preparation
from ltbench.errors import DataError
from ltbench_plugins.datasets.cifar import CIFAR10_LT, CIFAR100_LT, Cifar, CifarConfig
from ltbench_plugins.datasets.parts.cifar_files import CIFAR_10, CIFAR_100, CifarFiles
from tests import parity, trees_cifar
from tests.covered import value_of

SMALL = Cifar("cifar100_lt", trees_cifar.small(CIFAR_100))
BOTH = pytest.mark.parametrize(
    "files", [trees_cifar.small(CIFAR_100), trees_cifar.small(CIFAR_10)], ids=["100", "10"]
)


def preparation(root: Path, cifar: Cifar, source: Path | None = None) -> Preparation:
    return Preparation(root / cifar.name, source, None, lambda text: None)


def placed(root: Path, cifar: Cifar = SMALL) -> Path:
    return trees_cifar.write(root / cifar.name / "download" / cifar.files.folder, cifar.files)


def train_indices(dataset: Dataset) -> np.ndarray:
    images = dataset.splits["train"].images
    assert isinstance(images, ArrayImages)
    return trees_cifar.indices(images.pixels)


@value_of("dataset", "cifar100_lt")
def test_full_size_cifar100_lt_is_the_published_selection(tmp_path: Path) -> None:
    """From 184 MB of files in the real layout, whose labels are the reference's made-up ones."""
    folder = trees_cifar.write(tmp_path / "cifar-100-binary", CIFAR_100)
    assert (folder / "train.bin").stat().st_size == 50_000 * (2 + 3 * 32 * 32)
    prepared = Preparation(tmp_path / "data/cifar100_lt", tmp_path, None, lambda text: None)
    assert CIFAR100_LT.prepare is not None
    CIFAR100_LT.prepare(CifarConfig(), prepared)
    ctx = DataContext(tmp_path / "data", data_seed=0)
    CIFAR100_LT.check(CifarConfig(), ctx)
    for ratio, expected in parity.facts()["cifar100_lt"].items():
        dataset = CIFAR100_LT.build(CifarConfig(ratio=float(ratio)), ctx)
        assert dataset.class_counts.tolist() == expected["counts"]
        selected = train_indices(dataset)
        assert selected[:10].tolist() == expected["selected_head"]
        assert hashlib.sha256(selected.tobytes()).hexdigest() == expected["selected_sha256"]
        assert np.bincount(dataset.splits["test"].labels).tolist() == [100] * 100
        assert set(dataset.splits) == {"train", "test"}
    groups = [int((dataset.class_counts < few).sum()) for few in (20, 101)]
    assert groups[0] == 0  # at ratio 10 no class is few-shot
    made = r"sha256:[0-9a-f]{64} content:[0-9a-f]{64}"
    assert re.fullmatch(made, CIFAR100_LT.identity(CifarConfig(), ctx))


@value_of("dataset", "cifar10_lt")
def test_cifar10_lt_falls_from_5000_to_50() -> None:
    """The counts that the literature gives for ratio 100."""
    from ltbench.data import exponential_counts

    counts = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert exponential_counts(10, CIFAR_10.images_per_class["train"], 100) == counts
    assert CIFAR_10.splits["train"][4] == "data_batch_5.bin"


@BOTH
@value_of("dataset", "cifar100_lt", "cifar10_lt")
def test_images_and_labels_are_those_of_the_files(tmp_path: Path, files: CifarFiles) -> None:
    cifar = Cifar("cifar", files)
    folder, ctx = placed(tmp_path, cifar), DataContext(tmp_path, 0)
    parts = [np.fromfile(folder / name, np.uint8) for name in files.splits["train"]]
    records = np.concatenate(parts).reshape(-1, files.label_bytes + 3072)
    records[:, files.label_bytes :] = np.random.default_rng(0).integers(0, 256, (1, 3072))
    start = 0
    for name, part in zip(files.splits["train"], parts, strict=True):
        stop = start + len(part) // (files.label_bytes + 3072)
        records[start:stop].tofile(folder / name)
        start = stop
    dataset = cifar.build(CifarConfig(ratio=1), ctx)
    assert dataset.class_counts.tolist() == [20] * files.num_classes
    assert dataset.class_names[:2] == ("class_0", "class_1")
    image = dataset.splits["train"].images.read(7)
    # red, green and blue planes, row by row
    for channel, row, column in ((0, 0, 0), (1, 0, 31), (2, 31, 4)):
        at = files.label_bytes + 1024 * channel + 32 * row + column
        assert image[row, column, channel] == records[0, at]


@BOTH
def test_the_subset_is_of_the_right_classes(tmp_path: Path, files: CifarFiles) -> None:
    cifar = Cifar("cifar", files)
    placed(tmp_path, cifar)
    classes = trees_cifar.labels(files)
    dataset = cifar.build(CifarConfig(ratio=20), DataContext(tmp_path, 0))
    assert dataset.class_counts[0] == 20
    assert dataset.class_counts[-1] == 1
    for split, part in dataset.splits.items():
        assert isinstance(part.images, ArrayImages)
        of_files = classes[split][trees_cifar.indices(part.images.pixels)]
        assert np.array_equal(part.labels, of_files)
    other = cifar.build(CifarConfig(ratio=20), DataContext(tmp_path, 1))
    assert not np.array_equal(train_indices(dataset), train_indices(other))


def test_the_identity_is_that_of_labels_and_names(tmp_path: Path) -> None:
    folder, ctx = placed(tmp_path), DataContext(tmp_path, 0)
    first = SMALL.identity(CifarConfig(), ctx)
    assert SMALL.identity(CifarConfig(ratio=10), DataContext(tmp_path, 7)) == first
    trees_cifar.write(folder, SMALL.files, trees_cifar.labels(SMALL.files, seed=1))
    second = SMALL.identity(CifarConfig(), ctx)
    names = (folder / "fine_label_names.txt").read_text()
    (folder / "fine_label_names.txt").write_text(names.replace("class_7\n", "seven\n"))
    assert len({first, second, SMALL.identity(CifarConfig(), ctx)}) == 3


def cut(folder: Path) -> None:
    content = (folder / "train.bin").read_bytes()
    (folder / "train.bin").write_bytes(content[:-100])


def lengthen(folder: Path) -> None:
    with (folder / "test.bin").open("ab") as file:
        file.write(b"more")


def empty(folder: Path) -> None:
    (folder / "train.bin").write_bytes(b"")


def relabel(folder: Path) -> None:
    classes = trees_cifar.labels(SMALL.files)
    classes["train"][classes["train"] == 3] = 4
    trees_cifar.write(folder, SMALL.files, classes)


def mislabel(folder: Path) -> None:
    classes = trees_cifar.labels(SMALL.files)
    classes["test"][0] = 203
    trees_cifar.write(folder, SMALL.files, classes)


def rename(folder: Path) -> None:
    (folder / "fine_label_names.txt").write_text("apple\napple\n")


def remove(folder: Path) -> None:
    (folder / "test.bin").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "train.bin is truncated: expected 6,148,000 bytes, got 6,147,900"),
        (lengthen, "test.bin is too long: expected 1,537,000 bytes, got 1,537,004"),
        (empty, "train.bin is truncated: expected 6,148,000 bytes, got 0"),
        (relabel, "class 3 in the train files: expected 20 images, got 0"),
        (mislabel, "expected labels in 0..99, got 203"),
        (rename, "expected 100 class names, got 1"),
        (remove, "test.bin does not exist"),
    ],
)
def test_damaged_files_are_told(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(placed(tmp_path))
    with pytest.raises(DataError, match=message) as raised:
        SMALL.build(CifarConfig(), DataContext(tmp_path, 0))
    assert raised.value.hint


def test_without_files_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="download does not exist") as raised:
        CIFAR10_LT.check(CifarConfig(), DataContext(tmp_path, 0))
    assert "ltbench data prepare cifar10_lt" in raised.value.hint


@pytest.mark.parametrize("named", ["folder", "above"])
def test_a_folder_is_linked(tmp_path: Path, named: str) -> None:
    folder = trees_cifar.write(tmp_path / "downloads/cifar-100-binary", SMALL.files)
    source = folder if named == "folder" else folder.parent
    for _ in range(2):  # a second time changes nothing
        SMALL.prepare(CifarConfig(), preparation(tmp_path / "data", SMALL, source))
    download = tmp_path / "data/cifar100_lt/download"
    assert download.is_symlink()
    assert [path.name for path in download.parent.iterdir()] == ["download"]
    SMALL.prepare(CifarConfig(), preparation(tmp_path / "data", SMALL))  # is there: no fetching
    dataset = SMALL.build(CifarConfig(), DataContext(tmp_path / "data", 0))
    assert dataset.num_classes == 100


def archived(cifar: Cifar, archive: Path) -> Cifar:
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    return replace(cifar, files=replace(cifar.files, md5=md5))


def test_an_archive_is_unpacked(tmp_path: Path) -> None:
    folder = trees_cifar.write(tmp_path / "made", SMALL.files)
    archive = trees_cifar.pack(folder, tmp_path / "cifar-100-binary.tar.gz", "cifar-100-binary")
    cifar = archived(SMALL, archive)
    cifar.prepare(CifarConfig(), preparation(tmp_path / "data", cifar, archive))
    whole = (tmp_path / "data/cifar100_lt/download/cifar-100-binary/train.bin").read_bytes()
    assert whole == (folder / "train.bin").read_bytes()
    assert archive.exists()
    with pytest.raises(DataError, match="download already exists"):
        cifar.prepare(CifarConfig(), preparation(tmp_path / "data", cifar, archive))


def test_without_a_source_the_archive_is_fetched_and_unpacked(tmp_path: Path) -> None:
    folder = trees_cifar.write(tmp_path / "made", SMALL.files)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    archive = trees_cifar.pack(folder, mirror / SMALL.files.archive, "cifar-100-binary")
    cifar = archived(SMALL, archive)
    target = Preparation(tmp_path / "cifar100_lt", None, str(mirror), lambda text: None)
    cifar.prepare(CifarConfig(), target)
    assert [path.name for path in target.folder.iterdir()] == ["download"]
    assert cifar.build(CifarConfig(), DataContext(tmp_path, 0)).num_classes == 100


def test_another_archive_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-100-binary.tar.gz"
    archive.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(DataError, match=r"expected MD5 03b5dce0\w{24} .*, got \w{32}") as raised:
        SMALL.prepare(CifarConfig(), preparation(tmp_path / "data", SMALL, archive))
    assert "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz" in raised.value.hint
    assert not (tmp_path / "data").exists()


def test_a_path_out_of_the_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-100-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("cifar-100-binary/readme.html"), io.BytesIO())
        packed.addfile(tarfile.TarInfo("../../evil"), io.BytesIO())
    cifar = archived(SMALL, archive)
    with pytest.raises(DataError, match=r"'\.\./\.\./evil' is outside the destination"):
        cifar.prepare(CifarConfig(), preparation(tmp_path / "data", cifar, archive))
    assert not list((tmp_path / "data/cifar100_lt").iterdir())
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cifar-100-python.tar.gz", lambda path: path.write_bytes(b"")),
        ("downloads/cifar-100-python/meta", lambda path: path.write_bytes(b"")),
        ("cifar-100-python/meta", lambda path: path.write_bytes(b"")),
    ],
)
def test_the_python_version_is_not_loaded(
    tmp_path: Path, name: str, make: Callable[[Path], int]
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    source = path if path.suffix == ".gz" else tmp_path / Path(name).parts[0]
    with pytest.raises(DataError, match="Python version: expected the binary") as raised:
        SMALL.prepare(CifarConfig(), preparation(tmp_path / "data", SMALL, source))
    assert "cifar-100-binary.tar.gz" in raised.value.hint


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere cannot be read: No such file"):
        SMALL.prepare(CifarConfig(), preparation(tmp_path, SMALL, tmp_path / "nowhere"))
