"""Commands of a data set by its number of classes; it always has the same images."""

from __future__ import annotations

from benchmarks.growth.files import Listed, long_tailed, write_list
from benchmarks.growth.step import ONE_EPOCH, PLAIN_VIEWS, Case, Step, of_module, of_run

SIZES = (10, 100, 1_000, 10_000)
QUICK = (5,)
_TRAIN, _TEST = 20_000, 10_000


def files_of(classes: int) -> int:
    """Returns the number of files of a case."""
    return sum(_images(classes))


def _images(classes: int) -> tuple[int, int]:
    """Returns the numbers of training and test images: few for the quick case alone."""
    return (_TRAIN, _TEST) if classes not in QUICK else (60, 20)


def write(listed: Listed, classes: int) -> None:
    """Writes the list of a case: the test split has each class equally often."""
    train, test = _images(classes)
    write_list(listed, long_tailed(train, classes), [number % classes for number in range(test)])


def _reading(command: str) -> Step:
    """Returns the step of a command that reads a run of classifier_only."""
    return Step(command, lambda case: case.ltbench(command, case.directories("classifier_only")[0]))


def _drawn(case: Case) -> list[str]:
    return case.module("prediction_steps", images=100_000, classes=case.size)


def _report(case: Case) -> list[str]:
    return case.ltbench("report", str(case.runs), "--out", str(case.folder / "report"))


STEPS = (
    # Writes the features of the images, which the other runs of this size read.
    Step("zero_shot, first run", lambda case: case.run(*PLAIN_VIEWS, "--method", "zero_shot")),
    Step("classifier_only, first run", lambda case: case.run(*ONE_EPOCH), of_run),
    Step("classifier_only", lambda case: case.run(*ONE_EPOCH, "--seed", "1"), of_run),
    Step(
        "class_balanced sampling",
        lambda case: case.run(*ONE_EPOCH, "--sampling", "class_balanced"),
        of_run,
    ),
    Step("class_mean init", lambda case: case.run(*ONE_EPOCH, "--init", "class_mean"), of_run),
    Step(
        "tip_adapter",
        lambda case: case.run(*PLAIN_VIEWS, "--method", "tip_adapter"),
        of_run,
    ),
    Step("losses", lambda case: case.module("loss_steps", classes=case.size), of_module),
    Step("drawn predictions", _drawn, of_module),
    _reading("errors"),
    _reading("diagnose"),
    Step("compare", Case.compare),
    Step("leaderboard", lambda case: case.ltbench("leaderboard", str(case.runs))),
    Step("report", _report),
)
