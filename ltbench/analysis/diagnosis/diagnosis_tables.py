"""Tables of diagnoses for a terminal, a notebook and a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ltbench.analysis.diagnosis.method_diagnosis import OVERALL, MethodDiagnosis
from ltbench.analysis.errors.display_tables import (
    ErrorColumn,
    ErrorEstimate,
    ErrorTable,
    ErrorValue,
)

DISTANCE_TITLES = {
    "energy_excess": "energy",
    "wasserstein_excess": "Wasserstein",
    "ks_excess": "KS",
    "mean_shift_excess": "mean shift",
}
"""Excess of a distance over its floor -> title of its column."""
_DISTANCE_HELP = {
    "energy_excess": "energy distance between training and test features, above its floor",
    "wasserstein_excess": "Wasserstein distance between the distances of training and of test "
    "features to the mean of the training features, above its floor",
    "ks_excess": "Kolmogorov-Smirnov distance of the same two sets of distances, above its floor",
    "mean_shift_excess": "distance between the means of training and test features in units of "
    "their spread, above its floor",
}
_CHANCE = "the same if wrong images went to any other class alike"
_Cells = Callable[[MethodDiagnosis, str], Sequence[ErrorValue]]


def diagnosis_tables(methods: Sequence[MethodDiagnosis]) -> list[ErrorTable]:
    """Returns the tables of methods: distances, accuracies and errors, features, similarity.

    Args:
        methods: One or more methods on the same classes; of several, a row has the name.
    """
    classified = [one for one in methods if one.has_accuracy]
    tables = [_distance_table(methods)]
    tables += [_consequence_table(classified)] if classified else []
    return [*tables, _intra_class_table(methods), _similarity_table(methods)]


def _distance_table(methods: Sequence[MethodDiagnosis]) -> ErrorTable:
    columns = (
        ErrorColumn("classes", "classes with two training and two test images or more", 0),
        *(ErrorColumn(DISTANCE_TITLES[key], _DISTANCE_HELP[key], 3) for key in DISTANCE_TITLES),
        ErrorColumn(
            "differ %",
            "classes whose training and test features differ by a permutation test of the energy "
            "distance at 5 %, in percent: 5 by chance",
            0,
        ),
    )

    def cells(method: MethodDiagnosis, group: str) -> Sequence[ErrorValue]:
        found = method.measure(group, "energy_excess")
        return (
            0 if found is None else found.classes,
            *(_estimate(method, group, key) for key in DISTANCE_TITLES),
            method.number(group, "inconsistent_classes"),
        )

    return _table(
        "distances",
        "Distance between training and test features above its floor: means over classes, with "
        "95 % intervals. 0 is what one distribution gives.",
        methods,
        columns,
        cells,
    )


def _consequence_table(methods: Sequence[MethodDiagnosis]) -> ErrorTable:
    columns = (
        ErrorColumn("train %", "accuracy on the training images, plain views", 1),
        ErrorColumn("test %", "accuracy on the test images, plain views", 1),
        ErrorColumn("gap", "training minus test accuracy, with its interval over classes", 1),
        ErrorColumn("to head %", "test images that are wrongly predicted as a many-shot class", 1),
        ErrorColumn("chance %", _CHANCE, 1),
        ErrorColumn(
            "log prior",
            "mean over wrong images of log(training images of the predicted class / of the true "
            "class)",
            2,
        ),
        ErrorColumn("chance", _CHANCE, 2),
    )
    shares = (
        "taken_by_head",
        "taken_by_head_chance",
        "implied_log_prior",
        "implied_log_prior_chance",
    )

    def cells(method: MethodDiagnosis, group: str) -> Sequence[ErrorValue]:
        return (
            _known(method.value(group, "train_accuracy")),
            _known(method.value(group, "test_accuracy")),
            _estimate(method, group, "gap"),
            *(method.number(group, key) for key in shares),
        )

    return _table(
        "consequences",
        "Accuracy on training and test images, and where wrong images go: to many-shot classes, "
        "and to classes with more training images.",
        methods,
        columns,
        cells,
    )


def _intra_class_table(methods: Sequence[MethodDiagnosis]) -> ErrorTable:
    columns = (
        ErrorColumn("training", "distance of training features to the mean of their class", 3),
        ErrorColumn("test", "distance of test features to the mean of their class", 3),
        ErrorColumn(
            "training, itself included",
            "as papers have it: the mean includes the image, so that few images look close",
            3,
        ),
    )

    def cells(method: MethodDiagnosis, group: str) -> Sequence[ErrorValue]:
        keys = ("intra_train", "intra_test", "intra_train_own")
        return [_known(method.value(group, key)) for key in keys]

    caption = "Intra-class distance, 1 - cosine: means over classes."
    return _table("intra_class", caption, methods, columns, cells)


def _similarity_table(methods: Sequence[MethodDiagnosis]) -> ErrorTable:
    groups = methods[0].shot_groups
    columns = tuple(ErrorColumn(f"to {group}", f"to {group}-shot classes", 3) for group in groups)

    def cells(method: MethodDiagnosis, group: str) -> Sequence[ErrorValue]:
        return [method.similarity(group, other) for other in groups]

    known = {one.name: one.similarity(OVERALL, OVERALL) for one in methods}
    said = [
        f"{value:.3f}" if len(methods) == 1 else f"{value:.3f} ({name})"
        for name, value in known.items()
        if value is not None
    ]
    caption = "Inter-class similarity: mean cosine between the test means of different classes"
    over = f"; over all pairs {', '.join(said)}" if said else ""
    return _table("similarity", f"{caption}{over}.", methods, columns, cells, groups=groups)


def _table(
    name: str,
    caption: str,
    methods: Sequence[MethodDiagnosis],
    columns: Sequence[ErrorColumn],
    cells: _Cells,
    *,
    groups: Sequence[str] | None = None,
) -> ErrorTable:
    """Returns a table with a row for each shot group and, within it, each method.

    Args:
        name: Name of the table.
        caption: Caption.
        methods: Methods.
        columns: Columns behind the names.
        cells: Function that returns the values of a method and a group.
        groups: Groups; None for those of `_rows`.
    """
    names = [ErrorColumn("classes of", "shot group")]
    if len(methods) > 1:
        names.append(ErrorColumn("method"))
    rows: list[tuple[ErrorValue, ...]] = []
    for group in groups if groups is not None else _rows(methods):
        for method in methods:
            own = (group,) if len(methods) == 1 else (group, method.name)
            rows.append((*own, *cells(method, group)))
    return ErrorTable(name, caption, (*names, *columns), tuple(rows))


def _rows(methods: Sequence[MethodDiagnosis]) -> list[str]:
    """Returns the groups of a table: all classes together only where there is one method."""
    return [*([OVERALL] if len(methods) == 1 else []), *methods[0].shot_groups]


def _estimate(method: MethodDiagnosis, group: str, name: str) -> ErrorValue:
    """Returns a measure with its interval; without one where it has one class."""
    found = method.measure(group, name)
    if found is None:
        return None
    if found.low is None or found.high is None:
        return found.mean
    return ErrorEstimate(found.mean, found.low, found.high)


def _known(value: float) -> float | None:
    """Returns a number; None where it is NaN."""
    return None if value != value else value
