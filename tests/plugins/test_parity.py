"""Methods, heads, losses, initialisation and views against the paper authors' own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.config.runspec import TrainConfig
from ltbench.data.resample import resample
from ltbench.engine.checkpoint import TrainState
from ltbench.engine.model import Classifier
from ltbench.engine.precision import choose_arithmetic
from ltbench.engine.train import cosine
from ltbench.specs import Layers
from ltbench_plugins.augmentations.mda import MdaConfig
from ltbench_plugins.augmentations.mda import build as build_mda
from ltbench_plugins.heads.cosine import CosineConfig
from ltbench_plugins.heads.cosine import build as build_cosine
from ltbench_plugins.heads.linear import LINEAR
from ltbench_plugins.inferences.center import CENTER
from ltbench_plugins.inferences.tte import TTE, TteConfig
from ltbench_plugins.inits.semantic import SEMANTIC
from ltbench_plugins.losses.ce import CE
from ltbench_plugins.losses.logit_adjusted import LOGIT_ADJUSTED
from ltbench_plugins.methods.adaptformer import ADAPTFORMER, AdaptFormerConfig
from ltbench_plugins.methods.classifier_only import CLASSIFIER_ONLY
from ltbench_plugins.methods.full import FULL, FullConfig
from ltbench_plugins.methods.sizes import automatic_size
from tests import parity

LOGITS, LOSSES = 1e-4, 1e-5


def no_features(per_class: int) -> tuple[Tensor, Tensor]:
    raise AssertionError("semantic initialisation reads no images")


# family -> backbone, and the class counts of its reference run
FAMILIES: dict[str, tuple[Callable[[], Backbone], str]] = {
    "clip": (parity.clip_vit, "reference"),
    "vit": (parity.timm_vit, "reference_timm_resnet"),
    "resnet": (parity.timm_resnet, "reference_timm_resnet"),
    "clip_resnet": (parity.clip_resnet, "reference_timm_resnet"),
}
ADAPTFORMER_4 = (ADAPTFORMER, AdaptFormerConfig(dim=4))


def full(layers: Layers = "all") -> tuple[object, FullConfig]:
    return FULL, FullConfig(layers)


CASES = {
    "clip/classifier_only": (CLASSIFIER_ONLY, CLASSIFIER_ONLY.config()),
    "clip/full": full(),
    "clip/full_last2": full(2),
    "clip/adaptformer": ADAPTFORMER_4,
    "vit/adaptformer": ADAPTFORMER_4,
    "vit/full": full(),
    "resnet/classifier_only": (CLASSIFIER_ONLY, CLASSIFIER_ONLY.config()),
    "resnet/full": full(),
    "clip_resnet/classifier_only": (CLASSIFIER_ONLY, CLASSIFIER_ONLY.config()),
    "clip_resnet/full": full(),
}
DIVERGING = {"vit/full"}  # at the reference's learning rate


def our_name(family: str, name: str) -> str:
    """Translates a reference name of a new weight into ours."""
    if name == "classifier.weight":
        return "head.weight"
    blocks = "transformer.resblocks" if family == "clip" else "blocks"
    return name.replace("image_encoder.blocks", f"backbone.model.{blocks}")


def assemble(case: str) -> tuple[Classifier, dict[str, Tensor], dict[str, Any]]:
    family, method_name = case.split("/")
    make, file = FAMILIES[family]
    stored, facts = parity.values(file), parity.facts(file)
    prefix = f"{method_name}/" if family == "clip" else f"{case}/"
    group = (facts["methods"] if family == "clip" else facts["groups"])[prefix[:-1]]
    reference = {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}
    backbone = make()
    ctx = parity.context(facts["class_counts"], backbone)
    spec, config = CASES[case]
    learned = spec.build(config, ctx).apply(backbone)  # type: ignore[attr-defined]
    model = Classifier(backbone, build_cosine(CosineConfig(), ctx))
    model.learn_only([*learned, *model.head.parameters()])
    parameters = dict(model.named_parameters())
    starts = {k.removeprefix("init/"): v for k, v in reference.items() if k.startswith("init/")}
    if "classifier.weight" not in starts:  # full starts from the checkpoint and the class names
        starts["classifier.weight"] = stored["semantic_init/classifier.weight"]
    with torch.no_grad():
        for name, value in starts.items():
            parameters[our_name(family, name)].copy_(value)
    return model, reference, {**group, "file": file, "counts": facts["class_counts"]}


def steps(model: Classifier, facts: dict[str, Any]) -> Iterator[tuple[int, Tensor]]:
    """Takes three full-batch steps; yields each loss between its backward pass and the step."""
    stored = parity.values(facts["file"])
    ctx = parity.context(facts["counts"], model.backbone)
    loss_of = LOGIT_ADJUSTED.build(LOGIT_ADJUSTED.config(), ctx)
    arithmetic = choose_arithmetic("fp32", torch.device("cpu"))
    state = TrainState.start(model, TrainConfig(), arithmetic)
    model.training_mode()
    for step in range(3):
        loss = loss_of(model.head(model.backbone(stored["images"])), stored["labels"])
        loss.backward()
        yield step, loss.detach()
        state.optimizer.step()
        state.optimizer.zero_grad()


@pytest.mark.parametrize("case", CASES)
def test_three_steps_equal_the_reference(case: str) -> None:
    model, reference, facts = assemble(case)
    images = parity.values(facts["file"])["images"]

    @torch.no_grad()
    def logits() -> Tensor:
        computed: Tensor = model.head(model.backbone(images))
        return computed

    assert sum(p.numel() for p in model.learned().values()) == facts["learnable"]
    model.training_mode()
    assert parity.relative(logits(), reference["logits_before"]) < LOGITS
    frozen = {n: p.clone() for n, p in model.named_parameters() if not p.requires_grad}
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    for step, loss in steps(model, facts):
        if step == 0:
            for name, parameter in model.learned().items():
                check_gradient(case, name, parameter, reference)
        tolerance = 1e-3 if case in DIVERGING else LOSSES
        assert loss.item() == pytest.approx(facts["loss_per_step"][step], rel=tolerance)
    if case not in DIVERGING:
        assert parity.relative(logits(), reference["logits_after_3_steps"]) < LOGITS
    for name, before in frozen.items():
        assert torch.equal(before, model.get_parameter(name)), name
    for name, before in buffers.items():
        assert torch.equal(before, model.get_buffer(name)), name


def check_gradient(case: str, name: str, parameter: Tensor, reference: dict[str, Tensor]) -> None:
    family = case.split("/")[0]
    norms = {
        our_name(family, key.removeprefix("grad_norm/")): value
        for key, value in reference.items()
        if key.startswith("grad_norm/")
    }
    if name in norms:  # the reference has other names for what was there before
        assert parameter.grad is not None
        assert parameter.grad.norm().item() == pytest.approx(norms[name].item(), rel=1e-3)


def test_semantic_initialisation() -> None:
    backbone, facts = parity.clip_vit(), parity.facts()
    ctx = parity.context(facts["class_counts"], backbone, facts["classnames"])
    weight = SEMANTIC.build(SEMANTIC.config(), ctx)(backbone, no_features)
    assert parity.relative(weight, parity.values()["semantic_init/classifier.weight"]) < LOGITS


def test_zero_shot_logits() -> None:
    backbone, facts, stored = parity.clip_vit(), parity.facts(), parity.values()
    backbone.project()
    ctx = parity.context(facts["class_counts"], backbone, facts["classnames"])
    head = build_cosine(CosineConfig(scale=None), ctx)
    with torch.no_grad():
        head.weight.copy_(SEMANTIC.build(SEMANTIC.config(), ctx)(backbone, no_features))
        logits = head(backbone(stored["images"]))
    assert parity.relative(logits, stored["zero_shot/logits"]) < LOGITS


def test_heads() -> None:
    stored = parity.values()
    features, weight = stored["classifier/features"], stored["classifier/weight"]
    ctx = parity.context(parity.facts()["class_counts"], parity.clip_vit())
    cosine_head = build_cosine(CosineConfig(), ctx)
    linear_head = LINEAR.build(LINEAR.config(), ctx)
    with torch.no_grad():
        cosine_head.weight.copy_(weight)
        linear_head.weight.copy_(weight)
        linear_head.bias.copy_(stored["classifier/LinearClassifier/bias"])
        ours = {"CosineClassifier": cosine_head, "LinearClassifier": linear_head}
        for name, head in ours.items():
            assert parity.relative(head(features), stored[f"classifier/{name}/logits"]) < LOGITS


@pytest.mark.parametrize(("name", "spec"), [("ce", CE), ("logit_adjusted", LOGIT_ADJUSTED)])
def test_losses_and_gradients(name: str, spec: object) -> None:
    stored, facts = parity.values(), parity.facts()
    logits = stored["loss/logits"].clone().requires_grad_()
    ctx = parity.context(facts["class_counts"], parity.clip_vit())
    loss = spec.build(spec.config(), ctx)(logits, stored["loss/labels"])  # type: ignore[attr-defined]
    loss.backward()
    assert loss.item() == pytest.approx(facts["loss"][name], rel=LOSSES)
    assert logits.grad is not None
    assert parity.relative(logits.grad, stored[f"loss/grad/{name}"]) < LOGITS


def test_mda_schedules() -> None:
    ctx = parity.context([1, 1], parity.clip_vit())
    for key, expected in parity.facts()["mda"]["schedule"].items():
        schedule, epochs = key.split("/")
        mda = build_mda(MdaConfig(schedule=schedule), ctx)
        ours = [mda.smallest(epoch / (int(epochs) - 1)) for epoch in range(int(epochs))]
        assert ours == pytest.approx(expected, rel=1e-9)


def test_mda_boxes_have_the_law_of_the_reference() -> None:
    """Every reference box is one that ours could draw, and the mean areas agree."""
    boxes = parity.facts()["mda"]["boxes"]
    mda = build_mda(MdaConfig(), parity.context([1, 1], parity.clip_vit()))
    random = np.random.default_rng(0)
    groups: dict[tuple[int, int, int, int], list[int]] = {}
    for box in boxes:
        assert box["crop_h"] == box["crop_w"]
        key = (box["height"], box["width"], box["epoch"], box["epochs"])
        groups.setdefault(key, []).append(box["crop_h"])
    for (height, width, epoch, epochs), sides in groups.items():
        progress = epoch / (epochs - 1)
        sizes = np.tile([[height, width]], (20_000, 1))
        drawn = mda.views(sizes, random.random((20_000, 3)), progress).boxes
        assert (drawn[:, 2] == drawn[:, 3]).all()
        assert (drawn[:, :2] >= 0).all()
        assert (drawn[:, :2] + drawn[:, 2:] <= [height, width]).all()
        assert drawn[:, 2].min() <= min(sides)
        assert drawn[:, 2].max() >= max(sides)
        smallest = round(np.sqrt(mda.smallest(progress) * height * width))
        assert min(sides) >= min(smallest, height, width)
        assert drawn[:, 2].min() >= min(smallest, height, width)
        spread = max(drawn[:, 2].std() / np.sqrt(len(sides)), 0.5)
        assert abs(np.mean(sides) - drawn[:, 2].mean()) < 4 * spread


@pytest.mark.parametrize("name", ["tte", "center"])
def test_views_and_their_logits(name: str) -> None:
    stored = parity.values()
    model, _, facts = assemble("clip/adaptformer")
    for _ in steps(model, facts):  # the reference's views were seen by the trained model
        pass
    ctx = parity.context(parity.facts()["class_counts"], model.backbone)
    inference = (
        TTE.build(TteConfig(24), ctx) if name == "tte" else CENTER.build(CENTER.config(), ctx)
    )
    pixels = stored["tte/pixels"]
    sizes = np.tile([pixels.shape[-2:]], (len(pixels), 1))
    boxes = torch.from_numpy(inference.views(sizes).boxes)
    views = resample(pixels, boxes, None, ctx.resolution)
    ours = model.backbone.normalize(views)
    reference = stored["tte/crops"] if name == "tte" else stored["center/input"][:, None]
    assert (ours - reference).abs().max() <= 1.01 / 127.5  # a level of 255, on an exact half
    model.eval()
    with torch.no_grad():
        logits = model(views.flatten(0, 1)).unflatten(0, views.shape[:2])
    assert parity.relative(inference.reduce(logits), stored[f"{name}/logits"]) < LOGITS


def test_automatic_sizes() -> None:
    for row in parity.facts()["auto_dim"]:
        assert automatic_size(row["classes"] / (2 * row["layers"])) == row["adaptformer"]


def test_learning_rates() -> None:
    ours = [cosine(0.02, epoch, 5) for epoch in range(5)]
    assert ours == pytest.approx(parity.facts()["lr_per_epoch_5"], rel=1e-9)
