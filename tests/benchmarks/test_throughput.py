from __future__ import annotations

import io
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from rich.console import Console
from torch import nn

from benchmarks.throughput import flops, images, ours
from benchmarks.throughput.goals import GOALS, Goal
from benchmarks.throughput.measured.accuracy import standard_errors
from benchmarks.throughput.measured.decoding import differences
from benchmarks.throughput.meter import Meter
from benchmarks.throughput.peers.adapted import AdaptedClip, adapter_width
from benchmarks.throughput.peers.files import ImageList, five_crops_transform, training_transform
from benchmarks.throughput.peers.hf_trainer import lora_rank
from benchmarks.throughput.process import Measurement, run_command
from benchmarks.throughput.results import Results
from benchmarks.throughput.scale import scale_of
from benchmarks.throughput.sections import SECTIONS
from benchmarks.throughput.table import print_results, shown
from benchmarks.throughput.values import Difference, Figure, Ratio
from ltbench_plugins.backbones.clip_tiny import ARCHITECTURE
from ltbench_plugins.methods.sizes import automatic_size

CPU = torch.device("cpu")
SETTINGS = {"dataset": "imagenet_lt", "dataset.lists": "own", "backbone": "clip_tiny"}
SMALL = {**images.Counts(classes=4, train=10, test=2).__dict__}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    images.run(str(root), **SMALL)
    return root


def results(**rows: list[dict[str, Any]]) -> Results:
    runtime = {
        "device": "cpu",
        "name": "m",
        "cores": 2,
        "peak_gflops": {"fp32": 100.0, "bf16": 200.0},
    }
    return Results(
        runtime, {"training": {name.replace("_", " "): row for name, row in rows.items()}}
    )


def test_a_ratio_is_taken_in_each_round_and_then_the_median() -> None:
    found = results(
        ours=[{"x": 4.0}, {"x": 30.0}, {"x": 10.0}], peer=[{"x": 2.0}, {"x": 10.0}, {"x": 10.0}]
    )
    assert Ratio("training", "ours", "peer", "x").of(found) == 2.0
    assert Difference("training", "ours", "peer", "x").of(found) == 2.0
    assert Figure("training", "ours", "x").of(found) == 10.0


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    found = results(ours=[{"x": 4.0}])
    for value in (Ratio("training", "ours", "peer", "x"), Figure("grid", "a", "b")):
        assert value.of(found) is None
        assert Goal("a", value, "≥", 1.0).reached(found) is None


@pytest.mark.parametrize(
    ("sign", "target", "reached"),
    [("≥", 4, True), ("≥", 5, False), ("≤", 4, True), ("≤", 3, False), ("≥", None, None)],
)
def test_a_goal_is_reached_on_its_side_of_the_target(
    sign: Any, target: float | None, reached: bool | None
) -> None:
    assert (
        Goal("a", Figure("training", "ours", "x"), sign, target).reached(results(ours=[{"x": 4.0}]))
        is reached
    )


def test_every_goal_is_about_rows_and_figures_that_there_are() -> None:
    scale = scale_of("cpu", Path("data"), quick=False)
    for goal in GOALS:
        value: Any = goal.value
        rows = SECTIONS[value.section].rows(scale)
        assert {value.row, getattr(value, "other", value.row)} <= set(rows)


def test_rows_take_turns_and_those_compared_with_nothing_are_measured_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Measurement, "take", lambda self: {"module": self.module})
    section = SECTIONS["training"]
    scale = scale_of("cpu", Path("data"), quick=False)
    taken = section.take(scale, told.append)
    assert {name: len(rounds) for name, rounds in taken.items()}["lift_plus"] == scale.rounds == 3
    assert len(taken["vpt"]) == 1
    first = [text for text in told if "round 1" in text]
    assert told[: len(first)] == first
    assert len(first) == len(taken)


