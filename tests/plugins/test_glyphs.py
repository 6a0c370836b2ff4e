"""Counts, fonts, names and pictures of glyphs_lt."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.pretrain.concepts import PHOTO, concepts
from ltbench.contexts import BackboneContext, DataContext
from ltbench.data import ArrayImages, Dataset
from ltbench.errors import DataError
from ltbench.specs import NoOptions
from ltbench_plugins.backbones.clip_tiny import CLIP_TINY
from ltbench_plugins.datasets.glyphs_lt import COUNTS, GLYPHS_LT, SHEET, read_sheet
from tests.covered import value_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def glyphs(data_seed: int = 0, **options: float) -> Dataset:
    built: Dataset = GLYPHS_LT.build(GLYPHS_LT.config(**options), DataContext(Path(), data_seed))
    return built


def pixels(dataset: Dataset, split: str) -> np.ndarray:
    images = dataset.splits[split].images
    assert isinstance(images, ArrayImages)
    return images.pixels


def rows(path: str) -> list[dict[str, str]]:
    with (BENCHMARKS / path).open(newline="") as loader:
        return list(csv.DictReader(loader))


def kind(name: str) -> str:
    known = {concept.name: concept for concept in concepts()}
    return "capital" if name.startswith("capital") else known[name].kind


@value_of("dataset", "glyphs_lt")
def test_glyphs_lt_falls_a_hundredfold() -> None:
    counts = glyphs().class_counts
    # floor(200 * 100^(-k / 68)): every 34 classes a tenth
    assert counts[[0, 17, 34, 51, 68]].tolist() == [200, 63, 20, 6, 2]
    # 100 falls between the classes 10 and 11: 68 * log_100(2) = 10.2
    groups = counts > 100, (counts >= 20) & (counts <= 100), counts < 20
    assert [int(group.sum()) for group in groups] == [11, 24, 34]


@value_of("dataset", "glyphs_lt")
def test_all_that_is_on_the_sheet_can_be_had() -> None:
    whole = glyphs(largest=250, ratio=20)
    assert whole.class_counts.tolist() == COUNTS["train"]
    assert whole.class_counts[[0, 68]].tolist() == [250, 12]  # 12.5
    total = sum(len(split) for split in whole.splits.values())
    assert total == whole.class_counts.sum() + 69 * (20 + 30)
    sheet = read_sheet(SHEET)
    with Image.open(SHEET) as image:  # 64 pictures a row
        assert np.array_equal(sheet[66], np.asarray(image.crop((64, 32, 96, 64))))
    assert 0 <= len(sheet) - total < 64
    assert not sheet[total:].any()
    pictures = np.concatenate([pixels(whole, split) for split in ("train", "val", "test")])
    assert (pictures == pictures[..., :1]).all()
    grey = {picture.tobytes() for picture in pictures[..., 0]}
    assert grey == {picture.tobytes() for picture in sheet[:total]}
    assert len(grey) == total  # no picture twice


def test_the_data_seed_chooses_training_pictures_alone() -> None:
    first, other = glyphs(data_seed=0), glyphs(data_seed=1)
    assert not np.array_equal(pixels(first, "train"), pixels(other, "train"))
    for split, each in (("val", 20), ("test", 30)):
        assert np.array_equal(pixels(first, split), pixels(other, split))
        assert np.bincount(first.splits[split].labels).tolist() == [each] * 69


def test_shot_groups_have_all_kinds_of_characters() -> None:
    dataset = glyphs()
    assert len(set(dataset.class_names)) == 69
    whole = Counter(map(kind, dataset.class_names))
    assert whole == {"digit": 10, "capital": 26, "letter": 16, "symbol": 17}
    for start, end in ((0, 11), (11, 35), (35, 69)):
        group = Counter(map(kind, dataset.class_names[start:end]))
        for each, number in whole.items():
            assert abs(group[each] - number * (end - start) / 69) < 1.1, each


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_clip_tiny_knows_pictures_by_their_names(split: str) -> None:
    dataset = glyphs()
    backbone = CLIP_TINY.build(NoOptions(), BackboneContext(seed=0))
    backbone.project()
    assert backbone.text is not None
    texts = backbone.text.encode([PHOTO.format(name) for name in dataset.class_names])
    some = slice(None, None, 8)
    images = torch.from_numpy(pixels(dataset, split)[some]).permute(0, 3, 1, 2)
    with torch.no_grad():
        guesses = (backbone(backbone.normalize(images)) @ texts.T).argmax(-1).numpy()
    assert (guesses == dataset.splits[split].labels[some]).mean() > 0.3  # by chance: 0.014


def test_fonts_are_disjoint() -> None:
    used = rows("glyphs/fonts.csv")
    reserved = [row for row in rows("pretrain/fonts.csv") if row["role"] == "reserved"]
    drawn = [row for row in rows("pretrain/fonts.csv") if row["role"] == "pretrain"]
    recorded = ("package", "family", "file", "licence", "sha256")
    assert sorted([row[k] for k in recorded] for row in used) == sorted(
        [row[k] for k in recorded] for row in reserved
    )
    for column in ("package", "family", "sha256", "design"):
        splits = [
            {row[column] for row in used if row["split"] == split}
            for split in ("train", "val", "test")
        ]
        assert len(set.union(*splits)) == sum(map(len, splits)), column
        assert column == "design" or set.union(*splits).isdisjoint(row[column] for row in drawn)
    designs = Counter(split for _, split in {(row["design"], row["split"]) for row in used})
    assert designs == {"train": 16, "val": 4, "test": 6}


def test_the_package_names_every_font_and_stays_small() -> None:
    text = SHEET.with_suffix(".md").read_text()
    table = dict(line.strip("| ").split(" | ", 1) for line in text.splitlines() if "| " in line)
    for licence, number in Counter(row["licence"] for row in rows("glyphs/fonts.csv")).items():
        families = {row["family"] for row in rows("glyphs/fonts.csv") if row["licence"] == licence}
        assert table[licence] == f"{number} | {', '.join(sorted(families))}"
    beside = SHEET.parent.glob("glyphs_lt*")
    assert sum(path.stat().st_size for path in beside) <= 3_000_000


def test_a_damaged_or_missing_sheet_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "glyphs_lt.png"
    with pytest.raises(DataError, match=r"glyphs_lt\.png cannot be read: No such file"):
        read_sheet(path)
    content = SHEET.read_bytes()
    for damaged in (content[:-100], content[:1000] + b"\0" + content[1001:], b""):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="is not the sheet of this version") as raised:
            read_sheet(path)
        assert raised.value.exit_code == 4
        assert "install ltbench again" in raised.value.hint
