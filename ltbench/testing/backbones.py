"""Checks of backbones."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch

from ltbench.backbone import Backbone
from ltbench.contexts import BackboneContext
from ltbench.registry.component import Component
from ltbench.specs import BackboneSpec
from ltbench.testing.bench import Bench, Trial, trials
from ltbench.testing.check import Check, Skipped, bind


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a backbone."""
    functions = (check_features, check_roles_are_called, check_copies, check_text, check_identity)
    for trial in trials(component):
        yield from bind(f"backbone {trial.name}", functions, component, bench, trial)


def _built(component: Component, bench: Bench, trial: Trial) -> Backbone:
    backbone = component.spec.build(bench.config(trial, component), BackboneContext(seed=0))
    assert isinstance(backbone, Backbone), f"build returns a {type(backbone).__name__}"
    return backbone.eval().requires_grad_(False)


def _images(backbone: Backbone, count: int) -> torch.Tensor:
    side = backbone.resolution
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    return backbone.normalize(pixels)


def check_features(component: Component, bench: Bench, trial: Trial) -> None:
    """Features (B, width) are finite, reproducible, and independent of the rest of the batch."""
    backbone, again = (_built(component, bench, trial) for _ in range(2))
    images = _images(backbone, 2)
    features = backbone(images)
    assert features.shape == (2, backbone.width), f"features are {tuple(features.shape)}"
    assert features.isfinite().all(), "some features are not finite"
    assert torch.allclose(backbone(images[:1]), features[:1], rtol=1e-3, atol=1e-4), (
        "the features of an image depend on the other images of its batch"
    )
    assert torch.equal(features, again(images)), "a second build gives other features"


def check_roles_are_called(component: Component, bench: Bench, trial: Trial) -> None:
    """Every module that has a role takes part in the forward pass, so that its hooks are called."""
    backbone = _built(component, bench, trial)
    if not any(block.paths for block in backbone.blocks):
        raise Skipped("the blocks of the backbone have no roles")
    called: set[tuple[int, str]] = set()
    for number, block in enumerate(backbone.blocks):
        for role in block.paths:
            block[role].register_forward_hook(
                lambda module, args, output, key=(number, role): called.add(key)
            )
    backbone(_images(backbone, 1))
    for number, block in enumerate(backbone.blocks):
        missing = [role for role in block.paths if (number, role) not in called]
        assert not missing, f"block {number} never calls {missing}"


def check_copies(component: Component, bench: Bench, trial: Trial) -> None:
    """A deep copy gives the same features and shares no weights with the original."""
    backbone = _built(component, bench, trial)
    images = _images(backbone, 1)
    before = backbone(images)
    copied = copy.deepcopy(backbone)
    assert torch.equal(before, copied(images)), "the copy gives other features"
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.mul_(1.1)
    assert torch.equal(before, backbone(images)), "changing the copy changes the original"


def check_text(component: Component, bench: Bench, trial: Trial) -> None:
    """Texts have normalised features in the space of the projected image features."""
    backbone = _built(component, bench, trial)
    if backbone.text is None:
        raise Skipped("the backbone has no text tower")
    features = backbone.text.encode(["a photo of a cat.", "a photo of a dog."])
    assert torch.allclose(features.norm(dim=1), torch.ones(2), atol=1e-4)
    assert not torch.allclose(*features), "two texts have the same features"
    backbone.project()
    assert features.shape[1] == backbone.width, "image and text features differ in length"


def check_identity(component: Component, bench: Bench, trial: Trial) -> None:
    """The identity of the weights is a reproducible string."""
    spec = component.spec
    assert isinstance(spec, BackboneSpec)
    config = bench.config(trial, component)
    assert isinstance(spec.identity(config), str)
    assert spec.identity(config) == spec.identity(config)
