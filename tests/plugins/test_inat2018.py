from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltbench.contexts import DataContext
from ltbench.data import Dataset, git_blob_sha1, read_list
from ltbench.errors import ConfigError, CorruptImageError, DataError
from ltbench_plugins.datasets.inat2018 import INAT2018, LISTED, InatConfig, prepare
from ltbench_plugins.datasets.parts.inat_taxonomy import PUBLISHED, Taxonomy
from tests import trees_inat
from tests.covered import value_of

OWN = InatConfig(lists="own")
REAL = Path(__file__).parents[3] / "shared/splits/inat2018/val.txt"


def built(root: Path, **options: Any) -> Dataset:
    dataset: Dataset = INAT2018.build(InatConfig(lists="own", **options), DataContext(root, 0))
    return dataset


@value_of("dataset", "inat2018")
def test_species_have_their_official_ids(tmp_path: Path) -> None:
    trees_inat.inat2018(tmp_path)
    INAT2018.check(OWN, DataContext(tmp_path, 0))
    dataset = built(tmp_path)
    assert dataset.class_names == (
        "Betula lenta",
        "Poecile montanus",
        "Parus major",
        "Anax imperator",
    )
    assert dataset.class_counts.tolist() == [9, 5, 3, 2]
    assert np.bincount(dataset.splits["test"].labels).tolist() == [3, 3, 3, 3]
    assert set(dataset.splits) == {"train", "test"}
    train = dataset.splits["train"]
    assert train.images.name(1) == "train_val2018/Aves/1/train0.jpg"
    assert train.labels[:5].tolist() == [0, 1, 2, 3, 0]
    assert train.images.read(1)[..., 1].mean() > 130  # green, as the miniature's class 1 is


@value_of("dataset", "inat2018")
def test_the_papers_order_is_that_of_the_names(tmp_path: Path) -> None:
    trees_inat.inat2018(tmp_path)
    dataset = built(tmp_path, label_order="paper")
    assert dataset.class_names == (
        "Anax imperator",
        "Betula lenta",
        "Parus major",
        "Poecile montanus",
    )
    assert dataset.class_counts.tolist() == [2, 9, 3, 5]
    assert dataset.splits["train"].labels[:5].tolist() == [1, 3, 2, 0, 1]


@pytest.mark.parametrize(
    ("level", "names", "counts"),
    [
        ("kingdom", ("Animalia", "Plantae"), [10, 9]),
        ("phylum", ("Arthropoda", "Chordata", "Tracheophyta"), [2, 8, 9]),
        ("class", ("Aves", "Insecta", "Magnoliopsida"), [8, 2, 9]),
        ("order", ("Fagales", "Odonata", "Passeriformes"), [9, 2, 8]),
        ("family", ("Aeshnidae", "Betulaceae", "Paridae"), [2, 9, 8]),
        ("genus", ("Anax", "Betula", "Parus", "Poecile"), [2, 9, 3, 5]),
    ],
)
@value_of("dataset", "inat2018")
def test_coarser_classes_are_sorted_by_name(
    tmp_path: Path, level: str, names: tuple[str, ...], counts: list[int]
) -> None:
    trees_inat.inat2018(tmp_path)
    dataset = built(tmp_path, level=level)
    assert dataset.class_names == names
    assert dataset.class_counts.tolist() == counts


def test_the_order_of_species_does_not_go_with_coarser_classes(tmp_path: Path) -> None:
    trees_inat.inat2018(tmp_path)
    with pytest.raises(ConfigError, match="orders species, not level genus"):
        built(tmp_path, level="genus", label_order="paper")


