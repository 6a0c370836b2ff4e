"""Images of the user's: what identifies them, which are read, and which may be in two splits."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltbench.data import IMAGE_EXTENSIONS, verify
from ltbench.errors import DataError
from ltbench.specs import DatasetSpec
from ltbench_plugins.datasets.csv import CSV
from ltbench_plugins.datasets.folder import FOLDER
from tests.conftest import Ended
from tests.plugins.test_generic_datasets import (
    COUNTS,
    build,
    check,
    identity,
    names,
    write_csv,
)

Cli = Callable[..., Ended]
RUN = ("--epochs", "1", "--workers", "0", "--precision", "fp32", "--inference", "center", "--json")


def bitmaps(root: Path, counts: dict[str, dict[str, int]], seed: int = 0) -> Path:
    """Writes images whose size in bytes says nothing about their pixels."""
    random = np.random.default_rng(seed)
    for split, classes in counts.items():
        for name, count in classes.items():
            (root / split / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = random.integers(0, 256, (9, 9, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.bmp")
    return root


def listed(root: Path) -> Path:
    """Writes a CSV file of all images in class folders."""
    rows = [
        f"{path.relative_to(root)},{path.parent.name},{path.parent.parent.name}"
        for path in sorted(root.rglob("*.*"))
        if path.is_file() and path.suffix != ".csv"
    ]
    return write_csv(root, "path,label,split\n" + "\n".join(rows))


@pytest.mark.parametrize("digest", ["content", "sampled"])
@pytest.mark.parametrize("spec", [FOLDER, CSV])
def test_other_pixels_are_another_identity(tmp_path: Path, spec: DatasetSpec, digest: str) -> None:
    root = bitmaps(tmp_path / "a", COUNTS)
    path = root if spec is FOLDER else listed(root)
    before = identity(spec, path=path, digest=digest)
    assert digest in before
    changed = root / "train/cat/1.bmp"
    status = changed.stat()
    bitmaps(root, {"train": {"cat": 2}}, seed=7)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))  # as copying tools do
    assert changed.stat().st_size == status.st_size
    after = identity(spec, path=path, digest=digest)
    assert after != before
    copy = shutil.copytree(root, tmp_path / "b")
    assert identity(spec, path=copy if spec is FOLDER else listed(copy), digest=digest) == after


@pytest.mark.parametrize("spec", [FOLDER, pytest.param(CSV, marks=pytest.mark.full)])
def test_replaced_images_are_another_run(cli: Cli, tmp_path: Path, spec: DatasetSpec) -> None:
    root = bitmaps(tmp_path / "set", {"train": {"a": 6, "b": 3}, "test": {"a": 2, "b": 2}})
    path = root if spec is FOLDER else listed(root)
    options = ("--dataset", spec.name, "--set", f"dataset.path={path}", *RUN)
    first = cli("run", *options)
    assert first.code == 0, first.err
    assert cli("run", *options).json["hash"] == first.json["hash"]
    bitmaps(root, {"test": {"a": 2, "b": 2}}, seed=7)
    second = cli("run", *options, "--method", "full")
    assert second.code == 0, second.err
    again = cli("run", *options)
    assert again.json["hash"] != first.json["hash"]
    told = cli("compare", first.json["directory"], second.json["directory"])
    assert told.code == 2
    assert "were not tested on the same images (identity of the data set" in told.err


def test_images_of_every_common_format_are_read(tmp_path: Path) -> None:
    root = bitmaps(tmp_path, COUNTS)
    form = {".jfif": "JPEG", ".gif": "GIF", ".avif": "AVIF", ".jp2": "JPEG2000", ".TGA": "TGA"}
    for number, (suffix, name) in enumerate(form.items()):
        picture = Image.fromarray(np.full((8, 8, 3), 20 * number, np.uint8))
        picture.save(root / f"train/cat/new{suffix}", name)
    dataset = build(FOLDER, path=root)
    assert dataset.class_counts.tolist() == [3, 4 + len(form)]
    assert not list(verify.broken_images(dataset, 1, lambda images: None))
    assert not dataset.notes


def test_every_raster_format_of_the_decoder_is_known() -> None:
    Image.init()
    others = {"BLP", "BUFR", "CUR", "DCX", "DDS", "EPS", "FITS", "FLI", "FTEX", "GBR", "GRIB"}
    others |= {"HDF5", "ICNS", "IM", "IPTC", "MPEG", "MSP", "PCD", "PIXAR", "PSD", "SUN", "WMF"}
    others |= {"XBM", "XPM", "SGI", "TGA", "AVIF"}  # of these the usual endings
    known = {end for end, form in Image.EXTENSION.items() if form in Image.OPEN.keys() - others}
    assert known <= set(IMAGE_EXTENSIONS)


def test_what_is_left_aside_is_counted_and_named(cli: Cli, tmp_path: Path) -> None:
    root = bitmaps(tmp_path / "set", {"train": {"a": 6, "b": 3}, "test": {"a": 2, "b": 2}})
    for name in ("train/a/x.HEIC", "train/b/y.heic", "test/a/notes", "train/b/.hidden.heic"):
        (root / name).write_bytes(b"")
    shutil.copy(root / "train/a/0.bmp", root / "train/loose.bmp")
    notes = build(FOLDER, path=root).notes
    assert "files ignored: 3, " in notes[0]
    assert "2 with .heic such as train/a/x.HEIC, 1 with no ending such as test/a/notes" in notes[0]
    assert "images ignored: 1, in no class folder: train/loose.bmp" in notes[1]
    options = ("--dataset", "folder", "--set", f"dataset.path={root}")
    assert notes[0] in cli("run", *options, *RUN).json["warnings"]
    assert "files ignored: 3, " in cli("data", "verify", *options[1:]).out


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a.jpg,x,train\na.jpg,x,test", r":3: 'a\.jpg' is in train and in test, first in line 2"),
        ("a.jpg,x,train\nb.jpg,x,test\nb.jpg,x,val", r":4: 'b\.jpg' is in test and in val"),
        ("a.jpg,x,train\nb.jpg,x,test\na.jpg,x,val", r":4: 'a\.jpg' is in train and in val"),
        ("b.jpg,x,test\n" + "a.jpg,x,train\n" * 12, r":4: .* in train twice.*\(11 such lines\)"),
    ],
)
def test_a_list_has_an_image_once_in_all_of_its_splits(
    tmp_path: Path, rows: str, said: str
) -> None:
    path = write_csv(tmp_path, f"path,label,split\n{rows}\n")
    with pytest.raises(DataError, match=said) as raised:
        build(CSV, path=path)
    assert "dataset.duplicates=drop" in raised.value.hint


@pytest.mark.parametrize("spec", [FOLDER, CSV])
@pytest.mark.parametrize(
    ("first", "second"), [("test", "train"), ("val", "train"), ("test", "val")]
)
def test_two_splits_share_no_content(
    tmp_path: Path, spec: DatasetSpec, first: str, second: str
) -> None:
    root = bitmaps(tmp_path, {**COUNTS, "val": {"ant": 2, "cat": 2}})
    shutil.copy(root / first / "ant/0.bmp", root / second / "ant/copy.bmp")
    path = root if spec is FOLDER else listed(root)
    said = rf"{first} and {second} share 1 image \({first}/ant/0.bmp = {second}/ant/copy.bmp\)"
    with pytest.raises(DataError, match=said):
        build(spec, path=path)
    kept = build(spec, path=path, duplicates="keep")
    assert f"{first} and {second} share 1 image" in kept.notes[-1]
    dropped = build(spec, path=path, duplicates="drop")
    assert f"{second}/ant/copy.bmp" not in names(dropped, second)
    assert f"{first}/ant/0.bmp" in names(dropped, first)
    assert "1 image left out" in dropped.notes[-1]


def test_an_image_counts_once_and_has_one_class(tmp_path: Path) -> None:
    root = bitmaps(tmp_path, COUNTS)
    for number in range(3):
        shutil.copy(root / "train/ant/0.bmp", root / f"train/ant/again{number}.bmp")
    shutil.copy(root / "train/ant/1.bmp", root / "train/cat/x.bmp")
    with pytest.raises(DataError, match=r"train repeats 4 images \("):
        build(FOLDER, path=root)
    dropped = build(FOLDER, path=root, duplicates="drop")
    assert names(dropped, "train")[:2] == [
        "train/ant/0.bmp",
        "train/ant/2.bmp",
    ]  # 1 has two classes
    assert dropped.class_counts.tolist() == [2, 4]
    for number in range(4):
        shutil.copy(root / f"train/cat/{number}.bmp", root / f"train/ant/c{number}.bmp")
    with pytest.raises(DataError, match="class 'cat' has no training image that is not also in"):
        build(FOLDER, path=root, duplicates="drop")


def test_damaged_files_are_no_duplicates(tmp_path: Path) -> None:
    root = bitmaps(tmp_path, COUNTS)
    for name in ("train/ant/0.bmp", "train/ant/1.bmp", "test/cat/0.bmp"):
        (root / name).write_bytes(b"<html>not found</html>")
    assert len(build(FOLDER, path=root).splits["train"]) == 7


def test_a_deep_look_lists_all_duplicates(cli: Cli, tmp_path: Path) -> None:
    root = bitmaps(tmp_path / "set", COUNTS)
    for number in range(2):
        shutil.copy(root / f"test/ant/{number}.bmp", root / f"train/ant/copy{number}.bmp")
    options = ("data", "verify", "folder", "--deep", "--set", f"dataset.path={root}")
    ended = cli(*options)
    assert ended.code == 4
    assert "test and train share 2 images" in ended.err
    ended = cli(*options, "--set", "dataset.duplicates=keep")
    assert ended.code == 0, ended.err
    rows = (tmp_path / "folder-duplicates.csv").read_text().splitlines()
    assert rows[0] == "first_split,first,second_split,second"
    assert rows[1:] == [
        f"test,test/ant/{number}.bmp,train,train/ant/copy{number}.bmp" for number in range(2)
    ]


def test_class_folders_are_one_in_every_form_of_unicode(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))
    root = bitmaps(tmp_path, {"train": {apart: 2, "tea": 2}, "test": {composed: 1, "tea": 1}})
    dataset = build(FOLDER, path=root)
    assert dataset.class_names == (composed, "tea")
    assert f"compared in normal form C: test/{composed}" in dataset.notes[0]
    assert dataset.splits["test"].labels.tolist() == [0, 1]
    bitmaps(root, {"train": {composed: 1}})
    with pytest.raises(DataError, match="two folders named 'Café', in different forms of Unicode"):
        build(FOLDER, path=root)


def test_labels_are_one_in_every_form_of_unicode(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))
    rows = f"a.jpg,{apart},train\nb.jpg,tea,train\nc.jpg,{composed},test\n"
    dataset = build(CSV, path=write_csv(tmp_path, f"path,label,split\n{rows}"))
    assert dataset.class_names == (composed, "tea")
    assert "compared in normal form C" in dataset.notes[0]


def test_paths_of_windows_are_told(tmp_path: Path) -> None:
    bitmaps(tmp_path / "x", COUNTS)
    rows = "x/train/cat/0.bmp,cat,train\nx\\train\\cat\\1.bmp,cat,train\nx/test/cat/0.bmp,cat,test"
    path = write_csv(tmp_path, f"path,label,split\n{rows}\n")
    with pytest.raises(DataError, match=r"list\.csv:3: .* has backslashes, and no file") as raised:
        check(CSV, path=path)
    assert raised.value.hint == "write paths with /, which finds this image"


def test_hidden_labels_are_told(tmp_path: Path) -> None:
    rows = "a.jpg,0,train\nb.jpg,1,train\nc.jpg,-1,test\n"
    path = write_csv(tmp_path, f"path,label,split\n{rows}")
    with pytest.raises(DataError, match="label -1, which means a hidden label"):
        build(CSV, path=path)
    both = write_csv(tmp_path, f"path,label,split\n{rows}d.jpg,-1,train\n")
    assert set(build(CSV, path=both).class_names) == {"-1", "0", "1"}  # a class like others
