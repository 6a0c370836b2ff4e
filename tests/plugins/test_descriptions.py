"""Semantic weights from texts of each class, and the strict reading of their file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from ltbench.config.resolve import resolve
from ltbench.contexts import BackboneContext
from ltbench.engine.building import build_model
from ltbench.errors import ConfigError, DataError, MissingPathError
from ltbench.registry.registry import Registry
from ltbench_plugins.backbones.clip_tiny import CLIP_TINY
from ltbench_plugins.inits import semantic
from ltbench_plugins.inits.descriptions import read_descriptions
from ltbench_plugins.inits.semantic import SEMANTIC, SemanticConfig
from tests import parity
from tests.covered import value_of

NAMES = ["cat_fish", "dog", "hen"]
TEXTS = {
    "hen": ["it_lays eggs", "two wings", "a red comb"],
    "cat fish": ["it has whiskers"],
    "dog": ["it barks", "four legs"],
    "of another set": ["is ignored"],
}


def written(folder: Path, content: Any) -> Path:
    path = folder / "texts.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@value_of("init", "semantic")
@pytest.mark.parametrize("joint", [False, True])
def test_the_weight_is_the_mean_of_the_texts_of_a_class(
    joint: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semantic, "_TEXTS_PER_PASS", 4)  # a class's texts are in two passes
    backbone = CLIP_TINY.build(CLIP_TINY.config(), BackboneContext(seed=0))
    if joint:
        backbone.project()
    config = SemanticConfig(descriptions=written(tmp_path, TEXTS))
    init = SEMANTIC.build(config, parity.context([1] * 3, backbone, NAMES))
    spoken = [["it has whiskers"], ["it barks", "four legs"], [*TEXTS["hen"]]]
    spoken[2][0] = "it lays eggs"
    expected = []
    with torch.no_grad():
        for texts in spoken:
            features = backbone.text.encoder(backbone.text.tokenize(texts))
            text = F.normalize(features, dim=-1).mean(dim=0)
            expected.append(text if joint else backbone.projection @ text)
        made = init(backbone, None)
    assert torch.allclose(made, F.normalize(torch.stack(expected), dim=-1), atol=1e-5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not a JSON text in UTF-8: Expecting"),
        ("[" * 100_000, "is not a JSON text"),
        (["a"], "expected an object, got ['a']"),
        ({**TEXTS, "dog": []}, "1 class has no list of one or more texts: 'dog'; 'dog' has []"),
        ({**TEXTS, "dog": "it barks"}, "'dog' has 'it barks'"),
        ({**TEXTS, "dog": [" "], "hen": [1]}, "2 classes have no list of one or more texts: 'hen'"),
        ({**TEXTS, "dog": ["\ud83d"]}, "1 class has a text with half of a surrogate pair"),
        ({"dgo": ["a"]}, "3 classes have no texts: 'cat fish', 'dog', 'hen'"),
        ('{"dog": ["a"], "dog": ["b"]}', "1 name occurs more than once, with '_' read as space"),
        ({"cat_fish": ["a"], "cat fish": ["b"]}, "read as space: 'cat fish'"),
    ],
)
def test_the_classes_at_fault_are_named(content: Any, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_descriptions(path, ["cat fish", "dog", "hen"])
    assert message in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_many_classes_are_named_in_part(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"8 classes have no texts: 'a', 'b', .* and 3 more"):
        read_descriptions(written(tmp_path, {}), list("abcdefgh"))


def test_classes_of_one_name_share_their_texts(tmp_path: Path) -> None:
    assert read_descriptions(written(tmp_path, {"a": ["x"]}), ["a", "a"]) == [["x"], ["x"]]


def test_what_is_no_small_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="do not exist"):
        read_descriptions(tmp_path / "none.json", ["a"])
    with pytest.raises(DataError, match="Is a directory"):
        read_descriptions(tmp_path, ["a"])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="Not a regular file"):
        read_descriptions(tmp_path / "pipe", ["a"])
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(1 << 30)  # without content on the disk
    with pytest.raises(DataError, match="larger than"):
        read_descriptions(tmp_path / "huge.json", ["a"])


@pytest.mark.parametrize("other", [{"ensemble": "simple"}, {"template": "{}"}])
def test_texts_exclude_templates(other: dict[str, str], registry: Registry) -> None:
    settings = {"init.descriptions": "a.json"} | {f"init.{key}": v for key, v in other.items()}
    with pytest.raises(ConfigError, match="descriptions take the place of template and ensemble"):
        resolve(registry, settings, Path(), identify=False)


def test_the_hash_is_that_of_the_content(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    first = resolve(registry, {"init.descriptions": written(tmp_path, TEXTS)}, Path()).spec
    moved = resolve(registry, {"init.descriptions": written(tmp_path / "moved", TEXTS)}, Path())
    assert moved.spec.hash == first.hash
    assert moved.spec.init.paths != first.init.paths
    changed = written(tmp_path, {**TEXTS, "dog": ["it barks"]})
    plain = resolve(registry, {}, Path()).spec
    other = resolve(registry, {"init.descriptions": changed}, Path()).spec
    assert len({first.hash, plain.hash, other.hash}) == 3
    assert plain.hash == "199f5f1adf86"  # as before there were descriptions
    assert plain.init.options == other.init.options
    with pytest.raises(MissingPathError):
        resolve(registry, {"init.descriptions": tmp_path / "none.json"}, Path())


def test_a_file_that_changes_before_it_is_used_is_refused(
    registry: Registry, tmp_path: Path
) -> None:
    resolved = resolve(registry, {"init.descriptions": written(tmp_path, TEXTS)}, Path())
    build_model._expect_same_files(resolved)
    written(tmp_path, {**TEXTS, "dog": ["it barks"]})
    with pytest.raises(DataError, match=r"init 'semantic': .*texts.json changed"):
        build_model._expect_same_files(resolved)
