"""Whole runs of methods, against the same computed by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional as F

from ltbench.api.finished_run import load_run
from ltbench.contexts import DataContext
from ltbench.data.randomness import sample_per_class
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import RunResult
from ltbench_plugins.backbones import clip_tiny
from ltbench_plugins.datasets.digits_lt import DIGITS_LT
from tests import parity
from tests.conftest import Ended
from tests.covered import value_of


@dataclass(frozen=True)
class Finished:
    """What a run ended with: its result, all logits of the test images, and what it learned."""

    result: RunResult
    logits: Tensor
    learned: dict[str, Tensor]


Run = Callable[..., Finished]
ONE_EPOCH = ("--epochs", "1")
STILL = (*ONE_EPOCH, "--lr", "1e-12")


@pytest.fixture
def run(cli: Callable[..., Ended]) -> Run:
    """Runs a method on 128 digits; a test image is seen as it is."""
    small = ("--set", "dataset.largest=24", "--set", "dataset.ratio=4", "--precision", "fp32")
    view = ("--inference", "multi_scale", "--set", "inference.scales=[1.0]")

    def run(method: str, *arguments: str) -> Finished:
        ended = cli("run", *small, *view, "--method", method, *arguments, "--json")
        assert ended.code == 0, ended.err
        folder = Path(ended.json["directory"])
        predictions = Predictions.read(next(folder.glob("predictions-*.parquet")))
        logits = np.take_along_axis(predictions.logits, predictions.classes.argsort(axis=1), axis=1)
        learned = load_file(folder / "learned.safetensors")
        return Finished(load_run(folder), torch.from_numpy(logits), learned)

    return run


@cache
def digits(split: str) -> tuple[Tensor, Tensor]:
    """Normalised images (N, 3, 32, 32) and labels (N,)."""
    dataset = DIGITS_LT.build(DIGITS_LT.config(largest=24, ratio=4), DataContext(Path(), 0))
    images: Any = dataset.splits[split].images
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in (clip_tiny.MEAN, clip_tiny.STD))
    return (pixels - mean) / std, torch.from_numpy(dataset.splits[split].labels)


@cache
def clip() -> Any:
    """open_clip's own model."""
    import open_clip

    model = open_clip.CLIP(**clip_tiny.ARCHITECTURE)
    model.load_state_dict(load_file(clip_tiny.WEIGHTS))
    return model.eval()


@torch.no_grad()
def encoded(split: str, joint: bool = False) -> Tensor:
    """open_clip's features, (N, 128), or in the space shared with the text, (N, 64)."""
    visual = copy.deepcopy(clip().visual)
    if not joint:
        visual.proj = None
    found: Tensor = visual(digits(split)[0])
    return found


@torch.no_grad()
def texts() -> Tensor:
    """open_clip's unit features of the class names, (10, 64)."""
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    tokens = clip_tiny.tokenize([f"a photo of a {name}." for name in names])
    return F.normalize(clip().encode_text(tokens), dim=1)


@torch.no_grad()
def cosines(left: Tensor, right: Tensor) -> Tensor:
    return F.normalize(left, dim=1) @ F.normalize(right, dim=1).T


def zero_shot() -> Tensor:
    scale = float(clip().logit_scale.detach().exp())
    return scale * cosines(encoded("test", joint=True), texts())


def tip_adapter() -> Tensor:
    labels = digits("train")[1]
    drawn = torch.from_numpy(sample_per_class(0, labels.numpy(), labels.bincount().numpy(), 16))
    keys = encoded("train", joint=True)[drawn]
    votes = torch.exp(-5.5 * (1 - cosines(encoded("test", joint=True), keys)))
    return zero_shot() + votes @ F.one_hot(labels[drawn], 10).float()


def gla() -> Tensor:
    features, labels = encoded("train", joint=True), digits("train")[1]
    scale = float(clip().logit_scale.detach().exp())
    logits = scale * cosines(features, texts()).double()
    share = 0.1 / labels.bincount()[labels].double()

    def objective(bias: Any) -> tuple[float, Any]:
        q = torch.tensor(bias, requires_grad=True)
        loss = share @ F.cross_entropy(logits - q, labels, reduction="none")
        loss.backward()
        assert q.grad is not None
        return loss.item(), q.grad.numpy()

    log_q = torch.from_numpy(minimize(objective, np.zeros(10), jac=True, tol=1e-9).x).float()
    learned = 25 * cosines(encoded("test", joint=True), texts())
    return learned + zero_shot() - (log_q - log_q.mean())


