"""Features of frozen encoders: kept, found again, and never a bit from those computed each time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ltbench.config.resolve import resolve
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.run import RuntimeConfig, execute
from ltbench.engine.training.feature_loader import FeatureLoader, training_loader
from ltbench.engine.training.train_loader import ImageLoader, image_loader
from ltbench.io.array_cache import NO_CACHE, Cache
from ltbench.io.sizes import GB
from ltbench.progress import SILENT, ProgressReporter, SilentReporter
from ltbench.registry.registry import Registry

SMALL = {"dataset.largest": 20, "dataset.ratio": 4, "train.epochs": 3, "train.batch_size": 32}
FROZEN = {**SMALL, "method": "classifier_only", "precision": "fp32"}


class Notes(SilentReporter):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.encoded = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        self.encoded += images * (what == "encoding")

    @property
    def of_features(self) -> list[str]:
        return [note for note in self.notes if note.startswith(("features", "activations"))]


def ran(
    registry: Registry,
    out: Path,
    settings: dict[str, Any],
    cache: Cache,
    progress: Notes | None = None,
) -> Any:
    """Runs and returns what was learned, what was predicted, and what was told."""
    resolved = resolve(registry, settings, out)
    progress = progress or Notes()
    runtime = RuntimeConfig(out, "cpu", 0, cache)
    result = execute(resolved, registry, runtime, "never", progress)
    folder = result.path
    learned = (folder / "learned.safetensors").read_bytes()
    (predictions,) = folder.glob("predictions-*.parquet")
    return learned, predictions.read_bytes(), progress.of_features


def notes_of_the_same_run(
    registry: Registry, folder: Path, settings: dict[str, Any]
) -> list[list[str]]:
    """Returns the notes of a run without a cache, with an empty one and with a filled one."""
    cache = Cache(folder / "cache", GB)
    found = [
        ran(registry, folder / str(number), settings, one)
        for number, one in enumerate((NO_CACHE, cache, cache))
    ]
    assert found[1][:2] == found[0][:2]
    assert found[2][:2] == found[0][:2]
    return [notes for *_, notes in found]


def full(settings: dict[str, Any]) -> Any:
    return pytest.param(settings, marks=pytest.mark.full)


@pytest.mark.full
@pytest.mark.parametrize(
    "settings",
    [
        full({"augmentation": "none"}),
        {"augmentation": "mda"},
        full({"augmentation": "standard", "train.accumulate": 3}),
        full({"augmentation": "none", "precision": "bf16"}),
        full({"augmentation": "none", "sampling": "class_balanced"}),
        full({"augmentation": "mda", "select": "val", "train.epochs": 2, "inference": "center"}),
        full({"augmentation": "none", "refinement": "crt"}),
        full({"head": "linear", "init": "linear_probe"}),
        full({"head": "cache", "method": "tip_adapter", "augmentation": "none"}),
        full({"init": "class_mean"}),
    ],
    ids=lambda settings: ",".join(map(str, settings.values())),
)
def test_a_run_is_the_same_with_the_cache_and_without(
    registry: Registry, tmp_path: Path, settings: dict[str, Any]
) -> None:
    settings = {**FROZEN, **settings}
    if settings["method"] == "tip_adapter":
        del settings["head"], settings["train.epochs"]
    without, first, again = notes_of_the_same_run(registry, tmp_path, settings)
    assert without == []
    assert any("computed once" in note for note in first)
    assert all("found in" in note for note in again)


TAU = {"refinement": "tau_norm"}
LAST = {"method": "lora", "method.layers": 2, "augmentation": "none"}


@pytest.mark.full
@pytest.mark.parametrize(
    "settings",
    [
        {**LAST},
        {**LAST, "method": "lift_plus", "method.layers": 1, "train.accumulate": 3},
        {**LAST, "method": "adaptformer", "method.layers": [3], "precision": "bf16"},
        {**LAST, "method": "vpt", "method.deep": False, "select": "val", "inference": "center"},
        {**LAST, "method": "full", "sampling": "class_balanced", "refinement": "crt"},
        {"method": "proj_tuning", "augmentation": "none"},
        {"method": "clip_adapter", "augmentation": "none"},
        {**LAST, "backbone": "timm", "backbone.model": "test_vit", "backbone.pretrained": False},
    ],
    ids=lambda settings: ",".join(map(str, settings.values())),
)
def test_a_run_is_the_same_with_kept_activations_and_without(
    registry: Registry, tmp_path: Path, settings: dict[str, Any]
) -> None:
    settings = {**FROZEN, **settings}
    if settings.get("backbone") == "timm":
        settings["init"] = "random"
    _, first, again = notes_of_the_same_run(registry, tmp_path, settings)
    assert sum("computed once" in note for note in first) >= 2  # of train and test images
    assert all("found in" in note for note in again)


@pytest.mark.full
def test_methods_seeds_and_rates_share_one_pass_over_the_images(
    registry: Registry, tmp_path: Path
) -> None:
    cache, encoded = Cache(tmp_path / "cache", GB), []
    runs: list[dict[str, Any]] = [
        {"method": "classifier_only", "train.epochs": 3},
        {"method": "classifier_only", "train.epochs": 3, "seed": 1, "train.lr": 0.001},
        {
            "method": "classifier_only",
            "train.epochs": 3,
            "head": "linear",
            "refinement": "tau_norm",
        },
        {"method": "linear_probe"},
        {"method": "ncm", "seed": 1},
        {"method": "tip_adapter"},
        {"method": "proj_tuning", "train.epochs": 3},
    ]
    for number, settings in enumerate(runs):
        shared = {k: v for k, v in FROZEN.items() if k != "train.epochs"}
        notes = Notes()
        settings = {**shared, "augmentation": "none", **settings}
        ran(registry, tmp_path / str(number), settings, cache, notes)
        encoded.append(notes.encoded)
    assert encoded == [105 + 355, 0, 0, 0, 0, 0, 0]


def test_activations_of_frozen_blocks_are_kept_for_epochs_that_see_the_same_views(
    registry: Registry, tmp_path: Path
) -> None:
    cache, notes = Cache(tmp_path / "cache", GB), Notes()
    built = assembled(registry, tmp_path, LAST, cache, notes)
    loader = training_loader(built, image_loader(built, 0, 3))
    assert isinstance(loader, FeatureLoader)
    parts = [part for batch in loader.epoch(1, 32, 2) for part in batch]
    (told,) = notes.of_features
    assert told == "activations before block 5 of 6 of 105 images (914 KB): computed once"
    images = [part for batch in image_loader(built, 0, 3).epoch(1, 32, 2) for part in batch]
    for ours, theirs in zip(parts, images, strict=True):
        assert torch.equal(ours.targets.labels, theirs.targets.labels)
        logits = loader.logits(built.model, ours.inputs)
        assert torch.equal(logits, built.model(theirs.inputs))
        assert logits.requires_grad
    once = training_loader(built, image_loader(built, 0, 1))
    assert isinstance(once, ImageLoader), "nothing to gain from one epoch"
    few = training_loader(built, image_loader(built, 0, 3, chosen=np.arange(9)))
    assert isinstance(few, ImageLoader), "of few of the images"
    # The method's options are not part of the key, and neither is the method.
    other = {**LAST, "method": "bitfit", "seed": 1}
    built = assembled(registry, tmp_path, other, cache, notes)
    next(iter(training_loader(built, image_loader(built, 1, 3)).epoch(0, 32)))
    assert "found in" in notes.of_features[-1]


def test_activations_leave_half_of_the_cache_to_others(registry: Registry, tmp_path: Path) -> None:
    notes = Notes()
    built = assembled(registry, tmp_path, LAST, Cache(tmp_path / "cache", 1_000_000), notes)
    loader = training_loader(built, image_loader(built, 0, 3))
    (part, *_) = next(iter(loader.epoch(0, 8)))
    assert part.inputs.shape == (8, 3, 32, 32)
    assert loader.logits(built.model, part.inputs).shape == (8, 10)
    (told,) = notes.of_features
    assert told == (
        "activations before block 5 of 6 are computed each time: expected at most 500 KB, half of "
        "the cache, got 914 KB"
    )


def test_views_drawn_at_random_are_trained_on_images(registry: Registry, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", GB)
    built = assembled(registry, tmp_path, {**LAST, "augmentation": "mda"}, cache)
    assert built.frozen is not None
    assert isinstance(training_loader(built, image_loader(built, 0, 3)), ImageLoader)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"method": "lift_plus"}, "the encoder learns"),
        ({"augmentation": "mixup"}, "images are mixed"),
        ({"sampling": "class_balanced"}, "an image is seen several times, each time otherwise"),
    ],
)
def test_what_features_do_not_say_is_trained_on_images(
    registry: Registry, tmp_path: Path, settings: dict[str, Any], why: str
) -> None:
    built = assembled(registry, tmp_path, settings)
    assert isinstance(training_loader(built, image_loader(built, 0, 3)), ImageLoader), why


def test_dropout_in_the_encoder_is_trained_on_images(registry: Registry, tmp_path: Path) -> None:
    built = assembled(registry, tmp_path, {})
    assert isinstance(training_loader(built, image_loader(built, 0, 3)), FeatureLoader)
    built.model.backbone.model.register_forward_hook(
        lambda module, args, output: torch.nn.functional.dropout(output, training=module.training)
    )
    assert isinstance(training_loader(built, image_loader(built, 0, 3)), ImageLoader)


def test_batch_norms_keep_their_statistics(registry: Registry, tmp_path: Path) -> None:
    resnet = {"backbone": "timm", "backbone.model": "test_resnet", "backbone.pretrained": False}
    built = assembled(registry, tmp_path, {**resnet, "init": "random"})
    before = {name: one.clone() for name, one in built.model.backbone.named_buffers()}
    assert any("running_mean" in name for name in before)
    assert isinstance(training_loader(built, image_loader(built, 0, 3)), FeatureLoader)
    after = dict(built.model.backbone.named_buffers())
    assert all(torch.equal(after[name], one) for name, one in before.items())


@pytest.mark.full
def test_features_are_shared_by_losses_but_not_by_views(registry: Registry, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", GB)
    settings = {**FROZEN, "augmentation": "none"}
    ran(registry, tmp_path, settings, cache)
    *_, other_loss = ran(registry, tmp_path, {**settings, "loss": "ce"}, cache)
    *_, other_views = ran(registry, tmp_path, {**settings, "inference": "center"}, cache)
    assert [("found" in note) for note in other_loss] == [True, True]
    assert [("found" in note) for note in other_views] == [True, False]  # of train; of test


def test_a_learned_encoder_is_not_kept(registry: Registry, tmp_path: Path) -> None:
    *_, told = ran(registry, tmp_path, {**FROZEN, "method": "bitfit"}, Cache(tmp_path / "c", GB))
    assert told == []


@pytest.mark.full
def test_too_little_room_is_told_and_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    settings = {**FROZEN, "augmentation": "none"}
    without = ran(registry, tmp_path / "1", settings, NO_CACHE)
    little = ran(registry, tmp_path / "2", settings, Cache(tmp_path / "cache", 20_000))
    assert little[:2] == without[:2]
    assert any("computed each time" in note and "20 KB" in note for note in little[2])


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two classes of four images in files, and one test image each."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 4), ("test", 1)):
        for label in ("cat", "dog"):
            folder = tmp_path / "photographs" / split / label
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(0, 255, (40, 50, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    return tmp_path / "photographs"


def test_a_file_that_changed_is_encoded_again(
    registry: Registry, tmp_path: Path, photographs: Path
) -> None:
    settings = {
        "dataset": "folder",
        "dataset.path": str(photographs),
        "method": "classifier_only",
        "augmentation": "none",
        "train.epochs": 2,
        "precision": "fp32",
    }
    cache = Cache(tmp_path / "cache", GB)
    first = ran(registry, tmp_path / "1", settings, cache)
    again = ran(registry, tmp_path / "2", settings, cache)
    assert again[:2] == first[:2]
    assert all("found" in note for note in again[2])
    changed = photographs / "train" / "cat" / "0.png"
    Image.new("RGB", (40, 50), "red").save(changed)
    os.utime(changed, ns=(1, 1))
    told = ran(registry, tmp_path / "3", settings, cache)
    assert [("found" in note) for note in told[2]] == [False, True]
    assert told[0] != first[0]


@pytest.mark.full
def test_damaged_features_are_computed_again(registry: Registry, tmp_path: Path) -> None:
    settings = {**FROZEN, "augmentation": "none"}
    cache = Cache(tmp_path / "cache", GB)
    first = ran(registry, tmp_path / "1", settings, cache)
    files = [file for file in cache.folder.rglob("features.npy") if file.parent.name[0] != "."]
    assert len(files) == 2
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[:128] + bytes(len(content) - 128))
    again = ran(registry, tmp_path / "2", settings, cache)
    assert again[:2] == first[:2]
    assert all("computed once" in note for note in again[2])


@pytest.mark.parametrize(
    "settings",
    [
        {"init": "class_mean", "init.per_class": 3},
        pytest.param({"init": "linear_probe", "init.per_class": 3}, marks=pytest.mark.full),
        pytest.param({"method": "tip_adapter", "head.per_class": 3}, marks=pytest.mark.full),
    ],
    ids=lambda settings: ",".join(map(str, settings.values())),
)
def test_the_seed_draws_the_images_that_a_head_starts_from(
    registry: Registry, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """With a cache that the seeds share: its keys have the images in them."""
    settings = {**FROZEN, **settings}
    if settings["method"] == "tip_adapter":
        del settings["train.epochs"]
    cache = Cache(tmp_path / "cache", GB)

    def head(seed: int) -> torch.Tensor:
        resolved = resolve(registry, {**settings, "seed": seed}, tmp_path)
        runtime = RuntimeConfig(tmp_path, "cpu", 0, cache)
        found = build_run(resolved, runtime.loader_config(resolved.spec)).model.head
        tensor: torch.Tensor = found.get_parameter(
            "keys" if "head.per_class" in settings else "weight"
        )
        return tensor.detach().clone()

    first, other = head(0), head(1)
    assert torch.equal(first, head(0))
    assert first.shape == other.shape
    assert not torch.equal(first, other)
    settings[next(key for key in settings if key.endswith("per_class"))] = 20
    assert torch.equal(head(0), head(1)), "no class has more than 20"


def test_drawn_images_are_a_function_of_the_seed_whatever_the_list(
    registry: Registry, tmp_path: Path
) -> None:
    """Of a class whose list is ordered, such as by day, not only the first days are seen."""
    built = assembled(registry, tmp_path, {"dataset.largest": 40})
    values, labels = built.features(5)
    everything, of_all = built.features()
    first = int(labels.bincount().argmax())
    ours, theirs = values[labels == first], everything[of_all == first]
    place = [int((theirs - one).abs().sum(dim=1).argmin()) for one in ours]
    assert len(set(place)) == 5
    assert place == sorted(place)
    assert place != list(range(5))


def assembled(
    registry: Registry,
    tmp_path: Path,
    settings: dict[str, Any],
    cache: Cache = NO_CACHE,
    progress: ProgressReporter = SILENT,
) -> BuiltRun:
    resolved = resolve(registry, {**FROZEN, **settings}, tmp_path)
    config = RuntimeConfig(tmp_path, "cpu", 0, cache).loader_config(resolved.spec)
    return build_run(resolved, config, progress=progress)
