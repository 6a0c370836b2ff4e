"""Methods, initialisation and views against the paper authors' own code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import Tensor

from ltbench.backbone import Backbone, Block, Role
from ltbench.config.runspec import TrainConfig
from ltbench.contexts import BackboneContext
from ltbench.data.loading.resample import resample
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.precision import asked_for
from ltbench.engine.training.checkpoint import TrainState
from ltbench.specs import MethodSpec
from ltbench_plugins.augmentations.mda import MdaConfig
from ltbench_plugins.augmentations.mda import build as build_mda
from ltbench_plugins.backbones import clip_tiny
from ltbench_plugins.heads.cosine import CosineConfig
from ltbench_plugins.heads.cosine import build as build_cosine
from ltbench_plugins.inferences.center import CENTER
from ltbench_plugins.inferences.tte import TTE, TteConfig
from ltbench_plugins.inits.semantic import SEMANTIC
from ltbench_plugins.losses.logit_adjusted import LOGIT_ADJUSTED
from ltbench_plugins.methods.adapter import ADAPTER
from ltbench_plugins.methods.adaptformer import ADAPTFORMER
from ltbench_plugins.methods.aft import AFT
from ltbench_plugins.methods.bitfit import BITFIT
from ltbench_plugins.methods.classifier_only import CLASSIFIER_ONLY
from ltbench_plugins.methods.full import FULL
from ltbench_plugins.methods.lift import LIFT
from ltbench_plugins.methods.lift_plus import LIFT_PLUS
from ltbench_plugins.methods.lora import LORA
from ltbench_plugins.methods.ssf import SSF
from ltbench_plugins.methods.vpt import VPT
from ltbench_plugins.optimizers.sgd import Sgd, SgdConfig
from ltbench_plugins.schedules.cosine_per_epoch import CosinePerEpoch, CosinePerEpochConfig
from tests import parity
from tests.covered import value_of
from tests.laws import mda_law

LOGITS, LOSSES, GRADIENTS = 1e-4, 1e-5, 1e-4


def no_features(per_class: int) -> tuple[Tensor, Tensor]:
    raise AssertionError("semantic initialisation reads no images")


# family -> backbone, and the class counts of its reference run
FAMILIES: dict[str, tuple[Callable[[], Backbone], str]] = {
    "clip": (parity.clip_vit, "reference"),
    "vit": (parity.timm_vit, "reference_timm_resnet"),
    "resnet": (parity.timm_resnet, "reference_timm_resnet"),
    "clip_resnet": (parity.clip_resnet, "reference_timm_resnet"),
}
CASES: dict[str, tuple[MethodSpec, dict[str, Any]]] = {
    "clip/classifier_only": (CLASSIFIER_ONLY, {}),
    "clip/full": (FULL, {}),
    "clip/full_last2": (FULL, {"layers": 2}),
    "clip/bitfit": (BITFIT, {}),
    "clip/vpt_deep": (VPT, {"length": 3}),
    "clip/vpt_shallow": (VPT, {"length": 3, "deep": False}),
    "clip/lora": (LORA, {"dim": 2}),
    "clip/adapter": (ADAPTER, {"dim": 4}),
    "clip/adaptformer": (ADAPTFORMER, {"dim": 4}),
    "clip/ssf": (SSF, {}),
    "clip/aft": (AFT, {"ratio": 0.01}),
    "vit/adaptformer": (ADAPTFORMER, {"dim": 4}),
    "vit/lora": (LORA, {"dim": 2}),
    "vit/vpt_deep": (VPT, {"length": 3}),
    "vit/bitfit": (BITFIT, {}),
    "vit/ssf": (SSF, {}),
    "vit/adapter": (ADAPTER, {"dim": 4}),
    "vit/full": (FULL, {}),
    "resnet/classifier_only": (CLASSIFIER_ONLY, {}),
    "resnet/bitfit": (BITFIT, {}),
    "resnet/ssf": (SSF, {}),
    "resnet/full": (FULL, {}),
    "clip_resnet/classifier_only": (CLASSIFIER_ONLY, {}),
    "clip_resnet/bitfit": (BITFIT, {}),
    "clip_resnet/ssf": (SSF, {}),
    "clip_resnet/full": (FULL, {}),
}
DIVERGING = {"vit/full", "vit/bitfit"}  # at the reference's learning rate

# What the reference calls the parts of a block, and the roles that they play.
ROLES: dict[str, Role] = {
    "norm1": "norm1",
    "attn_in_proj": "qkv",
    "attn_out_proj": "attn_out",
    "norm2": "norm2",
    "mlp_in_proj": "mlp_in",
    "mlp_out_proj": "mlp_out",
}
# What the reference calls a weight of a block, and what we do, but for the name of the part.
WEIGHTS = {
    r"prompt": r"vpt.prompt",
    r"(?:attn|mlp)\.(lora|adapter)\.(.+)": r"\1.\2",
    r"(attn|mlp)\.ssf\.(in|out)_proj\.(scale|shift)": r"\1_\2_proj.ssf.\3",
    r"(attn|mlp)\.aft\.(in|out)_proj\.masked_(weight|bias)\.optimized_params": (
        r"\1_\2_proj.learned.\3.entries"
    ),
    r"(attn|mlp)\.aft\.(in|out)_proj\.masked_(weight|bias)\.mask": r"\1_\2_proj.learned.\3.index",
    r"(\w+)_(weight|bias)": r"\1.\2",
}


def our_name(backbone: Backbone, name: str) -> str:
    """Translates the reference's name of a learned weight, or of its mask, into ours."""
    if name == "classifier.weight":
        return "head.weight"
    if name.startswith("image_encoder.ssf."):
        return name.replace("image_encoder", "backbone")
    found = re.fullmatch(r"image_encoder\.blocks\.(\d+)[._](.+)", name)
    assert found, name
    block = backbone.blocks[int(found[1])]
    paths = {module: path for path, module in backbone.named_modules()}
    return f"backbone.{paths[block.module]}.{our_name_in(block, found[2])}"


