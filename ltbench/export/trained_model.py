"""The trained model of a run, merged as far as it can be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.config.options import parse_options
from ltbench.config.resolve import Resolved
from ltbench.config.runspec import RunSpec
from ltbench.contexts import BuildContext, DataContext
from ltbench.engine.building.build_model import TrainingClasses, build_context
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.engine.stored_model import load_model
from ltbench.export.linear_head import LinearClassifier, linear_form
from ltbench.export.view_plan import ViewPlan, view_plan
from ltbench.protocols import MergesItself
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

_CHECKED_IMAGES = 6


@dataclass(frozen=True)
class TrainedModel:
    """The model of a finished run on the CPU, in evaluation mode and float32.

    Args:
        result: Result of the run.
        backbone: Image encoder, with the method's modules merged as far as they can be.
        head: Linear form of the head where it has one, else the head itself.
        unmerged: Names, in the backbone, of what the method added and could not merge.
        plan: Test views of the run; None where they are no crops of a resized image.
        transductive: Whether the run's inference adjusted all test images together.
        images: Images on which exported models are compared, (B, 3, R, R) uint8.
        logits: Logits of these images before anything was merged, (B, K).
        merge_error: Largest difference of these logits after the merging.
    """

    result: RunResult
    backbone: Backbone
    head: LinearClassifier | nn.Module
    unmerged: tuple[str, ...]
    plan: ViewPlan | None
    transductive: bool
    images: Tensor
    logits: Tensor
    merge_error: float

    @classmethod
    def of(cls, path: Path, settings: Settings, data_root: Path) -> TrainedModel:
        """Returns the model of a run.

        Args:
            path: Run directory.
            settings: New paths of files that have moved, such as "backbone.weights".
            data_root: Folder of the data sets, for runs of older versions.

        Raises:
            DataError: The run is not finished, or weights are missing, damaged or of another run.
            ConfigError: A component or setting is missing.
        """
        result = RunDirectory(path).finished()
        stored = load_model(path, "cpu", settings, data_root)
        spec, classifier = result.spec, stored.classifier
        backbone = classifier.backbone
        resolved = Resolved(spec, {}, {}, DataContext(Path(), spec.data_seed), {})
        classes = TrainingClasses(tuple(result.classes.names), tuple(result.classes.trained_on))
        context = build_context(resolved, classes, backbone, torch.device("cpu"), stored=True)
        registry = load_plugins()
        inference = _inference(spec, registry, context)
        images = check_images(backbone.resolution)
        with torch.inference_mode(False), torch.no_grad():
            logits = classifier(images)
            method, _ = _component("method", spec, registry, context)
            if isinstance(method, MergesItself):
                with attribute_errors(registry.find("method", spec.method.name)):
                    method.merge(backbone)
            head: nn.Module = linear_form(classifier.head, backbone.width) or classifier.head
            merged = _forward(backbone, head, images)
        return cls(
            result=result,
            backbone=backbone,
            head=head,
            unmerged=_left(backbone, stored.added),
            plan=(
                None
                if inference is None or inference.draws
                else view_plan(inference, context.resolution, context.num_classes)
            ),
            transductive=inference is not None and inference.transductive,
            images=images,
            logits=logits,
            merge_error=float((merged - logits).abs().max()),
        )

    @property
    def names(self) -> list[str]:
        """Names of the K classes, by id."""
        return self.result.classes.names

    def error_of(self, logits: Tensor) -> float:
        """Returns the largest difference of logits from those of the trained model.

        Args:
            logits: Logits of `images`, (B, K).
        """
        return float((logits - self.logits).abs().max())


def _forward(backbone: Backbone, head: nn.Module, images: Tensor) -> Tensor:
    logits: Tensor = head(backbone(backbone.normalize(images)).float())
    return logits


def check_images(resolution: int) -> Tensor:
    """Returns images with coarse and fine patterns, (B, 3, R, R) uint8; the same in every call.

    Args:
        resolution: Side R, in pixels.
    """
    generator = torch.Generator().manual_seed(0)
    patterns = []
    for number in range(_CHECKED_IMAGES):
        side = min(2 ** (number + 1), resolution)
        coarse = 255 * torch.rand(1, 3, side, side, generator=generator)
        size = (resolution, resolution)
        patterns.append(nn.functional.interpolate(coarse, size=size, mode="bilinear"))
    return torch.cat(patterns).round().to(torch.uint8)


def _component(
    kind: str, spec: RunSpec, registry: Registry, context: BuildContext
) -> tuple[Any, bool]:
    """Returns a component of a run, and whether it has the definition that it had."""
    choice = spec.choices()[kind]
    component = registry.find(kind, choice.name)
    with attribute_errors(component):
        values = {**choice.options, **choice.paths}
        config, faults = parse_options(component.spec.config, values, kind, choice.name)
        same = not faults and component.spec.version == choice.version
        return (component.spec.build(config, context) if not faults else None), same


def _inference(spec: RunSpec, registry: Registry, context: BuildContext) -> CheckedInference | None:
    """Returns the inference of a run; None where it is not known as it was."""
    name = spec.inference.name
    if name not in registry.components["inference"]:
        return None
    inference, same = _component("inference", spec, registry, context)
    return CheckedInference(inference, registry.find("inference", name)) if same else None


def _left(backbone: Backbone, added: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names of what a method added that is still part of the encoder."""
    names = {name for name, _ in (*backbone.named_parameters(), *backbone.named_buffers())}
    left = [name for name in added if name in names]
    for name, module in backbone.named_modules():
        hooks = module._forward_hooks or module._forward_pre_hooks
        if hooks and not name.startswith("text.") and not left:
            left.append(f"{name or 'backbone'} (a hook)")
    return tuple(left)
