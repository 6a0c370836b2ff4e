from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltbench import DataContext
from ltbench.data import Dataset, Preparation
from ltbench.errors import ConfigError, CorruptImageError, DataError
from ltbench_coco.annotations import Annotations
from ltbench_coco.dataset import CocoConfig, build, check, held_out, identity, prepare

CATEGORIES = [{"id": 7, "name": "alarm_clock"}, {"id": 3, "name": "bee"}, {"id": 9, "name": "none"}]
Boxes = list[tuple[int, int, list[float]]]


def write(
    path: Path, boxes: Boxes, photographs: int = 6, side: int = 20, **changes: Any
) -> CocoConfig:
    """Writes photographs whose red value is the column and whose green value is the row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = np.arange(side, dtype=np.uint8)
    for number in range(photographs):
        pixels = np.full((side, side, 3), number, np.uint8)
        pixels[..., 0], pixels[..., 1] = grid[None], grid[:, None]
        Image.fromarray(pixels).save(path.parent / f"{path.stem}_{number}.png")
    document = {
        "images": [
            {"id": 100 + number, "file_name": f"{path.stem}_{number}.png"}
            for number in range(photographs)
        ],
        "annotations": [
            {"id": at, "image_id": 100 + photograph, "category_id": category, "bbox": box}
            for at, (photograph, category, box) in enumerate(boxes)
        ],
        "categories": CATEGORIES,
        **changes,
    }
    path.write_text(json.dumps(document))
    return CocoConfig(path=path)


def context(root: Path = Path("data")) -> DataContext:
    return DataContext(root=root, data_seed=0)


def names(dataset: Dataset, split: str) -> list[str]:
    images = dataset.splits[split].images
    return [images.name(at) for at in range(len(images))]


def one_each(category: int = 3) -> Boxes:
    return [(photograph, category, [2, 3, 4, 5]) for photograph in range(6)]


def test_classes_are_the_categories_with_objects_in_the_order_of_their_ids(tmp_path: Path) -> None:
    config = write(tmp_path / "a.json", [*one_each(7), *one_each(3)])
    dataset = build(config, context())
    assert dataset.class_names == ("bee", "alarm clock")
    assert dataset.class_counts.tolist() == [5, 5]
    assert names(dataset, "test") == ["a_4.png#2,3,4,5", "a_4.png#2,3,4,5"]
    assert dataset.splits["test"].labels.tolist() == [1, 0]


def test_an_object_is_its_box_and_the_margin_as_far_as_the_photograph_goes(tmp_path: Path) -> None:
    boxes: Boxes = [(0, 3, [4, 6, 10, 5]), (1, 3, [0.5, 15, 4, 5]), (2, 7, [0, 0, 20, 20])]
    config = replace(write(tmp_path / "a.json", boxes + one_each()), margin=0.2)
    images = build(config, context()).splits["train"].images
    # columns 4 - 2 to 14 + 2, rows 6 - 1 to 11 + 1
    first = images.read(0)
    assert (first.shape, first[0, 0].tolist(), first[-1, -1].tolist()) == (
        (7, 14, 3),
        [2, 5, 0],
        [15, 11, 0],
    )
    # columns 0.5 - 0.8 to 4.5 + 0.8, rows 15 - 1 to 20 + 1
    second = images.read(1)
    assert (second.shape, second[0, 0].tolist(), second[-1, -1].tolist()) == (
        (6, 6, 3),
        [0, 14, 1],
        [5, 19, 1],
    )
    assert images.read(2).shape == (20, 20, 3)


def test_photographs_are_held_out_whole_unless_a_class_has_no_other() -> None:
    photographs = np.array([0, 1, 2, 3, 4, 4, 9, 9, 14])
    labels = np.array([0, 0, 0, 1, 0, 1, 0, 2, 1])
    expected = [False, False, False, False, True, True, False, False, True]
    assert held_out(photographs, labels).tolist() == expected


def test_annotations_of_each_split_have_their_photographs_beside_them(tmp_path: Path) -> None:
    train = write(tmp_path / "train" / "a.json", one_each() + one_each(7))
    test = write(tmp_path / "test" / "b.json", one_each(7), photographs=7)
    dataset = build(replace(train, test=test.path, val=test.path), context())
    assert {name: len(split) for name, split in dataset.splits.items()} == {
        "train": 12,
        "val": 6,
        "test": 6,
    }
    assert dataset.splits["test"].images.read(5)[0, 0, 2] == 5
    check(replace(train, test=test.path), context())
    with pytest.raises(DataError, match=r"b_0.png does not exist") as caught:
        check(replace(train, test=test.path, images=tmp_path / "train"), context())
    assert "dataset.images" in caught.value.hint


def test_crowds_and_small_objects_are_left_out(tmp_path: Path) -> None:
    small: Boxes = [(0, 3, [0, 0, 3, 9]), (0, 3, [0, 0, 0.5, 9])]
    config = write(tmp_path / "a.json", one_each() + small)
    document = json.loads((tmp_path / "a.json").read_text())
    document["annotations"][0]["iscrowd"] = 1
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert len(build(config, context()).splits["train"]) == 5
    assert len(build(replace(config, smallest=4), context()).splits["train"]) == 4
    with pytest.raises(DataError, match="no box is 6 pixels"):
        build(replace(config, smallest=6), context())


def test_photographs_with_a_url_are_named_by_its_end(tmp_path: Path) -> None:
    images = [
        {"id": 100 + at, "coco_url": f"http://images.cocodataset.org/train2017/{at:012}.jpg"}
        for at in range(6)
    ]
    dataset = build(write(tmp_path / "lvis.json", one_each(), images=images), context())
    assert names(dataset, "train")[0] == "train2017/000000000000.jpg#2,3,4,5"


def test_other_photographs_are_another_identity(tmp_path: Path) -> None:
    config = write(tmp_path / "a.json", one_each())
    before = identity(config, context())
    assert identity(config, context()) == before
    photograph = tmp_path / "a_3.png"
    with Image.open(photograph) as image:
        Image.new("RGB", image.size).save(photograph)
    assert identity(config, context()) != before


def test_an_index_gives_the_same_objects_and_is_never_out_of_date(tmp_path: Path) -> None:
    config = write(tmp_path / "a.json", one_each() + one_each(7))
    said: list[str] = []
    preparation = Preparation(tmp_path / "data" / "coco_objects", None, None, said.append)
    read = build(config, context())
    prepare(config, preparation)
    assert config.path is not None
    annotations = Annotations.read(config.path)
    index = preparation.folder / annotations.index_name
    assert annotations.objects(preparation.folder).equals(annotations.parse())
    indexed = build(config, context(tmp_path / "data"))
    for split in ("train", "test"):
        assert names(indexed, split) == names(read, split)
        np.testing.assert_array_equal(indexed.splits[split].labels, read.splits[split].labels)
    prepare(config, preparation)
    assert said == [f"{index}: written", f"{config.path}: index exists"]

    index.write_bytes(b"cut short")
    with pytest.raises(DataError, match="is damaged"):
        build(config, context(tmp_path / "data"))
    before = identity(config, context())
    write(config.path, one_each())
    assert identity(config, context()) != before
    assert build(config, context(tmp_path / "data")).class_names == ("bee",)


def test_classes_are_told_by_their_names_in_another_file(tmp_path: Path) -> None:
    train = write(tmp_path / "train" / "a.json", one_each() + one_each(7))
    renumbered = [{"id": 1, "name": "alarm clock"}, {"id": 2, "name": "wasp"}]
    test = tmp_path / "test" / "b.json"
    write(test, one_each(1), categories=renumbered)
    dataset = build(replace(train, test=test), context())
    assert dataset.splits["test"].labels.tolist() == [1] * 6
    write(test, one_each(2), categories=renumbered)
    with pytest.raises(DataError, match="test has objects of the class 'wasp', and train has none"):
        build(replace(train, test=test), context())


def test_a_box_outside_of_its_photograph_is_a_corrupt_image(tmp_path: Path) -> None:
    config = write(tmp_path / "a.json", [*one_each(), (0, 3, [20, 3, 4, 4])])
    train = build(config, context()).splits["train"]
    with pytest.raises(CorruptImageError, match=r"a_0.png#20,3,4,4 is outside of the 20 x 20"):
        train.images.read(len(train) - 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "has no list 'images'"),
        ({"annotations": []}, "has no annotations"),
        ({"categories": [{"id": "3", "name": "bee"}]}, r"categories\[0\].id is '3'"),
        ({"categories": [{"id": 3}]}, r"categories\[0\] has no name"),
        (
            {"categories": [{"id": 3, "name": "a_b"}, {"id": 4, "name": "a b"}]},
            "two categories have the name 'a b'",
        ),
        ({"categories": [{"id": 7, "name": "bee"}]}, "annotation 0 has category_id 3"),
        ({"images": [{"id": 1, "file_name": "a.png"}]}, "annotation 0 has image_id 100"),
        ({"images": [{"id": 100, "file_name": "../a.png"}]}, "is not a path below"),
        ({"images": [{"id": 100}]}, r"images\[0\].file_name is None"),
        ({"images": [{"id": 100, "file_name": "a"}] * 2}, "two images have the same id"),
    ],
)
def test_annotations_with_a_fault_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    config = write(tmp_path / "a.json", [(0, 3, [2, 3, 4, 5])], **changes)
    with pytest.raises(DataError, match=message):
        build(config, context())


@pytest.mark.parametrize("box", [None, [1, 2, 3], [1, 2, 3, "4"], [1, 2, 3, float("nan")]])
def test_a_box_that_is_none_is_refused(tmp_path: Path, box: Any) -> None:
    config = write(tmp_path / "a.json", [(0, 3, box)])
    with pytest.raises(DataError, match="annotation 0: expected a bbox"):
        build(config, context())


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a file of annotations"):
        build(CocoConfig(), context())
    with pytest.raises(DataError, match="No such file"):
        build(CocoConfig(path=tmp_path / "none.json"), context())
    (tmp_path / "a.json").write_text("<html>")
    with pytest.raises(DataError, match="is not JSON"):
        build(CocoConfig(path=tmp_path / "a.json"), context())
    config = write(tmp_path / "b.json", one_each())
    with pytest.raises(DataError, match=r"'b_0.png' is in train and in test"):
        build(replace(config, test=config.path), context())
    with pytest.raises(DataError, match="no photograph to hold out"):
        build(write(tmp_path / "c.json", one_each()[:4]), context())