def our_name_in(block: Block, name: str) -> str:
    if not block.paths:  # of a ResNet: downsample_1_bias
        return name.replace("_", ".")
    for theirs, ours in WEIGHTS.items():
        if found := re.fullmatch(theirs, name):
            part, _, rest = found.expand(ours).partition(".")
            return f"{block.paths[ROLES[part]]}.{rest}" if part in ROLES else f"{part}.{rest}"
    return name


def build_run(case: str) -> tuple[Classifier, dict[str, Tensor], dict[str, Any]]:
    """Returns the model as the reference started it, what was measured then, and facts about it."""
    family, method_name = case.split("/")
    make, file = FAMILIES[family]
    stored, facts = parity.values(file), parity.facts(file)
    prefix = f"{method_name}/" if family == "clip" else f"{case}/"
    reference = under(stored, prefix)
    backbone = make()
    ctx = parity.context(facts["class_counts"], backbone)
    spec, options = CASES[case]
    learned = spec.build(spec.config(**options), ctx).apply(backbone)
    model = Classifier(backbone, build_cosine(CosineConfig(), ctx))
    model.learn_only([*learned, *model.head.parameters()])
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    starts = under(reference, "init/")
    if "classifier.weight" not in starts:  # full starts from the checkpoint and the class names
        starts["classifier.weight"] = stored["semantic_init/classifier.weight"]
    with torch.no_grad():
        for name, value in starts.items():
            parameters[our_name(backbone, name)].copy_(value)
        for name, mask in under(reference, "mask/").items():
            buffers[our_name(backbone, name)].copy_(mask.flatten().nonzero()[:, 0])
    return model, reference, {**parity.groups()[case], "file": file, "counts": ctx.class_counts}


def under(reference: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in reference.items() if k.startswith(prefix)}


def steps(model: Classifier, facts: dict[str, Any]) -> Iterator[tuple[int, Tensor]]:
    """Takes three full-batch steps; yields each loss between its backward pass and the step."""
    stored = parity.values(facts["file"])
    ctx = parity.context(facts["counts"], model.backbone)
    loss_of = LOGIT_ADJUSTED.build(LOGIT_ADJUSTED.config(), ctx)
    policy = asked_for("fp32", torch.device("cpu"))
    sgd = Sgd(SgdConfig())([{"params": list(model.learned().values())}], TrainConfig().lr)
    state = TrainState.start(sgd, policy)
    model.training_mode()
    for step in range(3):
        loss = loss_of(model.head(model.backbone(stored["images"])), stored["labels"])
        loss.backward()
        yield step, loss.detach()
        state.optimizer.step()
        state.optimizer.zero_grad()


