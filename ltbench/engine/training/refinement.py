"""The second stage of a run: what a refinement does to the trained model, and with what."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ltbench.config.runspec import RunSpec
from ltbench.engine.model.training_features import TrainingFeatures
from ltbench.engine.training.trainer import Fitting
from ltbench.registry.registry import Component, blame


@dataclass
class RefinementTraining:
    """What a refinement may ask for; see `ltbench.protocols.Training`.

    Attributes:
        history: A row for each epoch of each of its trainings.
    """

    spec: RunSpec
    fitting: Fitting
    start: Mapping[str, Tensor]
    learned: Mapping[str, nn.Parameter]
    history: list[dict[str, Any]] = field(default_factory=list)
    _fits: int = 0

    @property
    def features(self) -> TrainingFeatures:
        """Of the encoder as it is now."""
        return self.fitting.assembly.features

    def fit(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        epochs: int | None = None,
        lr: float | None = None,
        class_weights: NDArray[np.float64] | None = None,
        seed_offset: int = 0,
    ) -> None:
        """Trains some parameters from where they are; each training resumes by itself."""
        assembly, train = self.fitting.assembly, self.spec.train
        config = replace(
            train,
            epochs=train.epochs if epochs is None else epochs,
            lr=train.lr if lr is None else lr,
        )
        stream = assembly.stream(self.spec.seed + seed_offset, config.epochs, class_weights)
        self._fits += 1
        stage = f"refinement-{self._fits}"
        assembly.model.learn_only(parameters)
        state = self.fitting.fit(stage, stream, config)
        assembly.model.learn_only(self.learned.values())
        assembly.model.eval()
        self.history += [{"stage": stage, **row} for row in state.history]


def refine(
    spec: RunSpec, component: Component, fitting: Fitting, start: Mapping[str, Tensor]
) -> dict[str, Any] | None:
    """Does what the run's refinement does; returns how that went, or None where there is none.

    Args:
        spec: The run.
        component: The refinement.
        fitting: Trains the model, which has been trained.
        start: The learned parameters before the training.
    """
    assembly = fitting.assembly
    if assembly.refinement is None:
        return None
    fitting.watch.note(f"refining: {spec.refinement.name}")
    began = time.perf_counter()
    model = assembly.model.eval()
    training = RefinementTraining(spec, fitting, start, model.learned())
    before = {name: (id(p), p.shape, p.dtype) for name, p in training.learned.items()}
    with blame(component):
        assembly.refinement.refine(model.backbone, model.head, training)
    if {name: (id(p), p.shape, p.dtype) for name, p in model.learned().items()} != before:
        raise component.broke(
            "put other parameters in the place of those that are learned: write into them instead, "
            "for these are stored"
        )
    return {
        "name": spec.refinement.name,
        "seconds": time.perf_counter() - began,
        "history": training.history,
    }
