"""The class prior of a model: that of its sampling, loss and inference together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from ltbench.config.chosen_inference import choose_inference
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.errors import ConfigError, PluginError
from ltbench.prediction.model_prior import model_prior
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import RefinementRecord
from ltbench.storage.run_directory import RunDirectory
from ltbench.testing.bench import context
from ltbench.views import Views, crops_of_resized
from tests import runs

COUNTS = runs.COUNTS.astype(float)
CRT = RefinementRecord(name="crt", seconds=1.0, history=[])
Found = Callable[..., NDArray[np.float64]]


@pytest.fixture
def found(registry: Registry, tmp_path: Path) -> Found:
    """The prior, with a sum of 1, of a stored model with these choices."""

    def prior(
        changed: dict[str, Any] | None = None,
        counts: tuple[int, ...] | None = None,
        checked: CheckedInference | None = None,
        **settings: Any,
    ) -> NDArray[np.float64]:
        spec = runs.spec_of(registry, **settings)
        path = runs.store(tmp_path, spec, changed=changed)
        built = context(counts or tuple(runs.COUNTS.tolist()))
        if checked is None:
            chosen = choose_inference(registry, spec.inference, None, {})
            reduction = chosen.component.spec.build(chosen.config, built)
            checked = CheckedInference(reduction, chosen.component)
        weights = model_prior(RunDirectory(path).finished(), registry, built, checked)
        return weights / weights.sum()

    return prior


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        ({"loss": "ce"}, COUNTS),
        ({"loss": "logit_adjusted"}, COUNTS**0),
        ({"loss": "logit_adjusted", "loss__tau": 0.25}, COUNTS**0.75),
        ({"loss": "balanced_softmax"}, COUNTS**0),
        ({"loss": "ce", "sampling": "class_balanced"}, COUNTS**0),
        ({"loss": "ce", "sampling": "square_root"}, COUNTS**0.5),
        ({"loss": "logit_adjusted", "sampling": "class_balanced"}, 1 / COUNTS),
        ({"loss": "class_balanced"}, COUNTS / (1 - 0.9999**COUNTS)),
        ({"loss": "ce", "inference": "post_hoc_logit_adjustment"}, COUNTS**0),
        ({"loss": "logit_adjusted", "inference": "post_hoc_logit_adjustment"}, 1 / COUNTS),
        *(
            ({"loss": "ce", "inference": name}, COUNTS)
            for name in ("tte", "flip", "ten_crop", "multi_scale")
        ),
    ],
)
def test_the_prior_of_a_model(
    found: Found, settings: dict[str, Any], weights: NDArray[np.float64]
) -> None:
    np.testing.assert_allclose(found(**settings), weights / weights.sum(), rtol=1e-4)


def test_a_class_without_images_counts_as_one_with_one(found: Found) -> None:
    counts = np.array([150, 120, 60, 30, 8, 1])
    with_none = found(counts=(150, 120, 60, 30, 8, 0), loss="ce")
    np.testing.assert_allclose(with_none, counts / counts.sum())


@pytest.mark.parametrize(
    ("settings", "changed", "expected"),
    [
        ({"loss": "vs"}, {}, "loss 'vs' with these options states none"),
        ({"loss": "focal"}, {}, "loss 'focal' with these options states none"),
        (
            {"train__epochs": 0},
            {"training": {"epochs": 0}, "selection": runs.NOTHING},
            "nothing was trained",
        ),
        ({}, {"learned": {"total": 0, "encoder": 0, "head": 0}}, "nothing was trained"),
        ({"method": "crt"}, {"refinement": CRT}, "refinement 'crt' has changed it after the"),
    ],
)
def test_models_without_a_known_prior_are_refused(
    found: Found, settings: dict[str, Any], changed: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        found(changed, **settings)


@dataclass(frozen=True)
class Sharpened:
    """An inference that multiplies the logits."""

    def views(self, sizes: NDArray[np.int64]) -> Views:
        return Views(crops_of_resized(sizes, 32, 32, corners=False))

    def reduce(self, logits: Tensor) -> Tensor:
        return 2 * logits[:, 0]


def test_an_inference_that_does_more_than_adding_is_refused(
    found: Found, registry: Registry
) -> None:
    checked = CheckedInference(Sharpened(), registry.find("inference", "center"))
    with pytest.raises(ConfigError, match="does more than adding a number to the logits"):
        found(checked=checked, loss="ce")


@pytest.mark.parametrize("factors", [[1.0], [0.0] * 6, [float("nan")] * 6, [-1.0] * 6])
def test_wrong_factors_of_a_plugin_are_named(
    found: Found, registry: Registry, factors: list[float]
) -> None:
    ce = registry.components["loss"]["ce"]
    spec = replace(ce.spec, prior_factors=lambda config, counts: factors)  # type: ignore[call-arg]
    registry.components["loss"]["ce"] = Component(spec, ce.plugin)
    try:
        with pytest.raises(PluginError, match="prior_factors"):
            found(loss="ce")
    finally:
        registry.components["loss"]["ce"] = ce
