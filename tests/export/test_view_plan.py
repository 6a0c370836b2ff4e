from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.contexts import BuildContext
from ltbench.export.view_plan import PlannedView, center_plan, view_plan
from ltbench.testing.bench import context
from ltbench.views import Views, center_square, crops_of_resized
from ltbench_plugins.inferences.center import Center
from tests.specs import specs_of

COUNTS = (40, 9, 3)
SPECS = {name: spec for name, spec in specs_of("inference").items() if name != "randaug_tte"}


def facts(resolution: int) -> BuildContext:
    return replace(context(COUNTS), resolution=resolution)


@pytest.mark.parametrize("resolution", [32, 224])
@pytest.mark.parametrize("name", SPECS)
def test_every_inference_is_a_plan(name: str, resolution: int) -> None:
    spec = SPECS[name]
    inference = spec.build(spec.config(), facts(resolution))
    plan = view_plan(inference, resolution, len(COUNTS))
    assert plan is not None
    sizes = np.array([[77, 300], [640, 481], [33, 33]])
    expected = inference.views(sizes)
    boxes = [
        crops_of_resized(sizes, view.short_side, resolution, corners=True)[
            :, ["top_left", "top_right", "bottom_left", "bottom_right", "center"].index(view.place)
        ]
        for view in plan.views
    ]
    np.testing.assert_allclose(np.stack(boxes, axis=1), expected.boxes, atol=1e-9)
    flips = np.zeros(expected.boxes.shape[:2], bool) if expected.flips is None else expected.flips
    assert [view.flip for view in plan.views] == flips[0].tolist()
    logits = torch.randn(2, len(plan.views), len(COUNTS))
    found = (logits * torch.tensor(plan.weights)[:, None]).sum(dim=1)
    found = found + torch.tensor(plan.offset or [0.0])
    torch.testing.assert_close(found, inference.reduce(logits), rtol=1e-4, atol=1e-4)


@dataclass(frozen=True)
class LargestSquare(Center):
    """The largest centred square: no crop of a resized image where sides round."""

    def views(self, sizes: NDArray[np.int64]) -> Views:
        return Views(center_square(sizes)[:, None])


@dataclass(frozen=True)
class Product(Center):
    def reduce(self, logits: Tensor) -> Tensor:
        return logits[:, 0] * logits.abs().mean()


@pytest.mark.parametrize("inference", [LargestSquare(32), Product(32)])
def test_other_inferences_are_no_plan(inference: Center) -> None:
    assert view_plan(inference, 32, len(COUNTS)) is None


def test_the_centre_is_a_whole_image_if_square() -> None:
    plan = center_plan(32)
    assert plan.views == (PlannedView(32, "center", flip=False),)
    assert plan.weights == (1.0,)
