from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltbench import TrackerContext, TrackerSpec, hookimpl
from ltbench.config.resolve import resolve
from ltbench.engine.observers import Observers
from ltbench.engine.tracking import ChosenTracker, hooks_of
from ltbench.errors import Interrupted, PluginError, RunError
from ltbench.progress import SilentReporter
from ltbench.registry.component import Component, PluginInfo
from ltbench.registry.registry import Registry
from ltbench.specs import NoOptions
from ltbench.storage.run_directory import RunDirectory

ROWS = [{"epoch": 0, "loss": 2.0}, {"epoch": 1, "loss": 1.0}]


class Diary:
    """A tracker that keeps what it hears; `raising` is when it raises, and what."""

    def __init__(self, raising: str = "", error: BaseException | None = None) -> None:
        self.heard: list[Any] = []
        self.raising, self.error = raising, error

    def hear(self, event: str, what: Any) -> None:
        self.heard.append((event, what))
        if event == self.raising:
            assert self.error is not None
            raise self.error

    @hookimpl
    def ltbench_on_run_start(self, run: dict[str, Any], history: list[dict[str, float]]) -> None:
        run.clear()  # its own copy
        self.hear("start", len(history))

    @hookimpl
    def ltbench_on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        self.hear("epoch", (epoch, metrics.pop("loss")))

    @hookimpl
    def ltbench_on_run_end(self, run: dict[str, Any], result: dict[str, Any]) -> None:
        self.hear("end", (run, result))

    @hookimpl
    def ltbench_on_run_failure(self, error: Exception) -> None:
        self.hear("failure", str(error))


def observers(registry: Registry, **trackers: Diary) -> Observers:
    hooks = {name: hooks_of(tracker) for name, tracker in trackers.items()}
    return Observers(registry, hooks, {"seed": 3}, SilentReporter())


def test_everybody_hears_everything_once(registry: Registry, tmp_path: Path) -> None:
    one, other = Diary(), Diary()
    told = observers(registry, one=one, other=other)
    told.start(tmp_path, [])
    told.epochs(ROWS[:1])
    told.epochs(ROWS)
    told.end({"hash": "x"})
    told.fail(RunError("too late"))  # after its end it is no failure of the run
    assert one.heard == other.heard
    assert one.heard == [
        ("start", 0),
        ("epoch", (0, 2.0)),
        ("epoch", (1, 1.0)),
        ("end", ({"seed": 3}, {"hash": "x"})),
    ]


def test_of_a_resumed_run_the_new_epochs_are_told(registry: Registry, tmp_path: Path) -> None:
    diary = Diary()
    told = observers(registry, diary=diary)
    told.start(tmp_path, ROWS[:1])
    told.epochs(ROWS)
    told.fail(Interrupted("stopped"))
    assert diary.heard == [("start", 1), ("epoch", (1, 1.0)), ("failure", "stopped")]


def test_who_was_not_told_of_a_start_is_told_of_no_failure(registry: Registry) -> None:
    diary = Diary()
    observers(registry, diary=diary).fail(RunError("no memory"))
    assert diary.heard == []


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
@pytest.mark.parametrize("event", ["start", "epoch", "end", "failure"])
def test_who_raises_is_silenced_alone(
    registry: Registry, tmp_path: Path, event: str, error: BaseException
) -> None:
    raising, quiet = Diary(event, error), Diary()
    told = observers(registry, raising=raising, quiet=quiet)
    told.start(tmp_path, [])
    told.epochs(ROWS)
    if event == "end":
        told.end({})
    else:
        told.fail(RunError("failed"))
    assert list(told.silenced) == ["tracker raising"]
    assert "test_observers.py" in told.silenced["tracker raising"]
    assert raising.heard[-1][0] == event
    assert len(quiet.heard) == 4


def test_asked_twice_to_end_nobody_is_waited_for(registry: Registry, tmp_path: Path) -> None:
    hanging, last = Diary("failure", KeyboardInterrupt()), Diary()
    told = observers(registry, hanging=hanging, last=last)
    told.start(tmp_path, [])
    told.fail(Interrupted("stopped"))
    assert last.heard == [("start", 0)]


class Misspelt:
    @hookimpl
    def ltbench_on_epoch(self, epoch: int) -> None:
        """No hook of that name."""


class Deaf:
    def ltbench_on_epoch_end(self, epoch: int) -> None:
        """Without the mark."""


class Strange:
    @hookimpl
    def ltbench_on_epoch_end(self, epoch: int, batch: int) -> None:
        """No argument of that name."""


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (Misspelt(), "did you mean 'ltbench_on_epoch_end'"),
        (Deaf(), "implements no notification; mark its methods with @ltbench.hookimpl"),
        (None, "implements no notification"),
        (Strange(), "batch"),
    ],
)
def test_what_is_no_tracker_is_refused_by_name(
    registry: Registry, tmp_path: Path, built: object, said: str
) -> None:
    def build(config: NoOptions, ctx: TrackerContext) -> object:
        return built

    spec = TrackerSpec(name="odd", summary="s", build=build)
    info = PluginInfo("stranger", "stranger", "stranger", "1")
    tracker = ChosenTracker(Component(spec, info), NoOptions())
    resolved = resolve(registry, {}, tmp_path)
    with pytest.raises(PluginError, match=r"tracker 'odd' of plugin stranger") as raised:
        tracker.build(resolved, RunDirectory.of(tmp_path, resolved.spec))
    assert said in raised.value.message
