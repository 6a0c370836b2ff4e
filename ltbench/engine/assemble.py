"""Builds everything that a resolved run names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.config.resolve import Resolved
from ltbench.data import Dataset
from ltbench.data.batches import Batches, Loading
from ltbench.data.randomness import uniforms
from ltbench.engine.model import Classifier
from ltbench.engine.precision import Arithmetic
from ltbench.errors import ConfigError, DataError, PluginError
from ltbench.plugins import blame
from ltbench.protocols import Augmentation, Inference, Loss
from ltbench.specs import BackboneContext, BuildContext, MethodSpec
from ltbench.views import Views, center_square

_FEATURE_BATCH = 256
_Built = TypeVar("_Built")


@dataclass
class Assembly:
    """The built parts of a run, on their device.

    Args:
        backbone_parameters: Weights of the image encoder before the method added its own.
    """

    dataset: Dataset
    model: Classifier
    loss: Loss
    augmentation: Augmentation
    inference: Inference
    context: BuildContext
    loading: Loading
    backbone_parameters: int

    def training_batches(self, seed: int, epochs: int) -> Batches:
        """Returns batches of augmented views of the training split."""
        augmentation = self.augmentation

        def views_of(sizes: NDArray[np.int64], epoch: int, indices: NDArray[np.int64]) -> Views:
            drawn = uniforms(seed, epoch, indices, augmentation.draws)
            progress = epoch / (epochs - 1) if epochs > 1 else 0.0
            return _one_view(augmentation.views(sizes, drawn, progress))

        return self._batches("train", views_of)

    def evaluation_batches(self, split: str) -> Batches:
        """Returns batches of the inference's views of a split."""
        inference = self.inference
        return self._batches(split, lambda sizes, epoch, indices: inference.views(sizes))

    def num_views(self) -> int:
        """How many views the inference takes of an image."""
        side = self.context.resolution
        return int(self.inference.views(np.array([[side, side]])).boxes.shape[1])

    def _batches(self, split: str, views_of: Callable[..., Views]) -> Batches:
        return Batches(self.dataset, split, views_of, self.context.resolution, self.loading)


def assemble(resolved: Resolved, loading: Loading, arithmetic: Arithmetic) -> Assembly:
    """Builds data set, backbone, head with its first weight, method, and the rest, in this order.

    The head starts before the method changes the backbone: its weight is made by the pretrained
    features, as in the papers.

    Raises:
        LTBenchError: Whatever is wrong with a choice, the data or a plugin.
    """
    spec, device = resolved.spec, loading.device
    dataset = _dataset(resolved)
    backbone = _backbone(resolved, loading)
    backbone_parameters = backbone.num_parameters()
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
    features = TrainingFeatures(dataset, backbone, loading, arithmetic)
    head = _head(resolved, context, backbone, features)
    with blame(resolved.components["method"]):
        learned = list(resolved.build("method", context).apply(backbone))
    model = Classifier(backbone, head).to(device)
    method = resolved.components["method"].spec
    assert isinstance(method, MethodSpec)
    model.learn_only([*learned, *(head.parameters() if method.learns_head else ())])
    return Assembly(
        dataset=dataset,
        model=model,
        loss=_loss(resolved, context),
        augmentation=resolved.build("augmentation", context),
        inference=resolved.build("inference", context),
        context=context,
        loading=loading,
        backbone_parameters=backbone_parameters,
    )


def _dataset(resolved: Resolved) -> Dataset:
    dataset = _build("dataset", Dataset, resolved, resolved.data)
    split = resolved.spec.split
    if split not in dataset.splits:
        raise ConfigError(
            f"data set '{resolved.spec.dataset.name}' has no split '{split}' to evaluate on",
            hint="there are: " + ", ".join(dataset.splits),
        )
    return dataset


def _backbone(resolved: Resolved, loading: Loading) -> Backbone:
    """Returns the backbone on its device, in the joint space if the method works there."""
    backbone = _build("backbone", Backbone, resolved, BackboneContext(seed=resolved.spec.seed))
    backbone.to(loading.device)
    side = backbone.resolution
    blank = torch.zeros(1, 3, side, side, device=loading.device)
    _try_out("backbone", resolved, backbone, blank, (1, backbone.width))
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