def ncm() -> Tensor:
    unit, labels = F.normalize(encoded("train"), dim=1), digits("train")[1]
    means = torch.stack([unit[labels == k].mean(dim=0) for k in range(10)])
    return 25 * cosines(encoded("test"), means)


@value_of("method", "zero_shot", "tip_adapter", "ncm")
@pytest.mark.parametrize("expected", [zero_shot, tip_adapter, ncm])
def test_a_whole_run_without_training_by_hand(run: Run, expected: Callable[[], Tensor]) -> None:
    found = run(expected.__name__)
    assert parity.relative(found.logits, expected()) < 1e-4
    assert found.result.training.epochs == 0


@value_of("method", "linear_probe")
def test_linear_probe_is_the_logistic_regression_of_scikit_learn(run: Run) -> None:
    theirs = LogisticRegression(C=0.316, max_iter=1000)
    theirs.fit(encoded("train").numpy(), digits("train")[1].numpy())
    expected = theirs.predict_proba(encoded("test").numpy())
    assert np.allclose(run("linear_probe").logits.softmax(dim=1).numpy(), expected, atol=1e-3)


@value_of("method", "coop", "tip_adapter_f", "clip_adapter", "proj_tuning", "gla")
@pytest.mark.parametrize(
    ("method", "options", "expected", "encoder", "head"),
    [
        ("coop", (), zero_shot, 0, len("a photo of a ") * 64),
        ("tip_adapter_f", (), tip_adapter, 0, (3 * 16 + 15 + 12 + 11 + 9 + 8 + 6 + 6) * 64),
        ("clip_adapter", ("--set", "method.ratio=0"), zero_shot, 64 * 16 + 16 * 64, 0),
        ("proj_tuning", (), zero_shot, 128 * 64, 0),
        ("gla", (), gla, 0, 10 * 64),
    ],
)
def test_where_a_method_starts_and_how_much_it_learns(
    run: Run,
    method: str,
    options: tuple[str, ...],
    expected: Callable[[], Tensor],
    encoder: int,
    head: int,
) -> None:
    found = run(method, *options, *STILL)
    assert parity.relative(found.logits, expected()) < 1e-4
    assert (found.result.learned.encoder, found.result.learned.head) == (encoder, head)


@pytest.mark.full
@value_of("method", "ballad")
def test_ballad_starts_as_zero_shot_and_learns_both_towers_and_the_adapter(run: Run) -> None:
    still = (
        "--set",
        "refinement.lr=1e-12",
        "--set",
        "refinement.epochs=1",
        "--set",
        "head.ratio=0",
    )
    found = run("ballad", *STILL, *still)
    assert parity.relative(found.logits, zero_shot()) < 1e-4
    image, whole = (sum(p.numel() for p in part.parameters()) for part in (clip().visual, clip()))
    text = whole - image - 1  # the scale of the logits stays
    assert found.result.learned.encoder == image
    assert found.result.learned.head == text + 64 * 64


@pytest.mark.full
@value_of("method", "wise_ft")
def test_wise_ft_is_half_way_from_zero_shot_to_fine_tuned(run: Run) -> None:
    before, half, after = (
        run("wise_ft", *ONE_EPOCH, "--lr", "0.01", "--set", f"refinement.alpha={alpha}")
        for alpha in (0, 0.5, 1)
    )
    assert parity.relative(before.logits, zero_shot()) < 1e-4
    assert parity.relative(after.logits, zero_shot()) > 1e-2
    assert torch.allclose(before.learned["head.weight"], texts(), atol=1e-6)
    for name, weight in half.learned.items():
        assert torch.allclose(weight, (before.learned[name] + after.learned[name]) / 2, atol=1e-6)


