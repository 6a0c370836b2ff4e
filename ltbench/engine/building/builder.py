"""Builds every component that a resolved run names."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ltbench.config.resolve import Resolved
from ltbench.config.runspec import Precision, TrainConfig
from ltbench.contexts import BuildContext
from ltbench.data import Dataset
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.build_encoder import build_encoder
from ltbench.engine.building.build_model import (
    TrainingClasses,
    build_context,
    build_model,
)
from ltbench.engine.building.built_run import BuiltRun, TrainingRules, described
from ltbench.engine.building.checked_components import (
    CheckedAugmentation,
    CheckedInference,
    CheckedLoss,
)
from ltbench.engine.building.checked_optimizer import CheckedOptimizer, CheckedSchedule
from ltbench.engine.building.placeholder_features import PlaceholderFeatures
from ltbench.engine.building.result_warnings import result_warnings
from ltbench.engine.building.sampling_weights import sampling_weights
from ltbench.engine.model.compilation import FixedSizes, compile_blocks
from ltbench.engine.model.encoder_snapshot import EncoderSnapshot
from ltbench.engine.model.frozen_part import frozen_extractor
from ltbench.engine.model.training_image_features import ExtractedFeatures
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component

_Built = TypeVar("_Built")


def build_run(
    resolved: Resolved,
    loader_config: LoaderConfig,
    precision: Precision | None = None,
    progress: ProgressReporter = SILENT,
    trained: TrainingClasses | None = None,
    evaluated: str | None = None,
) -> BuiltRun:
    """Builds data set, backbone, head, method, and the rest, in this order.

    Args:
        resolved: Choices of the run.
        loader_config: Device, and how images reach it.
        precision: Precision that "auto" was resolved to before; None: the run's own.
        progress: Reporter of what is built.
        trained: Classes that a stored model was trained on: its weights are loaded afterwards, and
            no training image is read; None: the model starts from the data set.
        evaluated: Split that is evaluated; None: that of the run.

    Raises:
        LTBenchError: A choice, the data or a plugin is wrong.
    """
    spec = resolved.spec
    encoder = build_encoder(
        resolved,
        loader_config,
        precision,
        progress,
        training=trained is None,
        evaluated=evaluated or spec.split,
    )
    dataset, extractor = encoder.dataset, encoder.extractor
    backbone, loader_config = extractor.backbone, extractor.loader_config
    snapshot = EncoderSnapshot(backbone)
    classes = trained or TrainingClasses(dataset.class_names, tuple(dataset.class_counts.tolist()))
    stored = trained is not None
    context = build_context(resolved, classes, backbone, loader_config.device, stored=stored)
    if trained is None:
        features = ExtractedFeatures(dataset, extractor, spec.seed)
        parts = build_model(resolved, context, backbone, features)
    else:
        placeholders = PlaceholderFeatures.of(context)
        parts = build_model(resolved, context, backbone, placeholders, initialise=False)
    model, context = parts.classifier, parts.context
    # A pass that replays kept activations is not the graph that was compiled.
    frozen = None if spec.compile else frozen_extractor(extractor, encoder.fingerprint, snapshot)
    extractor = extractor.adapted(
        described(spec.method),
        learned=model.encoder_learns,
        unchanged=snapshot.unchanged(backbone.modules()),
    )
    if spec.compile:
        extractor = replace(extractor, key={**extractor.key, "compile": True})
    refinement = resolved.build("refinement", context)
    if refinement is not None:
        with attribute_errors(resolved.components["refinement"]):
            refinement.check(model.head, model.learned())
    rules_of = partial(_training_rules, resolved, context, dataset)
    rules = rules_of(context.class_counts)
    built = BuiltRun(
        dataset=dataset,
        model=model,
        loss=rules.loss,
        sampling_weights=rules.sampling_weights,
        rules_of=rules_of,
        augmentation=_checked(CheckedAugmentation, "augmentation", resolved, context),
        optimizer=CheckedOptimizer(
            resolved.build("optimizer", context), resolved.components["optimizer"], parts.rules
        ),
        schedule=_checked(CheckedSchedule, "schedule", resolved, context),
        refinement=refinement,
        inference=_checked(CheckedInference, "inference", resolved, context),
        context=context,
        loader_config=loader_config,
        policy=extractor.policy,
        extractor=extractor,
        frozen=frozen,
        choices=spec.choices(),
        features=ExtractedFeatures(dataset, extractor, spec.seed),
        backbone_parameters=encoder.parameters,
        fingerprint=encoder.fingerprint,
        pretrained=encoder.pretrained.in_model(model),
        warnings=result_warnings(resolved, dataset, backbone),
        compiled=spec.compile,
    )
    if spec.compile:
        compile_blocks(backbone, _batch_sizes(built, spec.train))
        progress.note("the blocks of the backbone are compiled in the first pass")
    return built


def _batch_sizes(built: BuiltRun, train: TrainConfig) -> FixedSizes:
    """Returns the sizes of nearly all batches that go through a run's encoder."""
    images = min(train.batch_size, max(1, len(built.dataset.splits["train"])))
    part = math.ceil(images / train.accumulate)
    most = built.extractor.views_per_pass
    views = built.inference.num_views(built.context.resolution)
    return FixedSizes(
        math.ceil(part / built.loader_config.group.size),
        sorted({max(1, most // views) * views, most}),
    )


def _training_rules(
    resolved: Resolved, context: BuildContext, dataset: Dataset, counts: tuple[int, ...]
) -> TrainingRules:
    """Builds loss and sampling for K class counts."""
    context = replace(context, class_counts=counts)
    return TrainingRules(
        _checked(CheckedLoss, "loss", resolved, context),
        sampling_weights(resolved, context, dataset),
    )


def _checked(
    checked: Callable[[Any, Component], _Built],
    kind: str,
    resolved: Resolved,
    context: BuildContext,
) -> _Built:
    """Builds a component and wraps it in the checks of its calls."""
    return checked(resolved.build(kind, context), resolved.components[kind])
