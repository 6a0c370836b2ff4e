"""Builds everything that a resolved run names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.config.resolve import Resolved
from ltbench.config.runspec import Precision
from ltbench.data import Dataset
from ltbench.data.holdout import hold_out
from ltbench.data.loading.batches import LoaderConfig
from ltbench.data.verify import shared_files
from ltbench.engine.build.build_checks import blank, build, expect_tensor, try_out
from ltbench.engine.build.built_run import BuiltRun, described
from ltbench.engine.build.checked_components import (
    CheckedAugmentation,
    CheckedInference,
    CheckedLoss,
)
from ltbench.engine.build.class_names import name_warnings
from ltbench.engine.build.loaders import prepare_loading
from ltbench.engine.build.sampling_weights import sampling_weights
from ltbench.engine.environment import device_name
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.fingerprint import weights_fingerprint
from ltbench.engine.model.precision import choose_precision
from ltbench.engine.model.throughput import seconds_per_image
from ltbench.engine.model.training_features import ExtractedFeatures
from ltbench.errors import ConfigError, DataError, NothingMatchedError
from ltbench.progress import SILENT, ProgressReporter
from ltbench.protocols import StartsItself
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.specs import BackboneContext, BackboneSpec, BuildContext, DatasetSpec, MethodSpec

_Built = TypeVar("_Built")


def build_run(
    resolved: Resolved,
    loader_config: LoaderConfig,
    precision: Precision | None = None,
    progress: ProgressReporter = SILENT,
) -> BuiltRun:
    """Builds data set, backbone, head with its first weight, method, and the rest, in this order.

    The head starts before the method changes the backbone: its weight is made by the pretrained
    features, as in the papers.

    Args:
        resolved: The run.
        loader_config: How images reach the device.
        precision: What "auto" was found to be before; None: as the run has it.
        progress: Told how it gets on.

    Raises:
        LTBenchError: Whatever is wrong with a choice, the data or a plugin.
    """
    spec, device = resolved.spec, loader_config.device
    dataset = _dataset(resolved, progress)
    backbone = _backbone(resolved, loader_config)
    backbone_parameters = backbone.num_parameters()
    fingerprint = weights_fingerprint(backbone)
    policy = choose_precision(precision or spec.precision, backbone)
    key = {
        "backbone": described(spec.backbone),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "precision": policy.name,
    }
    progress.note(f"device: {key['device']}; precision: {policy.name} ({policy.reason})")
    learning = partial(seconds_per_image, backbone, policy, dict(key), loader_config.cache)
    dataset, loader_config = prepare_loading(
        dataset, spec, loader_config, backbone.resolution, learning, progress
    )
    context = BuildContext(
        num_classes=dataset.num_classes,
        class_counts=tuple(dataset.class_counts.tolist()),
        class_names=dataset.class_names,
        width=backbone.width,
        resolution=backbone.resolution,
        logit_scale=backbone.logit_scale,
        epochs=spec.train.epochs,
        seed=spec.seed,
        device=str(device),
    )
    torch.manual_seed(spec.seed)
    extractor = FeatureExtractor(backbone, loader_config, policy, key, progress)
    features = ExtractedFeatures(dataset, extractor, spec.seed)
    head = _head(resolved, context, backbone, features)
    context = replace(context, head_scale=_scale(head, resolved))
    learned = _method(resolved, context, backbone, head)
    model = Classifier(backbone, head).to(device)
    with resolved.components["method"].attributed():
        model.learn_only(learned)
    extractor.state = "learned" if model.encoder_learns else "frozen"
    extractor.key |= {"method": described(spec.method)}
    refinement = resolved.build("refinement", context)
    if refinement is not None:
        with attribute_errors(resolved.components["refinement"]):
            refinement.check(head, model.learned())
    return BuiltRun(
        dataset=dataset,
        model=model,
        loss=_seam(CheckedLoss, "loss", resolved, context),
        sampling_weights=sampling_weights(resolved, context, dataset),
        augmentation=_seam(CheckedAugmentation, "augmentation", resolved, context),
        refinement=refinement,
        inference=_seam(CheckedInference, "inference", resolved, context),
        context=context,
        loader_config=loader_config,
        policy=policy,
        extractor=extractor,
        choices=spec.choices(),
        features=features,
        backbone_parameters=backbone_parameters,
        fingerprint=fingerprint,
        warnings=_warnings(resolved, dataset, backbone),
    )


def _dataset(resolved: Resolved, progress: ProgressReporter) -> Dataset:
    """Returns the data set, with a validation split if the run uses one."""
    component = resolved.components["dataset"]
    context = replace(resolved.data, progress=progress)
    assert isinstance(component.spec, DatasetSpec)
    with attribute_errors(component):
        component.spec.check(resolved.configs["dataset"], context)
    dataset = build("dataset", Dataset, resolved, context)
    if "val" in dataset.splits or not resolved.spec.uses_val:
        return dataset
    return hold_out(dataset, resolved.spec.data_seed)


def _backbone(resolved: Resolved, loader_config: LoaderConfig) -> Backbone:
    """Returns the backbone on its device, in the joint space if the method works there."""
    backbone = build("backbone", Backbone, resolved, BackboneContext(seed=resolved.spec.seed))
    backbone.requires_grad_(False).to(loader_config.device)
    features = try_out("backbone", resolved, backbone, blank(backbone), (1, backbone.width))
    if not features.isfinite().all():
        raise DataError(
            f"the features of backbone '{resolved.spec.backbone.name}' are not finite",
            hint="its weights are damaged: take others",
        )
    method = resolved.components["method"].spec
    if isinstance(method, MethodSpec) and method.joint:
        if backbone.text is None:
            raise ConfigError(
                f"method '{method.name}' needs a backbone with a text tower, and "
                f"'{resolved.spec.backbone.name}' has none",
                hint="take a vision-language backbone such as a CLIP",
            )
        backbone.project()
    return backbone


def _warnings(resolved: Resolved, dataset: Dataset, backbone: Backbone) -> list[str]:
    """Returns what makes the run's result mean less than it seems to."""
    warnings = [*dataset.notes, *_shared_files(dataset), *backbone.warnings]
    seen, data = resolved.components["backbone"].spec, resolved.components["dataset"].spec
    assert isinstance(seen, BackboneSpec)
    assert isinstance(data, DatasetSpec)
    with attribute_errors(resolved.components["backbone"]):
        label_sets = seen.label_sets(resolved.configs["backbone"])
    if data.label_set and data.label_set in label_sets:
        instead = f"; {seen.without_labels}" if seen.without_labels else ""
        warnings.append(
            f"the weights of {seen.name} were trained with the labels of {data.label_set}, the "
            f"classes of {data.name}: its rare classes are not rare to them{instead}"
        )
    if backbone.text is not None:
        with attribute_errors(resolved.components["backbone"]):
            warnings += name_warnings(backbone.text, dataset.class_names, data.name)
    if resolved.spec.uses_val:
        val = dataset.splits["val"]
        present = len(np.unique(val.labels))
        if present < dataset.num_classes:
            warnings.append(
                f"validation knows {present:,} of {dataset.num_classes:,} classes, by "
                f"{len(val):,} images: what is chosen on it ignores the others"
            )
    return warnings