def _head(
    resolved: Resolved, context: BuildContext, backbone: Backbone, features: TrainingFeatures
) -> nn.Module:
    """Returns the head with its first weight."""
    head = _build("head", nn.Module, resolved, context)
    head.to(context.device)
    blank = torch.ones(1, context.width, device=context.device)
    _try_out("head", resolved, head, blank, (1, context.num_classes))
    start = getattr(head, "weight", None)
    if not isinstance(start, nn.Parameter) or start.ndim != 2:
        raise PluginError(f"head '{resolved.spec.head.name}' has no `weight` of shape (K, width)")
    with blame(resolved.components["init"]):
        weight = resolved.build("init", context)(backbone, features)
    _expect_tensor("init", resolved, weight, tuple(start.shape))
    with torch.no_grad():
        start.copy_(weight)
    return head


@dataclass(frozen=True)
class TrainingFeatures:
    """The backbone's features of training images; see `ltbench.protocols.TrainingFeatures`."""

    dataset: Dataset
    backbone: Backbone
    loading: Loading
    arithmetic: Arithmetic

    @torch.inference_mode()
    def __call__(self, per_class: int) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class."""
        labels = self.dataset.splits["train"].labels
        order = np.argsort(labels, kind="stable")
        starts = np.cumsum(self.dataset.class_counts) - self.dataset.class_counts
        rank = np.arange(len(order)) - starts[labels[order]]
        chosen = torch.from_numpy(order[rank < per_class])
        batches = Batches(
            self.dataset,
            "train",
            lambda sizes, epoch, indices: _one_view(Views(center_square(sizes))),
            self.backbone.resolution,
            self.loading,
        )
        self.backbone.eval()
        features, found = [], []
        for batch in batches.of((0, part.numpy()) for part in torch.split(chosen, _FEATURE_BATCH)):
            with self.arithmetic.autocast():
                values = self.backbone(self.backbone.normalize(batch.views[:, 0]))
            features.append(values.float())
            found.append(batch.labels)
        if not features:
            raise DataError("no training image can be decoded", hint="check the data set's files")
        return torch.cat(features), torch.cat(found)


def _one_view(views: Views) -> Views:
    if not isinstance(views, Views) or views.boxes.ndim != 2:
        raise PluginError("an augmentation must return Views with boxes (N, 4)")
    flips = None if views.flips is None else views.flips[:, None]
    return Views(views.boxes[:, None], flips)


def _loss(resolved: Resolved, context: BuildContext) -> Loss:
    """Returns the loss, which answers for what it returns."""
    loss = resolved.build("loss", context)
    component = resolved.components["loss"]

    def checked(logits: Tensor, labels: Tensor) -> Tensor:
        value = loss(logits, labels)
        if not isinstance(value, Tensor) or value.ndim or not value.requires_grad:
            raise PluginError(
                f"loss '{component.spec.name}' of plugin {component.plugin} returned "
                f"{value if value is None else type(value).__name__}, not a scalar with a gradient"
            )
        return value

    return checked


@torch.no_grad()
def _try_out(
    kind: str, resolved: Resolved, module: nn.Module, given: Tensor, shape: tuple[int, ...]
) -> None:
    """Runs a module once, so that what it returns is known to be right before a run begins."""
    with blame(resolved.components[kind]):
        made = module.eval()(given)
    _expect_tensor(kind, resolved, made, shape)


def _expect_tensor(kind: str, resolved: Resolved, made: Any, shape: tuple[int, ...]) -> None:
    component = resolved.components[kind]
    if not isinstance(made, Tensor) or not made.is_floating_point() or made.shape != shape:
        found = f"{made.dtype} {tuple(made.shape)}" if isinstance(made, Tensor) else type(made)
        raise PluginError(
            f"{kind} '{component.spec.name}' of plugin {component.plugin} made {found}, not "
            f"floating-point numbers of shape {shape}",
            hint="see what ltbench.protocols asks of it",
        )


def _build(kind: str, expected: type[_Built], resolved: Resolved, context: Any) -> _Built:
    """Builds a component that must be of a type."""
    built = resolved.build(kind, context)
    if not isinstance(built, expected):
        component = resolved.components[kind]
        raise PluginError(
            f"{kind} '{component.spec.name}' of plugin {component.plugin} built a "
            f"{type(built).__name__}, not a {expected.__name__}"
        )
    return built
