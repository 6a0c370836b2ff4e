"""Tables of docs/statistics.md: coverage of intervals, and errors and power of leaderboards.

`python -m tests.analysis.stats.tables` simulates them and prints them, in some minutes on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ltbench.analysis.stats.accuracy_interval import crossed_interval
from ltbench.analysis.stats.hierarchical_bootstrap import hierarchical_bootstrap
from ltbench.analysis.stats.max_t import max_t_test
from ltbench.analysis.stats.multiplicity import correct_p_values
from ltbench.analysis.stats.randomisation import randomisation_test
from ltbench.analysis.stats.strata import Strata
from tests.analysis.stats.simulate import sampled_flips

PAGE = Path(__file__).parents[3] / "docs" / "statistics.md"
Row = tuple[str | float, ...]
LEVEL = 0.95


@dataclass(frozen=True)
class Shape:
    """Test set, and the accuracy of a model on it.

    Args:
        classes: Number of classes; the last of them are few-shot.
        images: Test images of each class.
        few: Number of few-shot classes.
        accuracy: Mean share of images that are recognised.
        spread: Half the range of the classes' accuracies.
    """

    classes: int
    images: int
    few: int
    accuracy: float
    spread: float

    def strata(self) -> Strata:
        """Returns classes as strata, with overall and few-shot accuracy."""
        few = np.arange(self.classes) >= self.classes - self.few
        labels = np.repeat(np.arange(self.classes), self.images)
        return Strata.from_labels(labels, {"rest": ~few, "few": few}).select(["accuracy", "few"])

    def chances(self) -> NDArray[np.float64]:
        """Returns the probability that an image of each class is recognised, (K,).

        Accurate and inaccurate classes alternate, so that the shot groups are alike.
        """
        ends = np.where(np.arange(self.classes) % 2, -1.0, 1.0)
        return self.accuracy + self.spread * ends


SHAPES = {
    "50 classes x 3 images, 75 %": Shape(50, 3, 20, 0.75, 0.15),
    "100 x 2, 75 %": Shape(100, 2, 40, 0.75, 0.15),
    "200 x 3, 75 % (iNaturalist's shape)": Shape(200, 3, 40, 0.75, 0.15),
    "10 x 36, 97 % (the demo's shape)": Shape(10, 36, 1, 0.97, 0.0),
    "1,000 x 50, 77 % (ImageNet-LT's shape)": Shape(1000, 50, 136, 0.77, 0.15),
}


def percentile_bootstrap(
    right: NDArray[np.bool_], strata: Strata, random: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Returns the intervals of earlier versions: 399 resamples, not corrected."""
    sizes = strata.sizes
    shares = strata.sums(right.astype(float)) / sizes
    means = random.binomial(sizes, shares, (399, len(sizes))) / sizes @ strata.weight_matrix
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return {name: (float(low[m]), float(high[m])) for m, name in enumerate(strata.counts)}


def coverage_row(shape: Shape, repeats: int) -> tuple[float, ...]:
    """Returns the coverage of the intervals of one run, in percent.

    Overall accuracy by the bootstrap and by the crossed interval, then few-shot accuracy.
    """
    random, strata = np.random.default_rng(0), shape.strata()
    chances = shape.chances()
    true = dict(zip(strata.counts, chances @ strata.weight_matrix, strict=True))
    held = np.zeros((2, 2))
    for _ in range(repeats):
        right = random.random(len(strata.image_strata)) < chances[strata.image_strata]
        bootstrap = percentile_bootstrap(right, strata, random)
        crossed = crossed_interval(right[None], strata, level=LEVEL)
        for m, name in enumerate(("accuracy", "few")):
            low, high = bootstrap[name]
            held[m, 0] += low <= true[name] <= high
            held[m, 1] += crossed[name].low <= true[name] <= crossed[name].high
    return tuple((100 * held / repeats).ravel().tolist())


