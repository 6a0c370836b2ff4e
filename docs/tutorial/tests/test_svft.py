from __future__ import annotations

from collections.abc import Callable

import torch
from ltbench.testing import parametrize_with_checks
from torch import nn

from svft.modules import Diagonal


@parametrize_with_checks("svft")
def test_conformance(check: Callable[[], None]) -> None:
    check()


def test_a_diagonal_is_added_to_the_singular_values() -> None:
    linear = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 2.0]]))  # U and V are the axes
    diagonal = Diagonal(linear.weight).attach(linear)
    x = torch.tensor([[1.0, 10.0]])
    torch.testing.assert_close(linear(x), torch.tensor([[3.0, 20.0]]))  # nothing is learned yet
    with torch.no_grad():
        diagonal.copy_(torch.tensor([0.5, -1.0]))
    torch.testing.assert_close(linear(x), torch.tensor([[3.5, 10.0]]))
