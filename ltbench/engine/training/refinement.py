"""Second stage of a run: the refinement of the trained model."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ltbench.config.runspec import RunSpec
from ltbench.data.randomness import sample_per_class
from ltbench.engine.building.checked_components import CheckedLoss
from ltbench.engine.model.training_image_features import ExtractedFeatures
from ltbench.engine.training.train_loader import image_loader
from ltbench.engine.training.trainer import Trainer
from ltbench.protocols import Loss
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.storage.result_schema import RefinementRecord


@dataclass
class RefinementStage:
    """Services for a refinement; see `ltbench.protocols.RefinementContext`.

    Attributes:
        history: Rows of the epochs of its trainings.
        fitted: Parameters that its trainings have learned.
    """

    spec: RunSpec
    component: Component
    trainer: Trainer
    start: Mapping[str, Tensor]
    learned: Mapping[str, nn.Parameter]
    history: list[dict[str, Any]] = field(default_factory=list)
    fitted: list[nn.Parameter] = field(default_factory=list)
    _fits: int = 0

    @property
    def features(self) -> ExtractedFeatures:
        """Features of the encoder in its present state."""
        return self.trainer.built.features

    def fit(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        epochs: int | None = None,
        lr: float | None = None,
        sampling_weights: NDArray[np.float64] | None = None,
        seed_offset: int = 0,
        loss: Loss | None = None,
        per_class: int | None = None,
        min_steps: int = 0,
    ) -> None:
        """Trains some parameters from their present values, with a checkpoint of its own."""
        built, train, seed = self.trainer.built, self.spec.train, self.spec.seed + seed_offset
        chosen = None
        checked = None if loss is None else CheckedLoss(loss, self.component)
        if per_class is not None:
            labels, counts = built.dataset.splits["train"].labels, built.dataset.class_counts
            chosen = sample_per_class(seed, labels, counts, per_class)
            rules = built.rules_of(tuple(np.minimum(counts, per_class).tolist()))
            checked = checked or rules.loss
            if sampling_weights is None:
                sampling_weights = rules.sampling_weights
        epochs = train.epochs if epochs is None else epochs
        images = built.dataset.class_counts.sum() if chosen is None else len(chosen)
        steps_per_epoch = math.ceil(images / train.batch_size)
        config = replace(
            train,
            epochs=max(epochs, math.ceil(min_steps / steps_per_epoch)),
            lr=train.lr if lr is None else lr,
        )
        loader = image_loader(built, seed, config.epochs, sampling_weights, chosen)
        self._fits += 1
        stage = f"refinement-{self._fits}"
        fitted = list(parameters)
        self.fitted += fitted
        built.model.learn_only(fitted)
        state = self.trainer.fit(stage, loader, config, loss=checked)
        built.model.learn_only(self.learned.values())
        built.model.eval()
        self.history += [{"stage": stage, **row} for row in state.history]


def refine(
    spec: RunSpec, component: Component, trainer: Trainer, start: Mapping[str, Tensor]
) -> tuple[RefinementRecord | None, Sequence[nn.Parameter]]:
    """Runs the second stage.

    Returns:
        Its record, or None where the run has no refinement; and the parameters that it trained.

    Args:
        spec: Description of the run.
        component: The refinement.
        trainer: Trainer of the model, which has been trained.
        start: Values of the learned parameters before the training, by name.
    """
    built = trainer.built
    if built.refinement is None:
        return None, ()
    trainer.progress.note(f"refining: {spec.refinement.name}")
    began = time.perf_counter()
    model = built.model.eval()
    training = RefinementStage(spec, component, trainer, start, model.learned())
    before = {name: (id(p), p.shape, p.dtype) for name, p in training.learned.items()}
    with attribute_errors(component):
        built.refinement.refine(model.backbone, model.head, training)
    if {name: (id(p), p.shape, p.dtype) for name, p in model.learned().items()} != before:
        raise component.contract_error(
            "put other parameters in the place of those that are learned: write into them instead, "
            "for these are stored"
        )
    record = RefinementRecord(
        name=spec.refinement.name,
        seconds=time.perf_counter() - began,
        history=training.history,
    )
    return record, training.fitted
