"""Builds everything that a resolved run names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.config.resolve import Resolved
from ltbench.config.runspec import Choice, Precision
from ltbench.data import Dataset
from ltbench.data.batches import Batches, Loading
from ltbench.data.holdout import hold_out
from ltbench.engine.at_hand import at_hand
from ltbench.engine.encoded import EncodedStream
from ltbench.engine.encoding import Encoding
from ltbench.engine.environment import device_name
from ltbench.engine.features import TrainingFeatures
from ltbench.engine.fingerprint import weights_fingerprint
from ltbench.engine.model import Classifier
from ltbench.engine.pace import choose_arithmetic
from ltbench.engine.precision import Arithmetic
from ltbench.engine.seams import CheckedAugmentation, CheckedInference, CheckedLoss
from ltbench.engine.stream import Stream, TrainingStream
from ltbench.errors import ConfigError, DataError, NothingMatchedError, PluginError
from ltbench.plugins import Component, blame
from ltbench.protocols import Refinement, StartsItself
from ltbench.specs import BackboneContext, BackboneSpec, BuildContext, DatasetSpec, MethodSpec
from ltbench.watch import SILENT, Watch

_Built = TypeVar("_Built")


@dataclass
class Assembly:
    """The built parts of a run, on their device.

    Args:
        arithmetic: Precision of forward passes.
        encoding: Features of the encoder, where they can be kept.
        choices: The component of each kind.
        backbone_parameters: Weights of the image encoder before the method added its own.
        fingerprint: Of the backbone's weights before the method and the head saw them.
        warnings: What makes the run's result mean less than it seems to.
    """

    dataset: Dataset
    model: Classifier
    loss: CheckedLoss
    class_weights: NDArray[np.float64] | None
    augmentation: CheckedAugmentation
    refinement: Refinement | None
    inference: CheckedInference
    context: BuildContext
    loading: Loading
    arithmetic: Arithmetic
    encoding: Encoding
    features: TrainingFeatures
    choices: Mapping[str, Choice]
    backbone_parameters: int
    fingerprint: str
    warnings: list[str]

    def stream(
        self, seed: int, epochs: int, class_weights: NDArray[np.float64] | None = None
    ) -> TrainingStream:
        """Returns the training images, drawn as the sampling says or by the weights of classes.

        Raises:
            PluginError: The weights are not what `ltbench.protocols.Sampling` asks for.
        """
        weights = self.class_weights if class_weights is None else class_weights
        return TrainingStream(
            self.dataset,
            self.augmentation,
            self.context.resolution,
            self.loading,
            seed,
            epochs,
            None if weights is None else _scaled(weights, self.dataset),
        )

    def evaluation_batches(self, split: str) -> Batches:
        """Returns batches of the inference's views of a split."""
        inference = self.inference
        return Batches(
            self.dataset,
            split,
            lambda sizes, epoch, draws: inference.views(sizes),
            self.context.resolution,
            self.loading,
        )

    def encoded(self, stream: TrainingStream) -> Stream:
        """Returns the training images as their features where nothing trains the encoder."""
        frozen = self.encoding.state == "frozen" and not self.model.encoder_learns
        if not frozen or not EncodedStream.fits(stream, self.encoding):
            return stream
        return EncodedStream(stream, self.encoding, _described(self.choices["augmentation"]))

    def kept_views(self, batches: Batches) -> Tensor | None:
        """Returns the features of a split's views, (N, V, width), where they can be kept."""
        views = {"inference": _described(self.choices["inference"])}
        return self.encoding.kept(batches, views, num_views=self.num_views())

    def num_views(self) -> int:
        """How many views the inference takes of an image."""
        side = self.context.resolution
        return int(self.inference.views(np.array([[side, side]])).boxes.shape[1])


