"""Evaluation of a split: what is stored of its logits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ltbench.engine.building.checked_components import CheckedInference
from ltbench.engine.evaluate import evaluate
from ltbench.progress import SILENT
from ltbench.registry.load import load_plugins
from ltbench.storage.predictions import Predictions
from ltbench.testing.bench import Bench
from tests.strangers import component

CLASSES = 4  # of the bench's set: all logits are stored


@dataclass
class Centred:
    """Logits minus their mean over all images."""

    views: Any

    def reduce(self, logits: Tensor) -> Tensor:
        return logits.mean(dim=1)

    def adjust(self, logits: Tensor) -> Tensor:
        return logits - logits.mean(dim=0)


def all_logits(predictions: Predictions) -> Tensor:
    """The logits (N, K) of the images, by class id."""
    logits = np.empty_like(predictions.logits)
    np.put_along_axis(logits, predictions.classes, predictions.logits, axis=1)
    return torch.from_numpy(logits)


def test_a_transductive_inference_adjusts_all_images_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ltbench.engine.evaluate._ADJUSTED_IMAGES", 3)
    built = Bench.of(load_plugins()).build({"inference": "center"})
    together = CheckedInference(Centred(built.inference.views), component("inference"))
    assert (built.inference.transductive, together.transductive) == (False, True)
    plain, adjusted = (
        evaluate(one, one.evaluation_batches("test"), SILENT)
        for one in (built, replace(built, inference=together))
    )
    assert plain.logits.shape == (2 * CLASSES, CLASSES)
    assert np.array_equal(plain.indices, adjusted.indices)
    assert np.array_equal(plain.labels, adjusted.labels)
    expected = all_logits(plain) - all_logits(plain).mean(dim=0)
    torch.testing.assert_close(all_logits(adjusted), expected)
    sums = torch.from_numpy(adjusted.log_sum_exp)
    torch.testing.assert_close(sums, expected.logsumexp(dim=1))