def _shared_files(dataset: Dataset) -> list[str]:
    """Returns a warning for each pair of splits that list the same files."""
    return [
        f"{first} and {second} share {count:,} images: what was trained on, or chosen by, tests "
        "nothing"
        for (first, second), count in shared_files(dataset).items()
        if first != second
    ]


def _head(
    resolved: Resolved, context: BuildContext, backbone: Backbone, features: ExtractedFeatures
) -> nn.Module:
    """Returns the head with its first weight."""
    head = build("head", nn.Module, resolved, context)
    head.to(context.device)
    start = getattr(head, "weight", None)
    if isinstance(start, nn.Parameter):
        with attribute_errors(resolved.components["init"]):
            weight = resolved.build("init", context)(backbone, features)
        expect_tensor("init", resolved, weight, (context.num_classes, context.width))
        expect_tensor("head", resolved, start, (context.num_classes, context.width))
        with torch.no_grad():
            start.copy_(weight)
    if isinstance(head, StartsItself):
        with attribute_errors(resolved.components["head"]):
            head.start(backbone, features)
        head.to(context.device)
    elif start is None:
        raise resolved.components["head"].contract_error("has neither `weight` nor `start`")
    features_of_one = torch.ones(1, context.width, device=context.device)
    try_out("head", resolved, head, features_of_one, (1, context.num_classes))
    return head


def _scale(head: nn.Module, resolved: Resolved) -> float:
    """Returns the factor of a head's logits, 1 where it has none."""
    with attribute_errors(resolved.components["head"]):
        return float(getattr(head, "scale", 1.0))


def _method(
    resolved: Resolved, context: BuildContext, backbone: Backbone, head: nn.Module
) -> list[nn.Parameter]:
    """Applies the method and returns everything that is learned."""
    method = resolved.components["method"].spec
    assert isinstance(method, MethodSpec)
    # What the head took over from the backbone is frozen with it.
    of_head = [parameter for parameter in head.parameters() if parameter.requires_grad]
    if not method.token_wise:
        backbone.compute_all_tokens()
    with attribute_errors(resolved.components["method"]):
        learned = list(resolved.build("method", context).apply(backbone))
    backbone.to(context.device)
    _expect_part_in_features(resolved, backbone, learned)
    return [*learned, *(of_head if method.learns_head else ())]


def _expect_part_in_features(
    resolved: Resolved, backbone: Backbone, learned: list[nn.Parameter]
) -> None:
    """Sees to it that features depend on everything that is learned in the backbone.

    Raises:
        NothingMatchedError: They do not: the model computes without a module that has a role.
    """
    with attribute_errors(resolved.components["method"]), torch.enable_grad():
        for parameter in learned:
            parameter.requires_grad_(True)
        features = backbone.eval()(blank(backbone))
        expect_tensor("method", resolved, features, (1, backbone.width))
        if not learned:
            return
        if not features.requires_grad:
            found: Sequence[Tensor | None] = [None] * len(learned)
        else:
            found = torch.autograd.grad(features.sum(), learned, allow_unused=True)
    idle = {id(p) for p, gradient in zip(learned, found, strict=True) if gradient is None}
    names = [name for name, parameter in backbone.named_parameters() if id(parameter) in idle]
    if names:
        raise NothingMatchedError(
            f"the features do not depend on {len(names)} of {len(learned)} weights that method "
            f"'{resolved.spec.method.name}' learns, such as {names[0]}",
            hint="the backbone computes without the module that they belong to; take another "
            "method, or another backbone",
        )


def _seam(
    checked: Callable[[Any, Component], _Built],
    kind: str,
    resolved: Resolved,
    context: BuildContext,
) -> _Built:
    return checked(resolved.build(kind, context), resolved.components[kind])
