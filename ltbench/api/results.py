"""Stored runs for Python: data frames, leaderboard, comparisons and reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ltbench.api.finished_run import FinishedRun
from ltbench.api.results_table import results_table
from ltbench.api.run_arguments import data_root_or_default
from ltbench.api.selected_cell import selected_cell
from ltbench.config.defaults import DEFAULT_OUT
from ltbench.errors import ConfigError, DataError, quoted, suggestion
from ltbench.io.paths import is_path
from ltbench.metric_names import ACCURACIES
from ltbench.storage.results import Found, SkippedRun, find_runs
from ltbench.storage.run_filter import RunFilter

if TYPE_CHECKING:
    import pandas as pd

    from ltbench.analysis.comparison.comparison import Comparison
    from ltbench.analysis.leaderboard.board import Leaderboard


class Results(Sequence[FinishedRun]):
    """Finished runs, in the order of their paths or of their grid.

    A notebook shows a table of them. `results[0]` is a run, `results[:3]` are some of them.

    Args:
        found: Results, and run directories that were skipped.
    """

    def __init__(self, found: Found) -> None:
        self._found = found

    @property
    def skipped(self) -> tuple[SkippedRun, ...]:
        """Run directories that cannot be used, each with its `path` and the `reason`."""
        return self._found.skipped

    def __len__(self) -> int:
        return len(self._found.runs)

    @overload
    def __getitem__(self, place: int) -> FinishedRun: ...

    @overload
    def __getitem__(self, place: slice) -> Results: ...

    def __getitem__(self, place: int | slice) -> FinishedRun | Results:
        if isinstance(place, slice):
            return Results(Found(self._found.runs[place], self.skipped))
        return self._runs[place]

    @cached_property
    def _runs(self) -> tuple[FinishedRun, ...]:
        return tuple(map(FinishedRun.from_result, self._found.runs))

    def filter(self, where: Mapping[str, Any]) -> Results:
        """Returns the runs that meet every condition.

        Args:
            where: Values by key: settings, as `train.epochs`; tags, as `tag.paper`; or `hash`. A
                list holds values of which a run has one.

        Raises:
            ConfigError: A key or a value is wrong, or no run has a key.
            DataError: No run meets the conditions.
        """
        return Results(RunFilter.from_settings(where).keep(self._found))

    def to_frame(self) -> pd.DataFrame:
        """Returns a data frame with a row for each run.

        Its columns are settings, metrics with intervals, costs and the path, then the options of
        components, such as `method.dim`, and tags, such as `tag.paper`. `ltbench docs python` lists
        them with their types.
        """
        from ltbench.api.run_frame import runs_frame

        return runs_frame(self._found.runs)

    def per_class(self) -> pd.DataFrame:
        """Returns a data frame with a row for each class of each run."""
        from ltbench.api.class_frame import classes_frame

        return classes_frame(self._found.runs)

    def predictions(self, inference: str | None = None) -> pd.DataFrame:
        """Returns a data frame with a row for each test image of each run.

        Args:
            inference: Name of the inference whose predictions are read, as stored by `ltbench
                eval`; that of each run where None.

        Raises:
            DataError: Predictions are missing, damaged, or of another run.
        """
        from ltbench.api.image_frame import images_frame

        return images_frame(self._found.runs, inference)

    def leaderboard(
        self, metric: str = "accuracy", *, level: float = 0.95, with_published: bool = False
    ) -> pd.DataFrame:
        """Returns the leaderboard: the columns, types and numbers of `ltbench leaderboard --csv`.

        Args:
            metric: Accuracy to rank by: "accuracy", "mean_class", "many", "medium" or "few".
            level: Confidence level of intervals and tests, 0.5 to 0.9999.
            with_published: Whether published results on the same data sets are added.

        Raises:
            ConfigError: An argument is wrong.
            DataError: There is no run, or predictions are damaged.
        """
        from ltbench.analysis.leaderboard.frame import leaderboard_frame

        board = self._ranked(metric, level, with_published=with_published)
        return leaderboard_frame(board.rows())

    def leaderboard_latex(
        self,
        metric: str = "accuracy",
        *,
        level: float = 0.95,
        columns: Sequence[str] | None = None,
        spread: str | None = None,
        with_published: bool = False,
    ) -> str:
        """Returns the leaderboard as tables for LaTeX, as `ltbench leaderboard --latex` prints it.

        Args:
            metric: Accuracy to rank by.
            level: Confidence level of intervals and tests, 0.5 to 0.9999.
            columns: Names of columns of `leaderboard`; None for those that say something.
            spread: What follows each accuracy: "std", its standard deviation over seeds;
                "interval"; or "none". None for "std".
            with_published: Whether published results on the same data sets are added.

        Raises:
            ConfigError: An argument is wrong.
            DataError: There is no run, or predictions are damaged.
        """
        from ltbench.analysis.leaderboard.display_columns import (
            PAPER_COLUMNS,
            read_columns,
            read_spread,
        )
        from ltbench.analysis.leaderboard.tables import display_table, to_latex

        names, follows = read_columns(columns), read_spread(spread)
        board = self._ranked(
            metric, level, with_published=with_published, marked=names or PAPER_COLUMNS
        )
        return to_latex(
            [
                display_table(
                    ranking,
                    board.published_beside(ranking),
                    columns=names,
                    spread=follows,
                    paper=True,
                )
                for ranking in board.rankings
            ]
        )

    def compare(
        self,
        first: str | Path | Mapping[str, Any],
        second: str | Path | Mapping[str, Any],
        **options: Any,
    ) -> Comparison:
        """Compares two methods as `ltbench compare` does.

        Args:
            first: Runs that differ in their seed alone: the name of a method, a name that the
                command shows, as "lift_plus (method.dim=8)"; a hash, a path, or settings by key.
            second: Runs to compare them with.
            options: Options of `ltbench compare`: `metric`, `correction`, `level`, `rope` and
                `inference`.

        Raises:
            ConfigError: An argument is wrong, or names several cells; the runs were not tested on
                the same images, or have no common seed.
            DataError: There is no such run, or predictions are missing or damaged.
        """
        from ltbench.analysis.comparison.comparison import Comparison

        known = ("metric", "correction", "level", "rope", "inference")
        for name in options:
            if name not in known:
                raise ConfigError(
                    f"compare: there is no option {quoted(name)}", hint=suggestion(name, known)
                )
        cells = self._found.comparable().cells()
        one, other = selected_cell(cells, first), selected_cell(cells, second)
        return Comparison.of(one, other, **options)

    def report(
        self,
        out: str | Path,
        *,
        title: str | None = None,
        metric: str = "accuracy",
        level: float = 0.95,
        with_published: bool = False,
        pictures: bool = True,
        data_root: str | Path | None = None,
    ) -> Path:
        """Writes the report of `ltbench report`, and returns the path of its page.

        Args:
            out: Folder of the report, which is created where it is missing.
            title: Title of the page; None for the names of the data sets.
            metric: Accuracy to rank by.
            level: Confidence level of intervals and tests, 0.5 to 0.9999.
            with_published: Whether published results on the same data sets are added.
            pictures: Whether the page has pictures of mistakes. Leave them out where the licence of
                the data set forbids to publish them.
            data_root: Folder of the data sets, for the pictures; "data" or the variable
                LTBENCH_DATA where None. Without its data set, a ranking has no pictures.

        Raises:
            ConfigError: An argument is wrong.
            DataError: There is no run, or predictions are damaged.
            RunError: The folder cannot be written to.
        """
        from ltbench.analysis.leaderboard.display_columns import PAPER_COLUMNS
        from ltbench.engine.stored_split import EvaluatedSplits
        from ltbench.report.build import build_report
        from ltbench.storage.files import make_folder

        folder = _as_path("report", out)
        root = _as_path("report", data_root_or_default(data_root))
        if title is not None and not isinstance(title, str):
            raise ConfigError(f"title: expected a text, got {quoted(title)}")
        board = self._ranked(metric, level, with_published=with_published, marked=PAPER_COLUMNS)
        make_folder(folder)  # before the work whose result it takes
        opened = EvaluatedSplits(root) if pictures else None
        build_report(self._found.comparable(), board, title=title, open_split=opened).write(folder)
        return folder / "index.html"

    def _ranked(
        self, metric: str, level: float, *, with_published: bool, marked: Collection[str] = ()
    ) -> Leaderboard:
        from ltbench.analysis.leaderboard.board import build_leaderboard
        from ltbench.analysis.stats.level import expect_level
        from ltbench.registry.load import load_plugins

        if not isinstance(metric, str) or metric not in ACCURACIES:
            raise ConfigError(
                f"metric: expected one of {', '.join(ACCURACIES)}, got {quoted(metric)}",
                hint=suggestion(str(metric), ACCURACIES),
            )
        expect_level(level)
        if not self._found.runs:
            raise DataError(
                "there is no finished run to rank",
                hint="start some with ltbench run or ltbench grid run",
            )
        registry = load_plugins()
        published = [each.result for each in registry.published] if with_published else ()
        return build_leaderboard(
            self._found.comparable().cells(),
            registry,
            metric=metric,
            level=level,
            published=published,
            marked=marked,
        )

    def __repr__(self) -> str:
        """Returns one line: the number of runs, methods, data sets and skipped directories."""
        specs = [run.spec for run in self._found.runs]
        methods = _counted({spec.method.name for spec in specs}, "methods")
        datasets = _counted({spec.dataset.title for spec in specs}, "data sets")
        many = "1 run" if len(self) == 1 else f"{len(self):,} runs"
        of = f" of {methods} on {datasets}" if specs else ""
        skipped = f", {len(self.skipped):,} skipped" if self.skipped else ""
        return f"<Results: {many}{of}{skipped}>"

    def _repr_html_(self) -> str:
        """Returns a table of the runs and their accuracies, which notebooks show."""
        return results_table(self._found)


def load_results(*folders: str | Path, where: Mapping[str, Any] | None = None) -> Results:
    """Returns the finished runs in some folders.

    >>> load_results("runs", where={"train.epochs": 3}).leaderboard()  # doctest: +SKIP

    Args:
        folders: Run directories, or folders above them; "runs" where none is given.
        where: Conditions on the runs, as for `Results.filter`; None for all runs.

    Raises:
        ConfigError: A folder is not a directory, or a condition is wrong.
        DataError: There is no finished run, or none that meets the conditions.
    """
    paths = [_as_path("load_results", folder) for folder in folders or (DEFAULT_OUT,)]
    chosen = RunFilter.from_settings(where)
    found = find_runs(paths)
    if not found.runs:
        skipped = "".join(
            f"; {len(found.skipped):,} skipped, as {one.path}: {one.reason}"
            for one in found.skipped[:1]
        )
        raise DataError(
            f"there is no finished run in {', '.join(map(str, paths))}{skipped}",
            hint="start some with ltbench run or ltbench grid run, or give another folder",
        )
    return Results(chosen.keep(found))


def _as_path(function: str, given: object) -> Path:
    if not is_path(given):
        raise ConfigError(
            f"{function}: expected the path of a folder, got {quoted(given)}",
            hint="give a folder such as 'runs'",
        )
    return Path(given)


def _counted(names: set[str], what: str) -> str:
    return next(iter(names)) if len(names) == 1 else f"{len(names)} {what}"