def test_the_identity_is_that_of_lists_and_names(tmp_path: Path) -> None:
    folder, ctx = trees_inat.inat2018(tmp_path), DataContext(tmp_path, 0)
    train, test, names = INAT2018.identity(OWN, ctx).split()
    assert train == f"train:{git_blob_sha1((folder / 'train.txt').read_bytes())}"
    assert test == f"test:{git_blob_sha1((folder / 'val.txt').read_bytes())}"
    path = folder / "categories.json"
    path.write_text(json.dumps(trees_inat.categories()[::-1], indent=1))  # the same, otherwise put
    assert INAT2018.identity(OWN, ctx).split()[2] == names
    path.write_text(path.read_text().replace("Parus major", "Parus minor"))
    assert INAT2018.identity(OWN, ctx).split()[2] != names


@pytest.mark.skipif(not REAL.is_file(), reason=f"there is no {REAL}")
@value_of("dataset", "inat2018")
def test_the_real_validation_list() -> None:
    published = LISTED.lists["test"]
    assert published.fault(REAL.read_bytes()) == ""
    paths, labels = read_list(REAL, 8142)
    assert len(paths) == published.rows == 24_426
    assert np.bincount(labels).tolist() == [3] * 8142
    assert paths[0].as_py() == "train_val2018/Plantae/7291/9f8ecb39e5f767e39e9b28e34488f179.jpg"


def test_the_published_names_must_be_those_of_8142_species() -> None:
    """At the levels that the paper's coarser experiments have."""
    assert list(PUBLISHED.values()) == [8142, 6, 25, 57, 272, 1118, 4401]
    fields = ("name", *list(PUBLISHED)[1:])
    counts = dict(zip(fields, PUBLISHED.values(), strict=True))
    categories = [
        {"id": label, **{field: f"{field} {label % count}" for field, count in counts.items()}}
        for label in range(8142)
    ]
    assert len(Taxonomy.parse(json.dumps(categories).encode(), published=True)) == 8142
    categories[0]["order"] = "one more"
    with pytest.raises(
        ValueError, match="expected 272 names at level order, as in iNaturalist 2018, got 273"
    ):
        Taxonomy.parse(json.dumps(categories).encode(), published=True)
    with pytest.raises(
        ValueError, match="expected 8,142 names of species, as in iNaturalist 2018, got 4"
    ):
        Taxonomy.parse(json.dumps(trees_inat.categories()).encode(), published=True)


