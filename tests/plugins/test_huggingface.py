"""Sets that the package `datasets` saves and loads, made here and never fetched."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltbench.config.options import parse_options
from ltbench.contexts import DataContext
from ltbench.data import Dataset, Preparation
from ltbench.errors import ConfigError, CorruptImageError, DataError
from ltbench_plugins.datasets.huggingface import HUGGINGFACE, HuggingFaceConfig
from ltbench_plugins.datasets.parts.huggingface_columns import read_labels
from tests import trees
from tests.conftest import Ended
from tests.covered import value_of

CTX = DataContext(Path(), 0)
NAMES = ["zebra", "ant", "bee"]


@pytest.fixture(autouse=True)
def hf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Returns the package, with a cache of its own and no network."""
    package = pytest.importorskip("datasets")
    monkeypatch.setattr(package.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(package.config, "HF_HUB_OFFLINE", True)
    return package


def png(grey: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((4, 5, 3), grey, np.uint8)).save(content, "PNG")
    return content.getvalue()


def rows(hf: Any, labels: Iterable[Any], label: Any = None, first: int = 0) -> Any:
    """Makes a split of grey pictures: the brightness is the number of the row."""
    values = list(labels)
    pictures = [{"bytes": png(first + index), "path": None} for index in range(len(values))]
    columns = {"number": range(len(values)), "picture": pictures, "kind": values}
    features = {
        "number": hf.Value("int64"),
        "picture": hf.Image(),
        "kind": label or hf.ClassLabel(names=NAMES),
    }
    return hf.Dataset.from_dict(columns, hf.Features(features))


def saved(hf: Any, folder: Path, **splits: Any) -> Path:
    given = splits or {"train": rows(hf, [2, 0, 1, 0]), "test": rows(hf, [1, 0, 2], first=100)}
    hf.DatasetDict(given).save_to_disk(folder)
    return folder


def parquet(hf: Any, folder: Path) -> Path:
    folder.mkdir()
    for split, part in hf.load_from_disk(saved(hf, folder.with_name("for-parquet"))).items():
        part.to_parquet(folder / f"{split}.parquet")
    return folder


def config(**options: Any) -> HuggingFaceConfig:
    parsed, faults = parse_options(HuggingFaceConfig, options, "dataset", "huggingface")
    assert isinstance(parsed, HuggingFaceConfig), faults
    return parsed


def build(**options: Any) -> Dataset:
    built: Dataset = HUGGINGFACE.build(config(**options), CTX)
    return built


def shades(dataset: Dataset, split: str) -> list[int]:
    images = dataset.splits[split].images
    return [int(images.read(index).mean()) for index in range(len(images))]


@value_of("dataset", "huggingface")
@pytest.mark.parametrize("make", [saved, parquet])
def test_columns_are_found_and_images_decoded(hf: Any, tmp_path: Path, make: Any) -> None:
    dataset = build(path=make(hf, tmp_path / "set"))
    assert dataset.class_names == ("zebra", "ant", "bee")  # as the labels are numbered
    assert dataset.splits["train"].labels.tolist() == [2, 0, 1, 0]
    assert dataset.splits["test"].labels.tolist() == [1, 0, 2]
    assert shades(dataset, "train") == [0, 1, 2, 3]
    assert shades(dataset, "test") == [100, 101, 102]
    assert dataset.splits["train"].images.read(1).shape == (4, 5, 3)
    assert dataset.splits["train"].images.name(0) != dataset.splits["test"].images.name(0)


def test_the_identity_is_the_same_in_every_form(hf: Any, tmp_path: Path) -> None:
    def identity(path: Path, **options: Any) -> str:
        return HUGGINGFACE.identity(config(path=path, **options), CTX)

    first = identity(saved(hf, tmp_path / "a"))
    assert identity(saved(hf, tmp_path / "b/c")) == first
    assert identity(parquet(hf, tmp_path / "d")) == first
    changed = rows(hf, [2, 0, 1, 1])
    test = rows(hf, [1, 0, 2], first=100)
    assert identity(saved(hf, tmp_path / "e", train=changed, test=test)) != first
    assert identity(tmp_path / "a", train="test", test="train") != first
    other = rows(hf, [2, 0, 1, 0], first=1)  # pictures of the same size
    assert identity(saved(hf, tmp_path / "f", train=other, test=test)) != first
    sampled = identity(tmp_path / "a", digest="sampled")
    assert identity(tmp_path / "d", digest="sampled") == sampled != first


def test_images_of_two_splits_are_refused(hf: Any, tmp_path: Path) -> None:
    train = rows(hf, [0, 1, 2, 0])
    path = saved(hf, tmp_path / "set", train=train, test=rows(hf, [0, 1], first=3))
    said = r"test and train share 1 image \(row 0 of test = row 3 of train\)"
    with pytest.raises(DataError, match=said) as raised:
        build(path=path)
    assert "dataset.duplicates=drop" in raised.value.hint
    kept = build(path=path, duplicates="keep")
    assert len(kept.splits["train"]) == 4
    assert "share 1 image" in kept.notes[0]
    for digest in ("content", "sampled"):
        dropped = build(path=path, duplicates="drop", digest=digest)
        assert shades(dropped, "train") == [0, 1, 2]
        assert shades(dropped, "test") == [3, 4]


def test_workers_are_sent_no_images(hf: Any, tmp_path: Path) -> None:
    path = saved(
        hf, tmp_path / "set", train=rows(hf, [0, 1, 2] * 80), test=rows(hf, [0], first=240)
    )
    images = build(path=path).splits["train"].images
    sent = pickle.dumps(images)
    assert len(sent) < 4000
    assert np.array_equal(pickle.loads(sent).read(7), images.read(7))


def test_corrupt_images_are_named(hf: Any, tmp_path: Path) -> None:
    train = rows(hf, [0, 1, 2, 0, 1]).to_dict()
    train["picture"][1]["bytes"] = b"<html>an error page</html>"
    train["picture"][2]["bytes"] = b""
    train["picture"][3]["bytes"] = png(0)[:40]
    train["picture"][4] = None
    features = rows(hf, []).features
    broken = hf.Dataset.from_dict(train, features)
    test = rows(hf, [0], first=9)
    images = build(path=saved(hf, tmp_path / "set", train=broken, test=test))
    for index, said in [
        (1, "row 1 cannot be decoded: it is a web page"),
        (2, "row 2 cannot be decoded: it is empty"),
        (3, "row 3 cannot be decoded"),
        (4, "row 4 has no image"),
    ]:
        with pytest.raises(CorruptImageError, match=f"split train, {said}"):
            images.splits["train"].images.read(index)


def test_image_folders_are_read_where_they_are(hf: Any, tmp_path: Path) -> None:
    root = trees.class_folders(tmp_path / "set", {"train": {"a": 2, "b": 1}, "test": {"a": 1}})
    dataset = build(path=root)
    assert dataset.splits["train"].labels.tolist() == [0, 0, 1]
    assert dataset.splits["train"].images.read(2).shape[2] == 3
    before = HUGGINGFACE.identity(config(path=root), CTX)
    (root / "train/b/0.jpg").write_bytes(b"")
    with pytest.raises(CorruptImageError, match=r"train/b/0\.jpg cannot be decoded: it is empty"):
        dataset.splits["train"].images.read(2)
    assert HUGGINGFACE.identity(config(path=root), CTX) != before


@pytest.mark.parametrize(
    ("kind", "labels", "names", "ids"),
    [
        ("string", ["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        ("int32", [10, 2, 10], ("2", "10"), [1, 0, 1]),
    ],
)
def test_plain_labels_are_numbered_in_order(
    hf: Any, tmp_path: Path, kind: str, labels: list[Any], names: tuple[str, ...], ids: list[int]
) -> None:
    part, test = (rows(hf, labels, hf.Value(kind), first) for first in (0, 9))
    path = saved(hf, tmp_path / "set", train=part, test=test)
    with pytest.raises(DataError, match=rf"no column of the kind ClassLabel.*kind \({kind}\)"):
        build(path=path)
    dataset = build(path=path, label="kind")
    assert dataset.class_names == names
    assert dataset.splits["test"].labels.tolist() == ids


def test_splits_and_columns_are_chosen(hf: Any, tmp_path: Path) -> None:
    colour = hf.ClassLabel(names=["r", "g"])
    splits = {
        name: rows(hf, [0, 1, 2], first=first)
        .add_column("colour", [0, 0, 1])
        .cast_column("colour", colour)
        for first, name in ((0, "training"), (3, "validation"), (6, "hidden"))
    }
    path = saved(hf, tmp_path / "set", **splits)
    with pytest.raises(DataError, match="no split 'train', only training, validation, hidden"):
        build(path=path)
    chosen = {"path": path, "train": "training", "test": "hidden"}
    with pytest.raises(DataError, match=r"several columns of the kind ClassLabel; .*colour"):
        build(**chosen)
    with pytest.raises(DataError, match=r"dataset\.label=picture is not a column of labels"):
        build(**chosen, label="picture")
    with pytest.raises(DataError, match=r"dataset\.image=kind is not a column of images"):
        build(**chosen, label="kind", image="kind")
    dataset = build(**chosen, label="colour", val="validation")
    assert dataset.class_names == ("r", "g")
    assert set(dataset.splits) == {"train", "val", "test"}


def test_labels_that_are_hidden(hf: Any, tmp_path: Path) -> None:
    part = rows(hf, [0, 1, 2])
    path = saved(hf, tmp_path / "a", train=part, test=rows(hf, [0, -1]))
    with pytest.raises(DataError, match="test split, row 1 has no label") as raised:
        build(path=path)
    assert "dataset.test=validation" in raised.value.hint
    path = saved(hf, tmp_path / "b", train=rows(hf, [0, 2]), test=part)
    with pytest.raises(DataError, match="class 'ant' has no training images"):
        build(path=path)
    path = saved(hf, tmp_path / "c", train=part, test=rows(hf, ["a"], hf.Value("string")))
    with pytest.raises(DataError, match="split test has other columns than train"):
        build(path=path)


def test_labels_that_start_at_one_are_told() -> None:
    import pyarrow as pa

    part = SimpleNamespace(data=pa.table({"kind": [1, 2, 3]}))
    with pytest.raises(DataError, match="labels start at 1, expected 0 to 2") as raised:
        read_labels("pets", SimpleNamespace(names=NAMES), "kind", {"train": part, "test": part})
    assert "subtract 1" in raised.value.hint


def test_it_is_made_long_tailed(hf: Any, tmp_path: Path) -> None:
    path = saved(hf, tmp_path / "set", train=rows(hf, [0, 1, 2] * 9), test=rows(hf, [0], first=99))
    dataset = build(path=path, profile="pareto", ratio=3.0)
    assert dataset.class_counts.tolist() == [9, 4, 3]  # 9, 9 / 2, 9 / 3
    assert [shade % 3 for shade in shades(dataset, "train")] == [0] * 9 + [1] * 4 + [2] * 3


def test_what_cannot_be_loaded(hf: Any, tmp_path: Path) -> None:
    for options, said in [
        ({"path": tmp_path / "nowhere"}, "nowhere does not exist"),
        ({"path": Path(__file__)}, "is a file, not a folder"),
        ({"path": tmp_path}, "cannot be loaded"),
        ({"name": "nobody/nothing"}, "nobody/nothing cannot be loaded: .*nobody/nothing"),
    ]:
        with pytest.raises(DataError, match=said):
            HUGGINGFACE.check(config(**options), CTX)
    path = saved(hf, tmp_path / "set")
    with pytest.raises(ConfigError, match=r"dataset\.subset=small: .*save_to_disk"):
        build(path=path, subset="small")
    with pytest.raises(DataError, match="train is a single split"):
        build(path=path / "train")
    (path / "train/data-00000-of-00001.arrow").write_bytes(b"")
    with pytest.raises(DataError, match="set cannot be loaded"):
        build(path=path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "a/b", "path": "c"}, "exclude each other"),
        ({"name": "."}, "is a local folder"),
        ({"path": "c", "revision": "main"}, "only data sets on the hub have revisions"),
        ({"name": "a/b", "test": "train"}, "train, val and test are train, train"),
        ({"name": "a/b", "ratio": 2.0}, r"ratio=2\.0 has no effect"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config(**options)


def test_the_package_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="needs a name or a path"):
        HUGGINGFACE.identity(config(), CTX)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match="needs the package datasets") as raised:
        HUGGINGFACE.identity(config(name="a/b"), CTX)
    assert raised.value.hint == 'pip install "ltbench[huggingface]"'


def test_prepare_loads_it_once(hf: Any, tmp_path: Path) -> None:
    said: list[str] = []
    preparation = Preparation(tmp_path, None, None, said.append)
    assert HUGGINGFACE.prepare is not None
    HUGGINGFACE.prepare(config(path=saved(hf, tmp_path / "set")), preparation)
    assert said == [f"{tmp_path / 'set'}: 7 images"]


def test_a_run_with_workers(hf: Any, cli: Callable[..., Ended], tmp_path: Path) -> None:
    train, test = rows(hf, [0, 1, 2] * 4), rows(hf, [0, 1, 2], first=100)
    path = saved(hf, tmp_path / "set", train=train, test=test)
    ended = cli(
        *("run", "--dataset", "huggingface", "--set", f"dataset.path={path}", "--json"),
        *("--epochs", "1", "--workers", "1", "--precision", "fp32", "--inference", "center"),
    )
    assert ended.code == 0, ended.err
    assert len(ended.json["metrics"]) > 3