@pytest.mark.full
@value_of("method", "soup")
def test_soup_is_the_mean_of_fine_tunings_with_the_next_seeds(run: Run) -> None:
    soup = run("soup", *ONE_EPOCH, "--set", "refinement.members=2")
    one, two = (run("full", *ONE_EPOCH, "--seed", seed) for seed in "01")
    assert not torch.equal(one.learned["head.weight"], two.learned["head.weight"])
    for name, weight in soup.learned.items():
        assert torch.allclose(weight, (one.learned[name] + two.learned[name]) / 2, atol=1e-6)


@pytest.mark.full
@value_of("method", "lt_soups")
def test_lt_soups_on_all_images_alone_is_part_of_the_way_to_full(run: Run) -> None:
    recipe = ("--optimizer", "adamw", "--schedule", "cosine", "--augmentation", "standard")
    warmup = ("--set", "schedule.warmup_epochs=0.25")
    before, after = (
        run("full", *recipe, *warmup, *ONE_EPOCH, "--lr", lr) for lr in ("1e-12", "0.001")
    )
    merge = ("refinement.subsets=1", "refinement.replicas=1", "refinement.retention=0.25")
    options = [part for one in merge for part in ("--set", one)]
    soup = run("lt_soups", *ONE_EPOCH, "--lr", "0.001", *options)
    assert soup.learned.keys() == after.learned.keys()
    for name, weight in soup.learned.items():
        merged = 0.25 * before.learned[name] + 0.75 * after.learned[name]
        is_head = name.startswith("head.")  # which is trained on from the merged one
        assert torch.allclose(weight, merged, atol=1e-5) != is_head, name
    assert soup.result.refinement is not None
    assert [row["stage"] for row in soup.result.refinement.history] == ["refinement-1"]


def decoupled(run: Run, method: str, *options: str) -> tuple[Finished, Finished]:
    """A method of decoupled training, and what it started from: the encoders are the same."""
    first = run("full", "--head", "linear", "--loss", "ce", *ONE_EPOCH)
    found = run(method, *ONE_EPOCH, *options)
    assert found.learned.keys() == first.learned.keys()
    for name in found.learned:
        same = torch.equal(found.learned[name], first.learned[name])
        assert same == name.startswith("backbone."), name
    return found, first


@pytest.mark.full
@value_of("method", "tau_norm")
def test_tau_norm_divides_what_full_learned(run: Run) -> None:
    found, first = decoupled(run, "tau_norm")
    weight = first.learned["head.weight"]
    expected = weight / weight.norm(dim=1, keepdim=True) ** 0.7
    assert torch.allclose(found.learned["head.weight"], expected)
    assert not found.learned["head.bias"].any()


@pytest.mark.full
@value_of("method", "lws")
def test_lws_multiplies_what_full_learned(run: Run) -> None:
    found, first = decoupled(run, "lws", "--set", "refinement.lr=0.1")
    factors = found.learned["head.bias"] / first.learned["head.bias"]
    assert (factors - 1).abs().min() > 1e-4
    expected = factors[:, None] * first.learned["head.weight"]
    assert torch.allclose(found.learned["head.weight"], expected, atol=1e-5)


@value_of("method", "crt")
def test_crt_starts_the_head_of_full_again(run: Run) -> None:
    found, _ = decoupled(run, "crt", "--set", "refinement.lr=1e-12")
    projection = clip().visual.proj.detach()
    expected = F.normalize(texts() @ projection.T, dim=1)
    assert torch.allclose(found.learned["head.weight"], expected, atol=1e-6)
    assert found.learned["head.bias"].abs().max() < 1e-9


@value_of("method", "full", "classifier_only")
def test_what_is_learned_of_a_backbone(run: Run) -> None:
    """Of 6 blocks of width 128: 2 norms, qkv, out and the MLP; of the head 10 x 128."""
    block = 2 * 2 * 128 + 128 * 384 + 384 + 128 * 128 + 128 + 2 * 128 * 512 + 512 + 128
    for method, options, encoder in (
        ("full", (), 6 * block),
        ("full", ("--set", "method.layers=2"), 2 * block),
        ("classifier_only", (), 0),
    ):
        learned = run(method, *options, "--epochs", "0").result.learned
        assert (learned.encoder, learned.head) == (encoder, 1280)