def without(field: str) -> str:
    categories = trees_inat.categories()
    del categories[2][field]
    return json.dumps(categories)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!DOCTYPE html><html>", "it is a web page, not JSON"),
        (json.dumps(trees_inat.categories())[:-30], "it is not JSON, or truncated"),
        ("", "it is not JSON, or truncated"),
        ('{"categories": []}', "it is not a list of categories"),
        ("[3]", "entry 0 has no id"),
        (without("id"), "entry 2 has no id"),
        (without("genus"), "entry 2 has no genus"),
        (
            json.dumps(trees_inat.categories()[1:]),
            "expected ids 0 to 2, each once, but 0 is missing",
        ),
        (
            json.dumps(trees_inat.categories()[:3]),
            "expected labels up to 2, as in categories.json, got 3",
        ),
    ],
)
def test_broken_names_are_told(tmp_path: Path, content: str, message: str) -> None:
    folder = trees_inat.inat2018(tmp_path)
    (folder / "categories.json").write_text(content)
    with pytest.raises(DataError, match=message) as raised:
        built(tmp_path)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(" 3\n", "\n", 1), r"train\.txt:4: expected 'path label'"),
        (lambda text: text.replace("train_val2018", "..", 1), r"train\.txt:1: .* is outside"),
        (lambda text: text.replace(" 3\n", " 0\n", 1), "class 0 has images of several folders"),
    ],
)
def test_broken_lists_are_told(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    folder = trees_inat.inat2018(tmp_path)
    (folder / "train.txt").write_text(change((folder / "train.txt").read_text()))
    with pytest.raises(DataError, match=message):
        built(tmp_path)


def test_published_lists_must_be_whole(tmp_path: Path) -> None:
    folder, ctx = trees_inat.inat2018(tmp_path), DataContext(tmp_path, 0)
    with pytest.raises(
        DataError, match="it is truncated: expected 437,513 lines, got 19"
    ) as raised:
        INAT2018.build(InatConfig(), ctx)
    assert "dataset.lists=own" in raised.value.hint
    (folder / "train.txt").write_text("<!DOCTYPE html>\n")
    with pytest.raises(DataError, match="it is a web page"):
        INAT2018.identity(InatConfig(), ctx)


def test_a_broken_image_is_told_when_it_is_read(tmp_path: Path) -> None:
    folder = trees_inat.inat2018(tmp_path)
    name = "train_val2018/Plantae/0/train0.jpg"
    content = (folder / name).read_bytes()
    train = built(tmp_path).splits["train"].images
    for broken in (content[: len(content) // 2], b"", b"<!DOCTYPE html><html>"):
        (folder / name).write_bytes(broken)
        with pytest.raises(CorruptImageError, match=f"{name} cannot be decoded"):
            train.read(0)
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"{name} does not exist"):
        train.read(0)


def test_lists_and_names_are_fetched_and_images_linked(tmp_path: Path) -> None:
    lists = trees_inat.texts(tmp_path / "lists")
    source = trees_inat.images(tmp_path / "download")
    prepare(OWN, trees_inat.preparation(tmp_path / "data", source, lists))
    folder = tmp_path / "data/inat2018"
    assert sorted(path.name for path in folder.iterdir()) == [
        "categories.json",
        "train.txt",
        "train_val2018",
        "val.txt",
    ]
    assert (folder / "train_val2018").is_symlink()
    assert built(tmp_path / "data").class_counts.tolist() == [9, 5, 3, 2]
    prepare(OWN, trees_inat.preparation(tmp_path / "data"))  # all is there


def test_lists_and_names_are_made_from_the_annotations(tmp_path: Path) -> None:
    source = trees_inat.annotations(trees_inat.images(tmp_path / "download"))
    said: list[str] = []
    prepare(OWN, trees_inat.preparation(tmp_path / "data", source, note=said.append))
    folder, expected = tmp_path / "data/inat2018", trees_inat.texts(tmp_path / "expected")
    for name in ("train.txt", "val.txt"):
        assert (folder / name).read_bytes() == (expected / name).read_bytes()
    assert built(tmp_path / "data", level="kingdom").class_names == ("Animalia", "Plantae")
    assert any("train.txt is not the published list, byte for byte" in text for text in said)
    ours = Taxonomy.parse((folder / "categories.json").read_bytes(), published=False)
    theirs = Taxonomy.parse((expected / "categories.json").read_bytes(), published=False)
    assert ours.identity() == theirs.identity()


def test_made_up_names_of_the_competition_are_not_taken(tmp_path: Path) -> None:
    source = trees_inat.images(tmp_path / "download")
    trees_inat.annotations(source, trees_inat.obfuscate)
    names = trees_inat.texts(tmp_path / "lists") / "categories.json"
    (tmp_path / "data/inat2018").mkdir(parents=True)
    names.rename(tmp_path / "data/inat2018/categories.json")
    said: list[str] = []
    prepare(OWN, trees_inat.preparation(tmp_path / "data", source, note=said.append))
    assert built(tmp_path / "data").class_names[2] == "Parus major"
    assert Taxonomy.of(trees_inat.categories()).obfuscated is False
    content = {"categories": trees_inat.categories()}
    trees_inat.obfuscate(content)
    assert Taxonomy.of(content["categories"]).obfuscated is True


def test_the_names_of_the_download_are_taken(tmp_path: Path) -> None:
    source = trees_inat.images(tmp_path / "download")
    trees_inat.annotations(source, trees_inat.obfuscate)
    (source / "categories.json").write_text("[]")
    with pytest.raises(
        DataError, match=r"download/categories\.json: it is not a list of categories"
    ):
        prepare(OWN, trees_inat.preparation(tmp_path / "data", source))
    (source / "categories.json").write_text(json.dumps(trees_inat.categories()))
    prepare(OWN, trees_inat.preparation(tmp_path / "data", source))
    assert built(tmp_path / "data").class_names[3] == "Anax imperator"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("images"), r"train2018\.json has no list 'images'"),
        (lambda content: content["images"][3].pop("file_name"), "KeyError.'file_name'"),
        (lambda content: content["annotations"].pop(), r"train0\.jpg has no annotation"),
        (lambda content: content["annotations"][0].update(category_id=9), "category 9 is not"),
        (
            lambda content: content["categories"].append({**trees_inat.categories()[0], "id": 4}),
            "category 4 has no images",
        ),
        (lambda content: content["categories"].pop(0), "categories: expected ids 0 to 2"),
    ],
)
def test_broken_annotations_are_told(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    source = trees_inat.annotations(trees_inat.images(tmp_path / "download"), change)
    with pytest.raises(DataError, match=message):
        prepare(OWN, trees_inat.preparation(tmp_path / "data", source))
    assert not (tmp_path / "data").exists()


def test_annotations_that_are_cut_short_are_told(tmp_path: Path) -> None:
    source = trees_inat.annotations(trees_inat.images(tmp_path / "download"))
    with pytest.raises(DataError, match=r"train2018\.json: expected 437,513 images, got 19"):
        prepare(InatConfig(), trees_inat.preparation(tmp_path / "data", source))
    path = source / "val2018.json"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"val2018\.json cannot be read: Unterminated|Expecting"):
        prepare(OWN, trees_inat.preparation(tmp_path / "data", source))