def test_utilisation_is_set_against_the_highest_peak_that_was_seen() -> None:
    found = results(ours=[{"gflops": 100.0, "precision": "bf16"}, {"precision": "bf16"}])
    found.add_peaks({"fp32": 50.0, "bf16": 400.0})
    assert found.machine["peak_gflops"] == {"fp32": 100.0, "bf16": 400.0}
    assert found.rounds("training", "ours", "mfu") == [0.25]


def test_the_table_shows_medians_goals_and_verdicts() -> None:
    rows = {
        "lift_plus": [
            {"images_per_second": 4.0, "shares": {"data": 0.25}, "mfu": 0.6, "overhead": 0.2}
        ],
        "plain loop, fp32": [{"images_per_second": 1.0}],
    }
    console = Console(record=True, width=200, file=io.StringIO())
    print_results(Results(results().machine, {"training": rows}), console)
    text = console.export_text()
    assert "4.00x" in text
    assert "≥ 2.50x" in text
    assert "reached" in text
    assert "missed" in text  # the overhead
    assert "25.0%" in text
    assert "backward" not in text  # nobody measured it


def test_numbers_are_shown_in_their_form() -> None:
    assert shown(2.5, ".2fx") == "2.50x"
    assert shown(30.0, "d") == "30"
    assert shown(None, "d") == ""


def test_operations_of_a_linear_layer() -> None:
    # Forward 2 * 5 * 4 * 3; the gradient of the weight as many; of the input nobody asks.
    layer, batch = nn.Linear(4, 3), torch.ones(5, 4)
    assert flops.count(lambda: layer(batch).sum().backward()) == 2 * (2 * 5 * 4 * 3)


def test_frozen_weights_take_no_operations_for_their_gradients() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 3)
    batch = torch.ones(5, 4)
    first.requires_grad_(False)
    forward = 2 * 5 * 4 * 4 + 2 * 5 * 4 * 3
    assert flops.count(lambda: second(first(batch)).sum().backward()) == forward + 2 * 5 * 4 * 3


def test_shares_of_a_step_sum_to_one_and_nested_phases_are_not_counted_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter(range(100))
    monkeypatch.setattr("benchmarks.throughput.meter.time.perf_counter", lambda: float(next(now)))
    meter = Meter(CPU, warmup=1, steps=2, shares=True)
    for _ in meter.batches(iter(range(10))):
        with meter.phase("forward"), meter.phase("loss"):
            pass
    shares = meter.report(batch_size=8)["shares"]
    assert math.isclose(sum(shares.values()), 1)
    assert shares["forward"] == 2 * shares["loss"]  # before and after it


def test_a_meter_ends_the_loop_after_its_steps() -> None:
    meter = Meter(CPU, warmup=2, steps=3, shares=True)
    assert list(meter.batches(iter(range(100)))) == [0, 1, 2, 3, 4]
    report = meter.report(4)
    assert report["images_per_second"] > 0
    with meter.phase("forward"):  # of operations that are counted afterwards
        pass
    assert meter.report(4) == report


def test_a_tree_is_read_by_ltbench_and_by_peers(tree: Path) -> None:
    folder = tree / "imagenet_lt"
    prepared = ours.build({**SETTINGS, "method": "lift_plus"}, tree, "cpu", workers=0)
    train = prepared.parts.dataset.splits["train"]
    listed = ImageList(folder, "train", lambda image: image)
    assert len(train) == len(listed) == 10
    assert prepared.parts.dataset.class_counts.tolist() == [6, 2, 1, 1]
    for index in (0, 9):
        image, label = listed[index]
        assert image.size == (500, 375)
        assert label == train.labels[index]
        assert np.array_equal(np.asarray(image), train.images.read(index))


def test_a_tree_is_made_once_and_is_the_same_again(tree: Path, tmp_path: Path) -> None:
    images.run(str(tmp_path), **SMALL)
    path = images.read_rows(tree / "imagenet_lt", "train")[3][0]
    one, other = (root / "imagenet_lt" / path for root in (tree, tmp_path))
    assert one.read_bytes() == other.read_bytes()
    other.unlink()
    images.run(str(tmp_path), **SMALL)
    assert not other.exists()


