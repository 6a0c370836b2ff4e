"""Runs by 2 and 3 processes compute what one process computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.ranks.cases import AMPLIFYING, CASES
from benchmarks.ranks.measure import SIZES, difference, execute_cases, result_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    execute_cases(list(CASES), folder)
    return folder


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("name", CASES)
def test_several_processes_learn_the_same_weights(executed: Path, name: str, size: int) -> None:
    found = difference(name, executed, size)
    assert found.same_accuracies
    assert found.relative < (1e-3 if name in AMPLIFYING else 1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_environment_has_the_processes_and_the_hash_has_not(executed: Path, name: str) -> None:
    results = [result_of(name, executed, size) for size in SIZES]
    assert len({result.hash for result in results}) == 1
    assert [result.environment.ranks for result in results] == list(SIZES)
    assert [len(result.environment.devices) for result in results] == list(SIZES)
    assert [result.environment.backend for result in results] == [None, "gloo", "gloo"]


def test_a_corrupt_image_is_counted_once(executed: Path) -> None:
    counts = [
        result_of("full, a corrupt image skipped", executed, size).training.skipped_images
        for size in SIZES
    ]
    assert counts == [1, 1, 1]
