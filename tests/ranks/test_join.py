"""The device of a rank."""

from __future__ import annotations

import pytest

from ltbench.errors import ConfigError
from ltbench.ranks.join import joined
from ltbench.ranks.place import Place


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("cuda:1", "--device: expected auto, cpu or cuda for 1000 ranks, got cuda:1"),
        ("mps", "--device: expected auto, cpu or cuda for 1000 ranks, got mps"),
        ("cuda", "--device: expected a GPU for each of 1000 ranks, got"),
    ],
)
def test_each_rank_has_a_device_of_its_own(device: str, expected: str) -> None:
    place = Place(1, 1000, 1, 1000, "env://", launched=False)
    with pytest.raises(ConfigError, match=expected), joined(place, device):
        pass


def test_a_process_of_its_own_has_any_device() -> None:
    with joined(None, "cuda:1") as (group, device):
        assert (group.size, device) == (1, "cuda:1")
