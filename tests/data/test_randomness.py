from __future__ import annotations

import numpy as np
from scipy.stats import chi2, chisquare, kstest

from ltbench.data.randomness import draw_epoch, sample_per_class, shuffle_epoch, uniforms

LABELS = np.repeat([0, 1, 2], [60, 30, 10])


def many_draws(weights: list[float]) -> np.ndarray:
    """The images that 200 epochs draw, (20000,)."""
    epochs = [draw_epoch(0, epoch, LABELS, np.array(weights)) for epoch in range(200)]
    return np.concatenate(epochs) % len(LABELS)


def test_a_number_depends_on_seed_epoch_and_image_alone() -> None:
    whole = uniforms(3, 5, np.arange(100), 4)
    assert np.array_equal(uniforms(3, 5, np.array([70, 7]), 4), whole[[70, 7]])
    for other in (uniforms(4, 5, np.arange(100), 4), uniforms(3, 6, np.arange(100), 4)):
        assert not np.isclose(other, whole).any(axis=1).any()


def test_uniform_and_independent() -> None:
    numbers = uniforms(0, 0, np.arange(20_000), 3)
    for column in numbers.T:
        assert kstest(column, "uniform").pvalue > 0.01
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.02
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.02
    later = uniforms(0, 1, np.arange(20_000), 1)[:, 0]
    assert abs(np.corrcoef(numbers[:, 0], later)[0, 1]) < 0.02


def test_no_draws_are_possible() -> None:
    assert uniforms(0, 0, np.arange(5), 0).shape == (5, 0)


def test_every_epoch_has_its_own_order() -> None:
    assert np.array_equal(np.sort(shuffle_epoch(1, 2, 50)), np.arange(50))
    assert np.array_equal(shuffle_epoch(1, 2, 50), shuffle_epoch(1, 2, 50))
    assert not np.array_equal(shuffle_epoch(1, 2, 50), shuffle_epoch(1, 3, 50))
    assert not np.array_equal(shuffle_epoch(1, 2, 50), shuffle_epoch(2, 2, 50))


def test_classes_are_drawn_as_often_as_their_weights_say() -> None:
    found = np.bincount(LABELS[many_draws([1, 2, 5])])
    assert chisquare(found, np.array([1, 2, 5]) / 8 * 20_000).pvalue > 0.01


def test_the_images_of_a_class_share_its_draws_evenly() -> None:
    images = np.bincount(many_draws([1, 2, 5]))
    for label in range(3):
        assert chisquare(images[label == LABELS]).pvalue > 0.01


def test_a_class_of_weight_zero_is_never_drawn() -> None:
    assert set(LABELS[many_draws([1, 0, 5])]) == {0, 2}


def test_an_image_drawn_again_is_another_draw() -> None:
    draws = draw_epoch(0, 0, LABELS, np.array([0, 0, 1]))
    assert len(set(draws)) == len(LABELS)
    for image in range(90, 100):
        times = np.sort(draws[draws % 100 == image] // 100)
        assert np.array_equal(times, np.arange(len(times)))


def test_every_epoch_draws_anew() -> None:
    weights = np.ones(3)
    assert np.array_equal(draw_epoch(1, 2, LABELS, weights), draw_epoch(1, 2, LABELS, weights))
    assert not np.array_equal(draw_epoch(1, 2, LABELS, weights), draw_epoch(1, 3, LABELS, weights))
    assert not np.array_equal(draw_epoch(1, 2, LABELS, weights), draw_epoch(2, 2, LABELS, weights))


def taken(seed: int, labels: np.ndarray, per_class: int) -> np.ndarray:
    return sample_per_class(seed, labels, np.bincount(labels, minlength=4), per_class)


def test_of_each_class_at_most_so_many_are_drawn() -> None:
    labels = np.array([3, 0, 1, 0, 3, 0, 0])  # 2 has no images
    assert taken(0, labels, 9).tolist() == [1, 3, 5, 6, 2, 0, 4]
    for seed in range(5):
        few = taken(seed, labels, 2)
        assert labels[few].tolist() == [0, 0, 1, 3, 3]
        assert few[0] < few[1]
        assert few[2:].tolist() == [2, 0, 4]


def test_what_is_drawn_of_a_class_depends_on_seed_and_class_alone() -> None:
    labels = np.repeat([0, 1, 2, 3], 50)
    first = taken(7, labels, 10).reshape(4, 10) % 50
    assert np.array_equal(first, taken(7, labels, 10).reshape(4, 10) % 50)
    assert not np.array_equal(first, taken(8, labels, 10).reshape(4, 10) % 50)
    assert not np.array_equal(first[0], first[1])
    alone = taken(7, np.concatenate([np.zeros(3, int), np.full(50, 2)]), 10)
    assert np.array_equal(alone[3:] - 3, first[2])


def test_every_image_of_a_class_is_drawn_as_often() -> None:
    counts = np.zeros(30)
    for seed in range(2000):
        counts[taken(seed, np.zeros(30, int), 10)] += 1
    # Each is drawn a third of the time: a variance of 10/30 20/30, and their sum is fixed.
    statistic = float(((counts - 2000 / 3) ** 2).sum() / (2000 * 20 / 90 * 30 / 29))
    assert chi2(29).sf(statistic) > 1e-3