def test_every_run_of_the_reference_has_a_case() -> None:
    assert parity.groups().keys() == CASES.keys()


@value_of("method", *{spec.name for spec, _ in CASES.values()})
@pytest.mark.parametrize("case", CASES)
def test_three_steps_equal_the_reference(case: str) -> None:
    model, reference, facts = build_run(case)
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
            norms = under(reference, "grad_norm/")
            gradients = {our_name(model.backbone, name): norm for name, norm in norms.items()}
            assert gradients.keys() == model.learned().keys()
            for name, norm in gradients.items():
                gradient = model.get_parameter(name).grad
                assert gradient is not None
                assert gradient.norm().item() == pytest.approx(norm.item(), rel=GRADIENTS), name
        tolerance = 1e-3 if case in DIVERGING else LOSSES
        assert loss.item() == pytest.approx(facts["loss_per_step"][step], rel=tolerance)
    if case not in DIVERGING:
        assert parity.relative(logits(), reference["logits_after_3_steps"]) < LOGITS
    for name, before in frozen.items():
        assert torch.equal(before, model.get_parameter(name)), name
    for name, before in buffers.items():
        assert torch.equal(before, model.get_buffer(name)), name


@value_of("init", "semantic")
def test_semantic_initialisation() -> None:
    backbone, facts = parity.clip_vit(), parity.facts()
    ctx = parity.context(facts["class_counts"], backbone, facts["classnames"])
    weight = SEMANTIC.build(SEMANTIC.config(), ctx)(backbone, no_features)
    assert parity.relative(weight, parity.values()["semantic_init/classifier.weight"]) < LOGITS


@value_of("method", "zero_shot")
def test_zero_shot_logits() -> None:
    backbone, facts, stored = parity.clip_vit(), parity.facts(), parity.values()
    backbone.project()
    ctx = parity.context(facts["class_counts"], backbone, facts["classnames"])
    head = build_cosine(CosineConfig(scale=None), ctx)
    with torch.no_grad():
        head.weight.copy_(SEMANTIC.build(SEMANTIC.config(), ctx)(backbone, no_features))
        logits = head(backbone(stored["images"]))
    assert parity.relative(logits, stored["zero_shot/logits"]) < LOGITS


@value_of("augmentation", "mda")
def test_mda_schedules() -> None:
    ctx = parity.context([1, 1], parity.clip_vit())
    for key, expected in parity.facts()["mda"]["schedule"].items():
        schedule, epochs = key.split("/")
        mda = build_mda(MdaConfig(schedule=schedule), ctx)
        ours = [mda.smallest(epoch / (int(epochs) - 1)) for epoch in range(int(epochs))]
        assert ours == pytest.approx(expected, rel=1e-9)


@value_of("augmentation", "mda")
@pytest.mark.parametrize(
    ("size", "epoch", "largest", "share"),
    [((375, 500), 3, 0.006, 0.571), ((64, 640), 0, 0.08, None)],
)
def test_mda_has_no_point_mass_on_the_largest_square(
    size: tuple[int, int], epoch: int, largest: float, share: float | None
) -> None:
    """Frequencies of the published code, by its law; capping what is drawn gives .416 and .98."""
    sizes, random = np.tile([size], (20_000, 1)), np.random.default_rng(0)
    mda = build_mda(MdaConfig(), parity.context([1, 1], parity.clip_vit()))
    boxes = mda.views(sizes, random.random((20_000, 3)), epoch / 4).boxes
    assert (boxes[:, 2] == min(size)).mean() == pytest.approx(largest, abs=0.01)
    if share is not None:
        area = boxes[:, 2] * boxes[:, 3] / (size[0] * size[1])
        assert area.mean() == pytest.approx(share, abs=0.003)


