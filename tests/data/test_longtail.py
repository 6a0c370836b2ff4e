from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ltbench.data import ArrayImages, Dataset, Split
from ltbench.data.longtail import (
    counts_rule,
    exponential_counts,
    make_lt,
    pareto_counts,
    select_counts,
)
from ltbench.errors import ConfigError, DataError, LTBenchError
from tests import parity


@pytest.mark.parametrize("ratio", ["100", "50", "10"])
def test_the_selection_of_cifar100_lt(ratio: str) -> None:
    expected = parity.facts()["cifar100_lt"][ratio]
    counts = exponential_counts(100, 500, float(ratio))
    assert (counts, sum(counts)) == (expected["counts"], expected["total"])
    targets = np.random.RandomState(123).permutation(np.repeat(np.arange(100), 500))
    state = np.random.get_state()[1].copy()
    selected = select_counts(targets, counts, data_seed=0)
    assert selected[:10].tolist() == expected["selected_head"]
    digest = hashlib.sha256(np.asarray(selected, dtype=np.int64).tobytes()).hexdigest()
    assert digest == expected["selected_sha256"]
    assert np.array_equal(np.random.get_state()[1], state)  # the global generator is left alone


def truncated(num_classes: int, largest: int, ratio: float) -> list[int]:
    """Returns what the published code makes of the formula."""
    return [int(largest * (1 / ratio) ** (k / (num_classes - 1))) for k in range(num_classes)]


def test_whole_numbers_are_kept() -> None:
    assert exponential_counts(6, 80, 32)[2] == 20  # 80 / 4: 19 by floating point
    assert exponential_counts(10, 400, 32)[-1] == 12  # 12.5
    assert exponential_counts(5, 49, 49) == [49, 18, 7, 2, 1]
    assert exponential_counts(3, 10, 2.5) == [10, 6, 4]
    wrong = 0
    for largest in range(1, 600):
        for ratio in range(1, largest + 1):
            if largest % ratio == 0:
                last = exponential_counts(2, largest, ratio)[-1]
                assert last == largest // ratio
                wrong += truncated(2, largest, ratio)[-1] != last
    assert wrong == 66


def test_counts_are_the_largest_that_do_not_exceed_the_formula() -> None:
    for num_classes, largest, ratio in ((7, 729, 64), (5, 10**4, 81), (4, 125, 27), (13, 4096, 64)):
        steps = num_classes - 1
        for k, count in enumerate(exponential_counts(num_classes, largest, ratio)):
            assert count**steps * ratio**k <= largest**steps < (count + 1) ** steps * ratio**k


def test_the_published_counts_do_not_move() -> None:
    cases = [
        (classes, most, r) for classes, most in ((100, 500), (10, 5000)) for r in (10, 50, 100)
    ]
    for case in [*cases, (10, 143, 20.0), (69, 200, 100.0), (69, 250, 20), (101, 750, 100.0)]:
        assert exponential_counts(*case) == truncated(*case)
        assert counts_rule(*case) == ""
    assert counts_rule(2, 49, 49) == " counts:2"


def test_a_ratio_of_all_images_leaves_one() -> None:
    made = make_lt(balanced((49, 49)), "exponential", 49, data_seed=0)
    assert made.class_counts.tolist() == [49, 1]


def test_a_class_that_is_too_small_gives_all_it_has() -> None:
    selected = select_counts(np.array([0, 1, 1, 0, 1]), [5, 2], data_seed=1)
    assert sorted(selected[:2]) == [0, 3]
    assert len(selected) == 4


def test_pareto_counts_fall_as_a_power() -> None:
    assert pareto_counts(3, 36, 9) == [36, 9, 4]  # a = ln 9 / ln 3 = 2: 36 / (k + 1)^2
    assert pareto_counts(5, 49, 49)[4] == 1  # which 49 * (1 / 49) in floats is not
    assert pareto_counts(1, 7, 100) == [7]
    assert pareto_counts(3, 7, 1) == [7, 7, 7]


def balanced(counts: tuple[int, ...] = (10, 12, 10, 11)) -> Dataset:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    pixels = np.zeros((len(labels), 1, 1, 3), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(len(labels))  # tells the images apart
    names = tuple("abcdefgh"[: len(counts)])
    test = Split(ArrayImages(pixels[:4]), labels[:4])
    return Dataset(names, {"train": Split(ArrayImages(pixels), labels), "test": test})


def chosen(dataset: Dataset) -> list[int]:
    images = dataset.splits["train"].images
    return [int(images.read(index)[0, 0, 0]) for index in range(len(images))]


def test_a_balanced_set_is_made_long_tailed() -> None:
    dataset = balanced()
    made = make_lt(dataset, "exponential", 10, data_seed=0)
    # 10 * 10^(-k / 3) is 10, 4.6, 2.2 and 1
    assert made.class_counts.tolist() == [10, 4, 2, 1]
    assert made.splits["train"].labels.tolist() == [0] * 10 + [1] * 4 + [2] * 2 + [3]
    before = dataset.splits["train"].labels
    assert [int(before[at]) for at in chosen(made)] == made.splits["train"].labels.tolist()
    assert len(set(chosen(made))) == 17
    assert made.splits["test"] is dataset.splits["test"]
    assert set(made.splits) == {"train", "test"}  # what was left out is not used otherwise
    assert chosen(made) == chosen(make_lt(dataset, "exponential", 10, data_seed=0))
    assert chosen(made) != chosen(make_lt(dataset, "exponential", 10, data_seed=1))
    # 11 / (k + 1)^(ln 4 / ln 4) is 11, 5.5, 3.7 and 2.8
    fewer = make_lt(balanced((11, 11, 11, 11)), "pareto", 4, data_seed=0)
    assert fewer.class_counts.tolist() == [11, 5, 3, 2]
    assert make_lt(dataset, "exponential", 8, 0, largest=9).class_counts.tolist() == [9, 4, 2, 1]


@pytest.mark.parametrize(
    ("counts", "ratio", "largest", "error", "said"),
    [
        (
            (9, 8, 7, 6),
            10,
            10,
            ConfigError,
            "largest=10: expected 10 training images of class 'a', got 9",
        ),
        ((9, 2, 9, 9), 2, 9, ConfigError, "expected 7 training images of class 'b', got 2"),
        ((9, 8, 7, 6), 20, None, ConfigError, "ratio=20: class 'c' would have no training image"),
        ((9, 0, 7, 6), 2, None, DataError, "class 'b' has no training images"),
    ],
)
def test_too_few_images_for_the_profile(
    counts: tuple[int, ...],
    ratio: float,
    largest: int | None,
    error: type[LTBenchError],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        make_lt(balanced(counts), "exponential", ratio, 0, largest)


def test_classes_in_the_order_of_their_images() -> None:
    dataset = balanced((2, 9, 20, 8))
    # 16 * 16^(-k / 3) is 16, 6.3, 2.5 and 1 for classes c, b, d, a; with 20 all have images too
    made = make_lt(dataset, "exponential", 16, 0, largest=16, order="counts")
    assert made.class_counts.tolist() == [1, 6, 16, 2]
    # 20 * 5^(-k / 3) needs 11 images of class b, and 4 of a: 16 is the most that 9 of b and 2 allow
    made = make_lt(dataset, "exponential", 5, 0, order="counts")
    assert made.class_counts.tolist() == [2, 8, 14, 4]
    with pytest.raises(ConfigError, match="expected 9 training images of class 'b', got 8") as said:
        make_lt(balanced((9, 8)), "exponential", 1, 0, largest=9, order="counts")
    assert "at most 8" in said.value.hint
