"""Builds the model of a run: backbone, head and method, without any image of the data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.config.resolve import Resolved
from ltbench.contexts import BackboneContext, BuildContext
from ltbench.engine.building.build_checks import expect_tensor, try_out
from ltbench.engine.building.build_dataset import build
from ltbench.engine.building.checked_optimizer import GroupRule, ungrouped
from ltbench.engine.model.blank_images import blank_images
from ltbench.engine.model.classifier import Classifier
from ltbench.errors import ConfigError, DataError, NothingMatchedError
from ltbench.protocols import StartsItself, TrainingFeatures
from ltbench.registry.attribution import attribute_errors
from ltbench.specs import InitSpec, MethodSpec


@dataclass(frozen=True)
class TrainingClasses:
    """TrainingClasses of a data set, as far as components may depend on them.

    Args:
        names: K names, by class id.
        counts: K numbers of training images, by class id.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class BuiltModel:
    """Classifier of a run.

    Args:
        classifier: Backbone with its method, and head; the learned parameters are set.
        context: Facts that the remaining components are built from, with the scale of the head.
        rules: Rule of each learned parameter that the method put into a group, by its name.
    """

    classifier: Classifier
    context: BuildContext
    rules: Mapping[str, GroupRule]


def build_backbone(resolved: Resolved, device: torch.device) -> Backbone:
    """Returns the backbone on its device, in the joint space if the method works there.

    Raises:
        LTBenchError: The backbone cannot be built, its weights are damaged, or the method does not
            fit it.
    """
    backbone = build("backbone", Backbone, resolved, BackboneContext(seed=resolved.spec.seed))
    backbone.requires_grad_(False).to(device)
    features = try_out("backbone", resolved, backbone, blank_images(backbone), (1, backbone.width))
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


def build_context(
    resolved: Resolved,
    classes: TrainingClasses,
    backbone: Backbone,
    device: torch.device,
    *,
    stored: bool,
) -> BuildContext:
    """Returns the facts that components other than data set and backbone are built from.

    Args:
        resolved: Choices of the run.
        classes: Classes that the model is trained on.
        backbone: Pretrained backbone.
        device: Device of the model.
        stored: Whether the model takes the stored weights of a finished run.
    """
    spec = resolved.spec
    return BuildContext(
        num_classes=len(classes.names),
        class_counts=classes.counts,
        class_names=classes.names,
        width=backbone.width,
        resolution=backbone.resolution,
        logit_scale=backbone.logit_scale,
        epochs=spec.train.epochs,
        seed=spec.seed,
        device=str(device),
        stored=stored,
    )


def build_model(
    resolved: Resolved,
    context: BuildContext,
    backbone: Backbone,
    features: TrainingFeatures,
    *,
    initialise: bool = True,
) -> BuiltModel:
    """Returns the classifier of a run.

    The head starts before the method changes the backbone: its weight is made from the pretrained
    features, as in the papers.

    Args:
        resolved: Choices of the run.
        context: Facts that the components are built from.
        backbone: Pretrained backbone; the method changes it in place.
        features: Features of training images, for the init and the head.
        initialise: Whether the init makes the head's first weight; without, a stored weight is
            expected to be loaded.
    """
    torch.manual_seed(resolved.spec.seed)
    head = _head(resolved, context, backbone, features, initialise)
    context = replace(context, head_scale=_scale(head, resolved))
    learned, rules = _method(resolved, context, backbone, head)
    model = Classifier(backbone, head).to(context.device)
    with resolved.components["method"].attributed():
        model.learn_only(learned)
    named = {name: rules[p] for name, p in model.learned().items() if p in rules}
    return BuiltModel(model, context, named)


def _head(
    resolved: Resolved,
    context: BuildContext,
    backbone: Backbone,
    features: TrainingFeatures,
    initialise: bool,
) -> nn.Module:
    """Returns the head with its first weight."""
    head = build("head", nn.Module, resolved, context)
    head.to(context.device)
    start = getattr(head, "weight", None)
    if isinstance(start, nn.Parameter) and initialise:
        with attribute_errors(resolved.components["init"]):
            weight = resolved.build("init", context)(backbone, features)
            _expect_same_files(resolved)
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


def _expect_same_files(resolved: Resolved) -> None:
    """Checks that the files of the init are still those that the run's hash was made from.

    Raises:
        DataError: They have changed since.
    """
    spec, choice = resolved.components["init"].spec, resolved.spec.init
    assert isinstance(spec, InitSpec)
    if choice.identity and spec.identity(resolved.configs["init"]) != choice.identity:
        files = ", ".join(choice.paths.values())
        raise DataError(
            f"init '{choice.name}': {files} changed while the run was started",
            hint="start the run again: it is another one now, with another hash",
        )


def _scale(head: nn.Module, resolved: Resolved) -> float:
    """Returns the factor of a head's logits, 1 for a head without one."""
    with attribute_errors(resolved.components["head"]):
        return float(getattr(head, "scale", 1.0))


def _method(
    resolved: Resolved, context: BuildContext, backbone: Backbone, head: nn.Module
) -> tuple[list[nn.Parameter], dict[nn.Parameter, GroupRule]]:
    """Applies the method; returns the learned parameters, and the rules of its groups."""
    method = resolved.components["method"].spec
    assert isinstance(method, MethodSpec)
    # Parameters that the head shares with the backbone are frozen with it.
    of_head = [parameter for parameter in head.parameters() if parameter.requires_grad]
    if not method.token_wise:
        backbone.compute_all_tokens()
    with attribute_errors(resolved.components["method"]):
        returned = list(resolved.build("method", context).apply(backbone))
        learned, rules = ungrouped(returned, resolved.components["method"])
    backbone.to(context.device)
    _expect_part_in_features(resolved, backbone, learned)
    return [*learned, *(of_head if method.learns_head else ())], rules


def _expect_part_in_features(
    resolved: Resolved, backbone: Backbone, learned: list[nn.Parameter]
) -> None:
    """Checks that the features depend on every parameter that is learned in the backbone.

    Raises:
        NothingMatchedError: The model computes without a module that has a role.
    """
    with attribute_errors(resolved.components["method"]), torch.enable_grad():
        for parameter in learned:
            parameter.requires_grad_(True)
        features = backbone.eval()(blank_images(backbone))
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
