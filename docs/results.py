"""Writes everything that shows stored results: tables, reports, figures, pictures of reports.

python -m docs.results             # or `make figures`, which runs `make docs` afterwards
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.growth.figures import show as show_growth
from benchmarks.remeasure.command import ltbench
from benchmarks.stores import growth as growth_of_runs
from docs.made.screens import picture_reports

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
FIGURES = ROOT / "docs" / "figures"
DIGITS = ("lift_plus", "lora", "adapter", "bitfit", "classifier_only", "full", "zero_shot")
"""Methods on the digits, in the order of the comparison: the first with each of the others."""
COLUMNS = "120"  # of the terminal; all columns of the leaderboard are shown


@dataclass(frozen=True)
class StoredReport:
    """A report of stored runs.

    Args:
        folder: Folder of the report, below the results.
        runs: Folders of the runs, below the results.
        title: Title of the report.
        options: Further options of `ltbench report`.
    """

    folder: str
    runs: tuple[str, ...]
    title: str
    options: tuple[str, ...] = ()


REPORTS = {
    "digits": StoredReport("digits/methods/report", ("digits/runs",), "Seven methods on digits_lt"),
    "glyphs": StoredReport("glyphs/report", ("glyphs/runs",), "Five methods on glyphs_lt"),
    "photos": StoredReport(
        "photos/report",
        ("photos/runs",),
        "Heavy and light fine-tuning on photographs",
        # Of the random weights there are two runs, which would widen the intervals of all pairs.
        ("--metric", "mean_class", "--where", "backbone.pretrained=true"),
    ),
    "both": StoredReport(
        "across/report", ("digits/runs", "glyphs/runs"), "Digits and printed characters"
    ),
}
"""Reports of the gallery, by the name of their pictures."""

_PHOTOS = "benchmarks/results/photos/runs"
_GLYPHS = "benchmarks/results/glyphs/runs/glyphs_lt/clip_tiny"
_BOARD = f"leaderboard {_PHOTOS} --metric mean_class --where backbone.pretrained"
_FEATURES = "--columns method,accuracy,few,few_excess,few_intra_class,class_similarity,few_gap"
SHOWN = {
    "glyphs/features.txt": f"leaderboard benchmarks/results/glyphs/runs {_FEATURES}",
    "glyphs/diagnosis.txt": f"diagnose {_GLYPHS}/full {_GLYPHS}/lift_plus "
    f"{_GLYPHS}/classifier_only --against pretrained",
    "glyphs/zero_shot.txt": f"diagnose {_GLYPHS}/zero_shot",
    "photos/leaderboard.txt": f"{_BOARD}=true --columns "
    "rank,method,accuracy,mean_class,medium,few,learned_percent,p_value_vs_best",
    "photos/features.txt": f"{_BOARD}=true {_FEATURES}",
    "photos/control.txt": f"{_BOARD}=false {_FEATURES}",
    "photos/diagnosis.txt": f"diagnose {_PHOTOS}/full {_PHOTOS}/half {_PHOTOS}/bitfit "
    f"{_PHOTOS}/full_ce --against {_PHOTOS}/classifier_only",
    "photos/methods.txt": f"diagnose {_PHOTOS}/half {_PHOTOS}/full {_PHOTOS}/bitfit",
}
"""Commands whose output pages show, executed at the root of the repository, by its file."""

COPIED = {
    "shot_groups.svg": "digits/methods/report/figures/digits_lt_tte_shot_groups.svg",
    "learned_parameters.svg": "digits/methods/report/figures/digits_lt_tte_learned_parameters.svg",
}
"""Figures of the pages that are figures of a report."""


def main() -> None:
    """Writes tables, reports, and the figures and pictures of the pages."""
    digits = RESULTS / "digits"
    methods = digits / "methods"
    board = _ltbench("leaderboard", "runs", "--csv", "methods/leaderboard.csv", folder=digits)
    (methods / "leaderboard.txt").write_text(board, encoding="utf-8")
    cells = [f"runs/digits_lt/clip_tiny/{method}" for method in DIGITS]
    compared = _ltbench("compare", *cells, "--metric", "accuracy", "--details", folder=digits)
    (methods / "compare.txt").write_text(compared, encoding="utf-8")
    for report in REPORTS.values():
        shutil.rmtree(RESULTS / report.folder, ignore_errors=True)
        _ltbench(
            *("report", *report.runs, "--out", report.folder, "--title", report.title),
            *report.options,
            folder=RESULTS,
        )
    for name, command in SHOWN.items():
        output = _ltbench(*command.split(), folder=ROOT)
        (RESULTS / name).write_text(f"$ ltbench {command}\n{output}", encoding="utf-8")
    for name, source in COPIED.items():
        shutil.copyfile(RESULTS / source, FIGURES / name)
    growth_of_runs.main()
    show_growth()
    picture_reports({name: RESULTS / one.folder for name, one in REPORTS.items()}, FIGURES)


def _ltbench(*arguments: str, folder: Path) -> str:
    """Returns the output of a command in a terminal of the width of these pages."""
    return ltbench(*arguments, folder=folder, environment={"COLUMNS": COLUMNS})


if __name__ == "__main__":
    main()