@value_of("augmentation", "mda")
def test_the_boxes_of_the_reference_have_the_law_of_mda() -> None:
    """Four boxes a case say little, all of them together more."""
    mda = build_mda(MdaConfig(), parity.context([1, 1], parity.clip_vit()))
    random = np.random.default_rng(0)
    levels = []
    for box in parity.facts()["mda"]["boxes"]:
        size, progress = (box["height"], box["width"]), box["epoch"] / (box["epochs"] - 1)
        law = mda_law(size, mda.smallest(progress))
        below, upto = law(np.array([box["crop_h"] - 1, box["crop_h"]]))
        assert upto > below, "it cannot be drawn"
        levels.append(below + (upto - below) * random.random())
    assert kstest(levels, "uniform").pvalue > 0.01


@value_of("inference", "tte", "center")
@pytest.mark.parametrize("name", ["tte", "center"])
def test_views_and_their_logits(name: str) -> None:
    stored = parity.values()
    model, _, facts = build_run("clip/adaptformer")
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


@pytest.mark.parametrize("row", parity.facts()["auto_dim"], ids=lambda row: f"{row['classes']}")
def test_automatic_sizes(row: dict[str, int]) -> None:
    backbone = parity.narrow_vit(row["layers"])
    ctx = parity.context([1] * row["classes"], backbone)
    for spec in (ADAPTFORMER, ADAPTER, LORA, VPT):
        spec.build(spec.config(), ctx).apply(backbone)
    block = backbone.blocks[-1].module
    assert block.adaptformer.down.out_features == row["adaptformer"]
    assert block.adapter.down.out_features == row["adapter"]
    assert block.lora.q.down.shape[1] == row["lora"]
    assert len(block.vpt.prompt) == row["vpt_length"]


@value_of("method", "adaptformer", "adapter", "lora", "vpt", "aft", "lift", "lift_plus")
@pytest.mark.parametrize(
    ("method", "options", "count"),
    [
        (ADAPTFORMER, {"layers": 2}, 8994),
        (LIFT, {"layers": 2}, 8994),
        (LIFT_PLUS, {"layers": 2}, 8994),
        (LIFT_PLUS, {"layers": (0, 5)}, 8994),
        (ADAPTER, {"layers": 2}, 8992),
        (LORA, {"layers": 2}, 8192),
        (VPT, {"layers": 2}, 8192),
        (VPT, {"layers": 2, "deep": False}, 8192),
        (VPT, {"deep": False}, 8192),
        (AFT, {"layers": 2}, 12_792),
        (ADAPTFORMER, {}, 14_646),
    ],
)
def test_sizes_follow_the_blocks_that_a_method_works_on(
    method: MethodSpec, options: dict[str, Any], count: int
) -> None:
    """Published counts of new parameters for 100 classes and 6 blocks of width 128."""
    backbone = clip_tiny.build(clip_tiny.CLIP_TINY.config(), BackboneContext(seed=0))
    ctx = parity.context([1] * 100, backbone)
    learned = method.build(method.config(**options), ctx).apply(backbone)
    assert sum(parameter.numel() for parameter in learned) == count


@value_of("method", "aft")
@pytest.mark.parametrize("seed", [0, 7])
def test_masks_of_aft_are_those_of_the_reference(seed: int) -> None:
    """Drawn by our own code: the published mask has a seed of its own, whatever the run's."""
    masks = under(parity.values(), "aft/mask/")
    backbone = parity.clip_vit()
    ctx = replace(parity.context(parity.facts()["class_counts"], backbone), seed=seed)
    AFT.build(AFT.config(ratio=0.01), ctx).apply(backbone)
    model = Classifier(backbone, build_cosine(CosineConfig(), ctx))
    buffers = dict(model.named_buffers())
    assert len(masks) == 32
    for name, mask in masks.items():
        index = buffers[our_name(backbone, name)]
        assert torch.equal(index, mask.flatten().nonzero()[:, 0]), name


def test_learning_rates() -> None:
    schedule = CosinePerEpoch(CosinePerEpochConfig())
    ours = [0.02 * schedule(7 * epoch, 7, 5) for epoch in range(5)]
    assert ours == pytest.approx(parity.facts()["lr_per_epoch_5"], rel=1e-9)
