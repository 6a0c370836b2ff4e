"""Data sets that are known here: their identity, classes and labels, to check results against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_origin, get_type_hints

import numpy as np

from ltbench.config.chosen_dataset import ChosenDataset
from ltbench.config.options import dump_options
from ltbench.config.runspec import Choice, RunSpec, canonical
from ltbench.config.types import members
from ltbench.contexts import DataContext
from ltbench.data import Dataset
from ltbench.errors import DataError, LTBenchError, shortened
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import RunResult

DataCheck = Literal["not checked", "identity", "identity and labels"]
"""Part of a run's data set that was compared with the data set that is known here."""

_HINT = "run it again on the data set that ltbench data verify accepts"


@dataclass(frozen=True)
class _KnownData:
    """A data set with the options of a run.

    Args:
        identity: Identity of its images and labels; None where it is not known here.
        dataset: The data set; None where its files are not here.
    """

    identity: str | None = None
    dataset: Dataset | None = None


class KnownData:
    """Data sets of the registry, each looked up once.

    Args:
        registry: Installed components.
        data_root: Folder that holds the data sets; those that are missing are not checked.
    """

    def __init__(self, registry: Registry, data_root: Path) -> None:
        self._registry = registry
        self._data_root = data_root
        self._known: dict[str, _KnownData] = {}

    def check(self, run: RunResult) -> DataCheck:
        """Compares the data set of a run with the one that is known here.

        Args:
            run: Result whose predictions are those of its file.

        Returns:
            What was compared.

        Raises:
            DataError: Identity, classes or labels differ.
        """
        spec = run.spec
        known = self._find(spec)
        if known.identity is None:
            return "not checked"
        if spec.dataset.identity != known.identity:
            raise DataError(
                f"data set {spec.dataset.name}: expected identity {known.identity or 'none'}, got "
                f"{shortened(spec.dataset.identity) or 'none'}",
                hint=_HINT,
            )
        if known.dataset is None or spec.split not in known.dataset.splits:
            return "identity"
        dataset, labels = known.dataset, known.dataset.splits[spec.split].labels
        if tuple(run.classes.names) != dataset.class_names:
            raise DataError(f"data set {spec.dataset.name}: other classes", hint=_HINT)
        if not np.array_equal(run.classes.train_images, dataset.shot_counts):
            raise DataError(
                f"data set {spec.dataset.name}: other numbers of training images", hint=_HINT
            )
        predictions = run.predictions()
        indices = predictions.indices
        if not run.evaluation.skipped_images and len(indices) != len(labels):
            raise DataError(
                f"data set {spec.dataset.name}: expected predictions of {len(labels):,} "
                f"images, got {len(indices):,}",
                hint=_HINT,
            )
        fits = len(indices) == 0 or (indices.min() >= 0 and indices.max() < len(labels))
        if not fits or not np.array_equal(predictions.labels, labels[indices]):
            raise DataError(f"data set {spec.dataset.name}: other labels of the images", hint=_HINT)
        return "identity and labels"

    def _find(self, spec: RunSpec) -> _KnownData:
        key = canonical({"dataset": spec.dataset, "data_seed": spec.data_seed})
        if key not in self._known:
            self._known[key] = self._look_up(spec)
        return self._known[key]

    def _look_up(self, spec: RunSpec) -> _KnownData:
        """Returns the data set of a run, as far as it is known here.

        Nothing is opened or fetched whose name comes from the run: only the data sets of the
        registry are looked up, with options that are numbers or one of their own words.
        """
        context = DataContext(self._data_root, spec.data_seed)
        try:
            chosen = ChosenDataset.choose(
                self._registry,
                spec.dataset.name,
                {f"dataset.{key}": value for key, value in spec.dataset.options.items()},
                context,
            )
            if spec.dataset.version != chosen.spec.version or not _is_closed(
                chosen.config, spec.dataset
            ):
                return _KnownData()
            identity = chosen.identity()
        except LTBenchError:
            return _KnownData()
        try:
            chosen.check()
            dataset = chosen.build()
        except LTBenchError:
            return _KnownData(identity)
        return _KnownData(identity, dataset)


def _is_closed(config: Any, choice: Choice) -> bool:
    """Returns whether no option of a data set is a text or a path of the user's.

    Args:
        config: Config with the values of a run.
        choice: The data set of the run.
    """
    hints = get_type_hints(type(config), include_extras=True)
    options, paths = dump_options(config)
    free = [name for name in {*options, *paths, *choice.options} if _is_free(hints, name)]
    try:
        default, _ = dump_options(type(config)())
    except (TypeError, LTBenchError):  # an option is required
        default = {}
    given = {**choice.paths, **paths}
    return not any(given.values()) and all(options.get(name) == default.get(name) for name in free)


def _is_free(hints: dict[str, Any], name: str) -> bool:
    """Returns whether an option has any other values than numbers, truths and words of a list."""
    return not all(
        get_origin(one) is Literal or one in (int, float, bool, type(None))
        for one in members(hints.get(name.partition(".")[0], str))
    )
