"""Commands of a data set by its number of training images; the test split has a tenth of them."""

from __future__ import annotations

from benchmarks.growth.files import Listed, long_tailed, write_list
from benchmarks.growth.step import ONE_EPOCH, PLAIN_VIEWS, Case, Step, of_module, of_run

SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK = (110,)
CLASSES = 100
_STEPS = 30  # of lift_plus, with batches of 128


def files_of(images: int) -> int:
    """Returns the number of files of a case."""
    return images + images // 10


def write(listed: Listed, images: int) -> None:
    """Writes the list of a case."""
    test = [number % CLASSES for number in range(images // 10)]
    write_list(listed, long_tailed(images, CLASSES), test)


def _lift_plus(case: Case) -> list[str]:
    listed = case.listed
    return case.module("training_steps", path=str(listed.path), root=str(listed.root), steps=_STEPS)


def _drawn(case: Case) -> list[str]:
    return case.module("prediction_steps", images=case.size, classes=min(CLASSES, case.size))


def _train_split(case: Case) -> list[str]:
    run, *_ = case.directories("classifier_only")
    return case.ltbench("eval", run, "--split", "train")


STEPS = (
    Step("list, first time", lambda case: case.run("--dry-run")),
    Step("list, again", lambda case: case.run("--dry-run")),
    Step(f"lift_plus, {_STEPS} steps", _lift_plus, of_module),
    Step("classifier_only, first run", lambda case: case.run(*ONE_EPOCH), of_run),
    Step("classifier_only, another seed", lambda case: case.run(*ONE_EPOCH, "--seed", "1"), of_run),
    Step("eval of the training images", _train_split),
    Step("drawn predictions", _drawn, of_module),
    Step("errors", lambda case: case.ltbench("errors", case.directories("classifier_only")[0])),
    Step("diagnose", lambda case: case.ltbench("diagnose", case.directories("classifier_only")[0])),
    Step("zero_shot", lambda case: case.run(*PLAIN_VIEWS, "--method", "zero_shot"), of_run),
    Step("compare", Case.compare),
    Step("leaderboard", lambda case: case.ltbench("leaderboard", str(case.runs))),
)