def coverage(repeats: int = 1000) -> Iterator[Row]:
    """Yields the rows of the table of coverage, of single runs."""
    for name, shape in SHAPES.items():
        yield name, *coverage_row(shape, repeats if shape.classes < 1000 else repeats // 2)


@dataclass(frozen=True)
class Board:
    """k methods of which most are equal, on 360 test images of 10 classes.

    Args:
        images: How far an image's margin depends on the method, whatever the seed.
        seeds: How far all margins of a model depend on its seed.
        both: How far a seed changes the margin of an image.
        unstable: What is added to `seeds` for the first method.
        best: By how much the margins of the first method are larger.
    """

    images: float = 0.3
    seeds: float = 0.2
    both: float = 0.3
    unstable: float = 0.0
    best: float = 0.0

    def draw(self, random: np.random.Generator, rows: int, seeds: int) -> list[NDArray[np.bool_]]:
        """Returns whether the models recognise the images, (S, N) a row, best row first."""
        n = BOARD.images * BOARD.classes
        easy = 1.8 + random.normal(size=n) + np.repeat(np.linspace(1, -1, BOARD.classes), 36)
        rights = []
        for row in range(rows):
            margins = easy + self.images * random.normal(size=n) + self.best * (row == 0)
            own = self.seeds + self.unstable * (row == 0)
            margins = margins + own * random.normal(size=(seeds, 1))
            rights.append(margins + self.both * random.normal(size=(seeds, n)) > 0)
        return sorted(rights, key=lambda right: -right.mean())

    def points(self) -> float:
        """Returns the advantage of the first method in percent points."""
        spread = np.sqrt(1 + self.images**2 + self.seeds**2 + self.both**2)
        classes = 1.8 + np.linspace(1, -1, BOARD.classes)
        better = norm.cdf((classes + self.best) / spread) - norm.cdf(classes / spread)
        return 100 * float(better.mean())


BOARD = Shape(10, 36, 1, 0.9, 0.0)
WORLDS = {
    "images, seeds, both": Board(),
    "images alone": Board(images=1.0, seeds=0.0, both=0.3),
    "chance alone": Board(images=0.0, seeds=0.0, both=1.0),
    "one method unstable": Board(unstable=0.5),
}
SIZES = [(rows, seeds) for rows in (2, 8, 20) for seeds in (3, 5)]
Test = Callable[[Sequence[NDArray[np.bool_]], Strata], NDArray[np.float64]]


def max_t(rights: Sequence[NDArray[np.bool_]], strata: Strata) -> NDArray[np.float64]:
    """Returns p values of the best row with the others, (k - 1,), as on leaderboards."""
    return max_t_test(rights, strata, level=LEVEL, resamples=699).p[0, 1:]


def max_t_below(rights: Sequence[NDArray[np.bool_]], strata: Strata) -> NDArray[np.float64]:
    """Returns p values of the second row with those below it, (k - 2,): of a later group."""
    return max_t_test(rights, strata, level=LEVEL, resamples=699).p[1, 2:]


def holm(rights: Sequence[NDArray[np.bool_]], strata: Strata) -> NDArray[np.float64]:
    """Returns p values of the best row with the others, as on earlier leaderboards."""
    found = []
    for right in rights[1:]:
        differences = rights[0].astype(np.int8) - right.astype(np.int8)
        with sampled_flips():
            if len(differences) == 1:
                tests = randomisation_test(differences[0], strata, resamples=1999)
                found.append(tests["accuracy"].p)
            else:
                both = hierarchical_bootstrap(differences, strata, resamples=199, flips=1999)
                found.append(both["accuracy"].p)
    return correct_p_values(found, "holm")


def told_apart(
    world: Board, rows: int, seeds: int, repeats: int, test: Test = max_t
) -> tuple[float, float]:
    """Returns shares of boards and of rows with a difference from the best, in percent."""
    random, strata = np.random.default_rng(1), BOARD.strata().select(["accuracy"])
    boards = share = 0.0
    for _ in range(repeats):
        found = test(world.draw(random, rows, seeds), strata) < 1 - LEVEL
        boards += bool(found.any())
        share += float(found.sum()) / (rows - 1)
    return 100 * boards / repeats, 100 * share / repeats


def errors(repeats: int = 600) -> Iterator[Row]:
    """Yields the rows of the table of boards with differences between equal methods."""
    for rows, seeds in [(2, 1), (8, 1), (20, 1), *SIZES]:
        before = told_apart(WORLDS["images, seeds, both"], rows, seeds, repeats // 4, holm)[0]
        now = [
            0.0 if seeds == 1 else told_apart(world, rows, seeds, repeats)[0]
            for world in WORLDS.values()
        ]
        # One method is far better, the others are equal: they make the second group.
        far = Board(best=3.0)
        later = 0.0 if seeds == 1 else told_apart(far, rows, seeds, repeats, max_t_below)[0]
        yield str(rows), str(seeds), before, *now, "-" if rows == 2 else later


def power(repeats: int = 200) -> Iterator[Row]:
    """Yields the rows of the table of methods that are significantly worse than the best."""
    for rows, seeds in SIZES:
        found: list[float] = []
        for best in (0.5, 0.8):
            world = Board(best=best)
            found.append(told_apart(world, rows, seeds, repeats // 2, holm)[1])
            found.append(told_apart(world, rows, seeds, repeats)[1])
        yield str(rows), str(seeds), *found


TABLES: Mapping[str, tuple[tuple[str, ...], Callable[[], Iterator[Row]]]] = {
    "coverage": (
        ("test set", "overall, bootstrap", "overall", "few, bootstrap", "few"),
        coverage,
    ),
    "errors": (("rows", "seeds", "Holm with the best", *WORLDS, "second group"), errors),
    "power": (
        (
            *("rows", "seeds"),
            *(
                f"{test}, {Board(best=best).points():.1f} points"
                for best in (0.5, 0.8)
                for test in ("Holm", "max-T")
            ),
        ),
        power,
    ),
}


def markdown(name: str) -> str:
    """Returns a simulated table."""
    heads, rows = TABLES[name]
    lines = [heads, ["---"] * len(heads), *([_text(each) for each in row] for row in rows())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def in_docs(name: str) -> list[list[str]]:
    """Returns the rows of a table in docs/statistics.md, without the head."""
    table = PAGE.read_text().partition(f"<!-- simulated: {name} -->\n")[2].partition("\n<!--")[0]
    return [[each.strip() for each in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}"


if __name__ == "__main__":
    for each in TABLES:
        table = f"<!-- simulated: {each} -->\n{markdown(each)}\n<!-- end of simulated -->\n\n"
        sys.stdout.write(table)
        sys.stdout.flush()