def test_pictures_are_as_large_as_photographs(tree: Path) -> None:
    sizes = [path.stat().st_size for path in tree.rglob("*.JPEG")]
    assert len(sizes) == 10 + 4 + 2
    assert min(sizes) > 40_000
    assert max(sizes) < 200_000


def test_transforms_of_the_peers() -> None:
    image = images.picture(0)
    assert training_transform(224)(image).shape == (3, 224, 224)
    assert five_crops_transform(224)(image).shape == (5, 3, 224, 224)


def test_the_plain_model_learns_as_many_weights_as_lift_plus() -> None:
    prepared = ours.build({"method": "lift_plus", "dataset": "digits_lt"}, Path("data"), "cpu", 0)
    model = prepared.parts.model
    plain = AdaptedClip(open_clip.CLIP(**ARCHITECTURE).visual, adapter_width(10, 6), classes=10)
    counts = [
        sum(p.numel() for p in learned) for learned in (plain.learned(), model.learned().values())
    ]
    assert counts[0] == counts[1]
    assert plain(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_peers_use_the_sizes_of_the_paper() -> None:
    for classes in (10, 100, 1000, 8142):
        assert adapter_width(classes, 12) == automatic_size(classes / 24)
        assert lora_rank(classes, 12) == automatic_size(classes / 48)


@pytest.mark.full
def test_a_measurement_of_the_engines_own_loop() -> None:
    arguments = {
        "settings": {"method": "lift_plus", "dataset": "digits_lt", "precision": "fp32"},
        "data": "data",
        "device": "cpu",
        "batch_size": 8,
        "warmup": 1,
        "steps": 2,
    }
    found = Measurement("measured.training", arguments).take()
    assert math.isclose(sum(found["shares"].values()), 1)
    assert {"data", "augment", "forward", "backward", "step", "bookkeeping"} <= set(found["shares"])
    assert found["precision"] == "fp32"
    # The products of six blocks of width 128 on 17 tokens: 12 d^2 weights, of which the last block
    # has 9 d^2 behind its attention, for 8 tokens. The gradients go back to the first adapter,
    # beside the first block's MLP: through five blocks of six. Weights are frozen. What else is
    # counted (patches, adapters and head, 2 %; attention, 4 % where torch counts its kernel on
    # CPUs, which depends on its version) is less than a tenth.
    last = 3 * 17 + 9 * 8
    products = 2 * 128**2 * ((5 * 12 * 17 + last) + (4 * 12 * 17 + last))
    assert products < found["gflops_per_image"] * 1e9 < 1.1 * products


def test_views_of_files_are_near_those_of_pillow(tree: Path) -> None:
    views = ours.FileViews(SETTINGS, tree)
    files = [
        tree / "imagenet_lt" / path for path, _ in images.read_rows(tree / "imagenet_lt", "train")
    ]
    decoded = [ours.decode_file(file.read_bytes()) for file in files]
    seen = [views.views(number, pixels) for number, pixels in enumerate(decoded)]
    assert torch.equal(views.crop(decoded[0], seen[0])[0], views.read(1)[0][0])
    gaps = differences(views, files, [one.boxes.ravel() for one in seen])
    assert gaps["largest_difference"] <= 2
    assert gaps["over_2_levels"] == 0


def test_standard_errors_of_paired_differences() -> None:
    assert standard_errors([0.0, 0.0]) == 0
    assert standard_errors([1.0, 1.0]) == math.inf
    assert math.isclose(standard_errors([1.0, 3.0]), 2.0)  # mean 2, error 1


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        run_command([sys.executable, "-c", "raise SystemExit('no such thing')"])


@pytest.mark.full
def test_a_measurement_runs_in_a_process_of_its_own() -> None:
    found = Measurement("measured.device").take()
    assert found["device"] in ("cpu", "cuda")
    assert found["wall_seconds"] > 0
    json.dumps(found)