def test_a_list_that_is_not_the_published_one_is_not_taken(tmp_path: Path) -> None:
    lists = trees_inat.texts(tmp_path / "lists")
    (lists / "train.txt").write_text("<html>\n")
    source = trees_inat.images(tmp_path / "download")
    with pytest.raises(DataError, match=r"train\.txt: it is a web page, not the list train\.txt"):
        prepare(InatConfig(), trees_inat.preparation(tmp_path / "data", source, lists))
    assert not list((tmp_path / "data/inat2018").iterdir())


def test_without_a_download_it_says_where_to_get_it(tmp_path: Path) -> None:
    lists = trees_inat.texts(tmp_path / "lists")
    with pytest.raises(DataError, match="train_val2018 does not exist") as raised:
        prepare(OWN, trees_inat.preparation(tmp_path / "data", lists=lists))
    for fact in ("train_val2018.tar.gz", "b1c6952ce38f31868cc50ea72d066cc3", "non-commercial"):
        assert fact in raised.value.hint


@pytest.mark.parametrize(
    "below", ["train_val2018", "train_val2018/Aves", "train_val2018/Aves/1", ".."]
)
def test_a_wrong_level_is_told_with_the_right_one(tmp_path: Path, below: str) -> None:
    right = trees_inat.images(tmp_path / "downloads/inat")
    source = tmp_path / "downloads" if below == ".." else right / below
    with pytest.raises(DataError, match="wrong level") as raised:
        prepare(OWN, trees_inat.preparation(tmp_path / "data", source))
    assert raised.value.hint == f"use --source {right}"


def test_categories_without_super_categories_are_told(tmp_path: Path) -> None:
    source = trees_inat.images(tmp_path / "download")
    for folder in list((source / "train_val2018").iterdir()):
        for category in folder.iterdir():
            category.rename(source / "train_val2018" / category.name)
        folder.rmdir()
    lists = trees_inat.texts(tmp_path / "lists")
    with pytest.raises(DataError, match="train_val2018 lacks a level"):
        prepare(OWN, trees_inat.preparation(tmp_path / "data", source, lists))


def test_the_archive_itself_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "train_val2018.tar.gz").touch()
    with pytest.raises(DataError, match="is a file, not an unpacked folder"):
        prepare(OWN, trees_inat.preparation(tmp_path, tmp_path / "train_val2018.tar.gz"))
