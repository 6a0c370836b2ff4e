"""The head's first weight, computed by hand or by scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.errors import ConfigError
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("init")
NAMES = ["cat_fish", "dog"]


class Features:
    """Features of training images, and how many of each class were asked for."""

    def __init__(self, values: Any, labels: Any) -> None:
        self.values = torch.as_tensor(values, dtype=torch.float32)
        self.labels = torch.as_tensor(labels)
        self.asked: list[int | None] = []

    def __call__(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        self.asked.append(per_class)
        return self.values, self.labels


def weight(
    name: str,
    backbone: Backbone,
    features: Features | None = None,
    names: list[str] | None = None,
    classes: int = 2,
    **options: Any,
) -> Tensor:
    spec = SPECS[name]
    ctx = parity.context([1] * classes, backbone, names)
    made: Tensor = spec.build(spec.config(**options), ctx)(backbone, features or Features([], []))
    return made


@value_of("init", "class_mean")
def test_class_mean_is_the_direction_of_the_mean() -> None:
    features = Features([[1, 0], [5, 8], [0, -3]], [0, 0, 2])
    made = weight("class_mean", parity.narrow_vit(1), features, classes=3, per_class=7)
    assert torch.allclose(made, torch.tensor([[0.6, 0.8], [0, 0], [0, -1]]))  # (3, 4) / 5
    assert features.asked == [7]


@value_of("init", "linear_probe")
@pytest.mark.parametrize("present", [[0, 1, 2], [1, 3, 4], [0, 2]])
def test_linear_probe_has_the_directions_of_scikit_learn(present: list[int]) -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(present, [20, 8, 3][: len(present)])
    values = (random.normal(size=(len(labels), 5)) + labels[:, None]).astype(np.float32)
    classes = max(present) + 1
    features = Features(values, labels)
    made = weight("linear_probe", parity.narrow_vit(1), features, classes=classes)
    assert features.asked == [100]
    theirs = LogisticRegression(class_weight="balanced").fit(values, labels).coef_
    if len(present) == 2:
        theirs = np.concatenate([-theirs, theirs])
    expected = np.zeros((classes, 5))
    expected[present] = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    assert np.allclose(made.numpy(), expected, atol=1e-4)


def test_a_probe_of_one_class_is_an_error() -> None:
    features = Features([[1.0, 2.0]], [0])
    with pytest.raises(ConfigError, match="at least two classes"):
        weight("linear_probe", parity.narrow_vit(1), features)


@value_of("init", "random")
def test_random_directions_are_uniform_on_the_sphere() -> None:
    """In three dimensions each coordinate is uniform: Archimedes' hat-box theorem."""
    init = SPECS["random"]
    ctx = replace(parity.context([1] * 20_000, parity.narrow_vit(1)), width=3)
    made = init.build(init.config(), ctx)(None, None)
    assert torch.allclose(made.norm(dim=1), torch.ones(20_000))
    for column in made.T:
        assert kstest((column.numpy() + 1) / 2, "uniform").pvalue > 0.01
    assert np.abs(np.corrcoef(made.T) - np.eye(3)).max() < 0.02
    assert torch.equal(made, init.build(init.config(), ctx)(None, None))
    other = init.build(init.config(), replace(ctx, seed=1))(None, None)
    assert not torch.isclose(made, other).all(dim=1).any()


@value_of("init", "semantic")
@pytest.mark.parametrize(
    ("options", "prompts"),
    [
        ({}, ["a photo of a {}."]),
        ({"template": "{}, drawn"}, ["{}, drawn"]),
        (
            {"ensemble": "simple"},
            [
                "itap of a {}.",
                "a bad photo of the {}.",
                "a origami {}.",
                "a photo of the large {}.",
                "a {} in a video game.",
                "art of the {}.",
                "a photo of the small {}.",
            ],
        ),
    ],
)
@pytest.mark.parametrize("joint", [False, True])
def test_semantic_is_the_mean_of_normalised_text_features(
    options: dict[str, Any], prompts: list[str], joint: bool
) -> None:
    backbone = parity.clip_vit()
    if joint:
        backbone.project()
    assert backbone.text is not None
    assert backbone.projection is not None
    expected = []
    with torch.no_grad():
        for name in ("cat fish", "dog"):
            tokens = backbone.text.tokenize([prompt.replace("{}", name) for prompt in prompts])
            text = F.normalize(backbone.text.encoder(tokens), dim=-1).mean(dim=0)
            text = text / text.norm()
            carried = text if joint else backbone.projection @ text
            expected.append(carried / carried.norm())
        made = weight("semantic", backbone, names=NAMES, **options)
    assert torch.allclose(made, torch.stack(expected), atol=1e-5)


def test_the_large_ensemble_is_that_of_imagenet() -> None:
    backbone = parity.clip_vit()
    assert backbone.text is not None
    said = []
    tokenize = backbone.text.tokenize
    backbone.text.tokenize = lambda texts: said.extend(texts) or tokenize(texts)
    weight("semantic", backbone, names=["dog", "cat"], ensemble="imagenet")
    assert (len(said), len(set(said))) == (160, 160)
    assert said[0] == "a bad photo of a dog."
    assert said[-1] == "a tattoo of the cat."


def test_semantic_needs_a_text_tower() -> None:
    with pytest.raises(ConfigError, match="needs a backbone with a text tower"):
        weight("semantic", parity.timm_vit())