def assemble(
    resolved: Resolved,
    loading: Loading,
    precision: Precision | None = None,
    watch: Watch = SILENT,
) -> Assembly:
    """Builds data set, backbone, head with its first weight, method, and the rest, in this order.

    The head starts before the method changes the backbone: its weight is made by the pretrained
    features, as in the papers.

    Args:
        resolved: The run.
        loading: How images reach the device.
        precision: What "auto" was found to be before; None: as the run has it.
        watch: Told how it gets on.

    Raises:
        LTBenchError: Whatever is wrong with a choice, the data or a plugin.
    """
    spec, device = resolved.spec, loading.device
    dataset = _dataset(resolved)
    backbone = _backbone(resolved, loading)
    backbone_parameters = backbone.num_parameters()
    fingerprint = weights_fingerprint(backbone)
    key = {
        "backbone": _described(spec.backbone),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    arithmetic = choose_arithmetic(precision or spec.precision, backbone, key, loading.cache)
    watch.note(f"device: {key['device']}; precision: {arithmetic.name} ({arithmetic.reason})")
    key |= {"precision": arithmetic.name}
    dataset, loading = at_hand(dataset, spec, loading, backbone.resolution, arithmetic, watch)
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
    encoding = Encoding(backbone, loading, arithmetic, key, watch)
    features = TrainingFeatures(dataset, encoding)
    head = _head(resolved, context, backbone, features)
    context = replace(context, head_scale=_scale(head, resolved))
    learned = _method(resolved, context, backbone, head)
    model = Classifier(backbone, head).to(device)
    with resolved.components["method"].answerable():
        model.learn_only(learned)
    encoding.state = "learned" if model.encoder_learns else "frozen"
    encoding.key |= {"method": _described(spec.method)}
    refinement = resolved.build("refinement", context)
    if refinement is not None:
        with blame(resolved.components["refinement"]):
            refinement.check(head, model.learned())
    return Assembly(
        dataset=dataset,
        model=model,
        loss=_seam(CheckedLoss, "loss", resolved, context),
        class_weights=_class_weights(resolved, context, dataset),
        augmentation=_seam(CheckedAugmentation, "augmentation", resolved, context),
        refinement=refinement,
        inference=_seam(CheckedInference, "inference", resolved, context),
        context=context,
        loading=loading,
        arithmetic=arithmetic,
        encoding=encoding,
        choices=spec.choices(),
        features=features,
        backbone_parameters=backbone_parameters,
        fingerprint=fingerprint,
        warnings=_warnings(resolved, dataset, backbone),
    )


def _described(choice: Choice) -> dict[str, Any]:
    """Returns what tells a component from others, but for what its identity depends on."""
    return {"name": choice.name, "options": dict(choice.options), "plugin": choice.plugin}


def _dataset(resolved: Resolved) -> Dataset:
    """Returns the data set, with a validation split if the run uses one."""
    component = resolved.components["dataset"]
    assert isinstance(component.spec, DatasetSpec)
    with blame(component):
        component.spec.check(resolved.configs["dataset"], resolved.data)
    dataset = _build("dataset", Dataset, resolved, resolved.data)
    if "val" in dataset.splits or not resolved.spec.uses_val:
        return dataset
    return hold_out(dataset, resolved.spec.data_seed)


def _backbone(resolved: Resolved, loading: Loading) -> Backbone:
    """Returns the backbone on its device, in the joint space if the method works there."""
    backbone = _build("backbone", Backbone, resolved, BackboneContext(seed=resolved.spec.seed))
    backbone.requires_grad_(False).to(loading.device)
    features = _try_out("backbone", resolved, backbone, _blank(backbone), (1, backbone.width))
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
    warnings = []
    seen, data = resolved.components["backbone"].spec, resolved.components["dataset"].spec
    assert isinstance(seen, BackboneSpec)
    assert isinstance(data, DatasetSpec)
    with blame(resolved.components["backbone"]):
        label_sets = seen.label_sets(resolved.configs["backbone"])
    if data.label_set and data.label_set in label_sets:
        instead = f"; {seen.without_labels}" if seen.without_labels else ""
        warnings.append(
            f"the weights of {seen.name} were trained with the labels of {data.label_set}, the "
            f"classes of {data.name}: its rare classes are not rare to them{instead}"
        )
    if backbone.text is not None:
        warnings += [
            f"classes {' and '.join(map(str, labels))} of {data.name} have the same name, "
            f"'{name}': the text tower cannot tell them apart"
            for name, labels in dataset.repeated_names.items()
        ]
    if resolved.spec.uses_val:
        val = dataset.splits["val"]
        present = len(np.unique(val.labels))
        if present < dataset.num_classes:
            warnings.append(
                f"validation knows {present:,} of {dataset.num_classes:,} classes, by "
                f"{len(val):,} images: what is chosen on it ignores the others"
            )
    return warnings


def _head(
    resolved: Resolved, context: BuildContext, backbone: Backbone, features: TrainingFeatures
) -> nn.Module:
    """Returns the head with its first weight."""
    head = _build("head", nn.Module, resolved, context)
    head.to(context.device)
    start = getattr(head, "weight", None)
    if isinstance(start, nn.Parameter):
        with blame(resolved.components["init"]):
            weight = resolved.build("init", context)(backbone, features)
        _expect_tensor("init", resolved, weight, (context.num_classes, context.width))
        _expect_tensor("head", resolved, start, (context.num_classes, context.width))
        with torch.no_grad():
            start.copy_(weight)
    if isinstance(head, StartsItself):
        with blame(resolved.components["head"]):
            head.start(backbone, features)
        head.to(context.device)
    elif start is None:
        raise resolved.components["head"].broke("has neither `weight` nor `start`")
    blank = torch.ones(1, context.width, device=context.device)
    _try_out("head", resolved, head, blank, (1, context.num_classes))
    return head


def _method(
    resolved: Resolved, context: BuildContext, backbone: Backbone, head: nn.Module
) -> list[nn.Parameter]:
    """Applies the method and returns everything that is learned."""
    method = resolved.components["method"].spec
    assert isinstance(method, MethodSpec)
    # What the head took over from the backbone is frozen with it.
    of_head = [parameter for parameter in head.parameters() if parameter.requires_grad]
    with blame(resolved.components["method"]):
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
    with blame(resolved.components["method"]), torch.enable_grad():
        for parameter in learned:
            parameter.requires_grad_(True)
        features = backbone.eval()(_blank(backbone))
        _expect_tensor("method", resolved, features, (1, backbone.width))
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


def _class_weights(
    resolved: Resolved, context: BuildContext, dataset: Dataset
) -> NDArray[np.float64] | None:
    """Returns how often the sampling draws each class; the most frequent has 1."""
    sampling, component = resolved.build("sampling", context), resolved.components["sampling"]
    with blame(component):
        weights = sampling.weights()
    with component.answerable():
        return None if weights is None else _scaled(weights, dataset)


def _scaled(weights: NDArray[np.float64], dataset: Dataset) -> NDArray[np.float64]:
    """Returns weights of classes of which the largest is 1.

    Raises:
        PluginError: They are not what `ltbench.protocols.Sampling` asks for.
    """
    wanted = (
        f"class weights must be {dataset.num_classes} finite numbers, none negative and "
        "not all zero where there are training images"
    )
    try:
        weights = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PluginError(f"{wanted}: {error}") from error
    fits = weights.shape == (dataset.num_classes,) and np.isfinite(weights).all()
    if not fits or weights.min() < 0 or not weights[dataset.class_counts > 0].any():
        raise PluginError(wanted)
    scaled: NDArray[np.float64] = weights / weights.max()  # no sum of them overflows
    return scaled


def _scale(head: nn.Module, resolved: Resolved) -> float:
    """Returns the factor of a head's logits, 1 where it has none."""
    with blame(resolved.components["head"]):
        return float(getattr(head, "scale", 1.0))


def _blank(backbone: Backbone) -> Tensor:
    """Returns an image that tells the shape of the features, (1, 3, R, R)."""
    side = backbone.resolution
    return torch.zeros(1, 3, side, side, device=backbone.mean.device)


@torch.no_grad()
def _try_out(
    kind: str, resolved: Resolved, module: nn.Module, given: Tensor, shape: tuple[int, ...]
) -> Tensor:
    """Runs a module once, so that what it returns is known to be right before a run begins."""
    with blame(resolved.components[kind]):
        made: Tensor = module.eval()(given)
    _expect_tensor(kind, resolved, made, shape)
    return made


def _expect_tensor(kind: str, resolved: Resolved, made: Any, shape: tuple[int, ...]) -> None:
    component = resolved.components[kind]
    if not isinstance(made, Tensor) or not made.is_floating_point() or made.shape != shape:
        found = f"{made.dtype} {tuple(made.shape)}" if isinstance(made, Tensor) else type(made)
        raise component.broke(f"made {found}, not floating-point numbers of shape {shape}")


def _build(kind: str, expected: type[_Built], resolved: Resolved, context: Any) -> _Built:
    """Builds a component that must be of a type."""
    built = resolved.build(kind, context)
    if not isinstance(built, expected):
        fault = f"built a {type(built).__name__}, not a {expected.__name__}"
        raise resolved.components[kind].broke(fault)
    return built
