"""`--tracker` of `ltbench run` and `ltbench grid run`; what each one writes is in tests/plugins."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_run_failures import INTERRUPTING, SMALL, only_run
from tests.conftest import Ended
from tests.grid.grids import small
from tests.strangers import install

Cli = Callable[..., Ended]
TELLTALE = """
from pathlib import Path
from ltbench import TrackerSpec

class Telltale:
    def __init__(self, folder):
        self.folder = folder

    @hookimpl
    def ltbench_on_run_start(self, run, directory, history):
        self.say(f"start after {len(history)}")

    @hookimpl
    def ltbench_on_epoch_end(self, epoch):
        self.say(f"epoch {epoch}")
        if self.folder is None:
            1 / 0

    @hookimpl
    def ltbench_on_run_end(self, result):
        self.say("end")

    @hookimpl
    def ltbench_on_run_failure(self, error):
        self.say(f"failure: {type(error).__name__}")

    def say(self, text):
        with Path("said").open("a") as file:
            print(text, file=file)

def build(config, ctx):
    return Telltale(None if ctx.settings["seed"] == 13 else ctx.directory)

@hookimpl
def ltbench_register_trackers():
    return [TrackerSpec(name="telltale", summary="says what it hears", build=build)]
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a stranger's tracker writes what it hears to."""
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "gossip", TELLTALE)
    return tmp_path / "said"


def losses(path: Path) -> list[float]:
    with path.open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.full
def test_a_tracker_changes_no_number_and_a_stored_run_tells_it_nothing(
    cli: Cli, tmp_path: Path, said: Path
) -> None:
    plain = cli("run", *SMALL, "--json", "--out", "plain").json
    arguments = ("run", *SMALL, "--json", "--tracker", "csv", "--tracker", "telltale")
    arguments += ("--set", "tracker.csv.folder=logs")
    tracked = cli(*arguments)
    assert tracked.code == 0, tracked.err
    assert tracked.json["hash"] == plain["hash"]
    assert tracked.json["metrics"] == plain["metrics"]
    assert tracked.json["silenced_plugins"] == {}
    told = ["start after 0", "epoch 0", "epoch 1", "epoch 2", "end"]
    assert said.read_text().splitlines() == told
    run = only_run(tmp_path / "runs")
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    logged = tmp_path / "logs" / plain["hash"]
    assert losses(logged / "epochs.csv") == [row["loss"] for row in history]

    assert cli(*arguments).json == tracked.json
    assert said.read_text().splitlines() == told
    assert cli(*arguments, "--tracker", "telltall").code == 2  # a typo is one all the same


@pytest.mark.full
def test_a_resumed_run_tells_the_epochs_that_are_new(
    cli: Cli, tmp_path: Path, said: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "more").mkdir()
    install(tmp_path / "more", monkeypatch, "interrupter", INTERRUPTING)
    arguments = ("run", *SMALL, "--tracker", "telltale", "--tracker", "csv")
    assert cli(*arguments).code == 130
    assert cli(*arguments).code == 0
    # The second epoch's checkpoint was written when the interrupter stopped the run.
    assert said.read_text().splitlines() == [
        *("start after 0", "epoch 0", "failure: Interrupted"),
        *("start after 2", "epoch 2", "end"),
    ]
    assert len(losses(only_run(tmp_path / "runs") / "csv/epochs.csv")) == 3


@pytest.mark.full
def test_a_failure_is_told(cli: Cli, said: Path) -> None:
    diverging = ("--lr", "1e30", "--batch-size", "1000", "--epochs", "1")
    ended = cli("run", *diverging, "--tracker", "telltale", "--precision", "fp32")
    assert ended.code == 1
    told = ["start after 0", "epoch 0", "failure: NonFiniteLossError"]
    assert said.read_text().splitlines() == told


def test_a_tracker_that_raises_is_silenced(cli: Cli, said: Path) -> None:
    ended = cli("run", *SMALL, "--seed", "13", "--tracker", "telltale", "--json")
    assert ended.code == 0
    assert ended.err.count("tracker telltale is silenced: ZeroDivisionError") == 1
    assert "gossip_plugin.py" in ended.json["silenced_plugins"]["tracker telltale"]
    assert said.read_text().splitlines() == ["start after 0", "epoch 0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tracker", "tensorbord"), "did you mean 'tensorboard'?"),
        (("--tracker", "csv", "--set", "tracker.csv.foldr=x"), "did you mean 'folder'?"),
        (("--tracker", "wandb", "--set", "tracker.wandb.mode=x"), "tracker.wandb.mode: expected"),
        (("--set", "tracker.csv.folder=x"), "add --tracker csv"),
        (("--set", "tracker=csv"), "--tracker NAME chooses one"),
        (("--tracker", "cvs", "--set", "tracker.wandb.mode=x"), "2 faults"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    file = str(small(tmp_path, "seed = 0"))
    for verb in (("run",), ("run", "--dry-run"), ("grid", "run", file)):
        ended = cli(*verb, *arguments)
        assert ended.code == 2
        assert message in " ".join(ended.err.split())
    assert not (tmp_path / "runs").exists()


def test_a_missing_library_is_told_before_anything_begins(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    file = str(small(tmp_path, "seed = [0, 1]"))
    for verb in (("run", *SMALL), ("grid", "run", file)):
        ended = cli(*verb, "--tracker", "wandb")
        assert ended.code == 2
        assert "hint: pip install 'ltbench[wandb]'" in ended.err
    assert not list((tmp_path / "runs").rglob("*.json"))


@pytest.mark.full
def test_the_runs_of_a_grid_are_tracked(cli: Cli, tmp_path: Path) -> None:
    file = str(small(tmp_path, "seed = [0, 1]"))
    tracked = ("--tracker", "csv", "--set", "tracker.csv.folder=my logs")
    ended = cli("grid", "run", file, "--jobs", "1", "--json", *tracked)
    assert ended.code == 0, ended.err
    for run in ended.json["runs"]:
        assert len(losses(tmp_path / "my logs" / run["hash"] / "epochs.csv")) == 2
        environment = json.loads(Path(run["directory"], "environment.json").read_text())
        command = " ".join(environment["command"])
        assert "--set tracker.csv.folder=my logs" in command
        assert "--tracker csv" in command


@pytest.mark.full
def test_the_tracker_of_the_documentation_works(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs/trackers.md"
    (tmp_path / "site").mkdir()
    source = page.read_text().partition("```python\n")[2].partition("```")[0]
    install(tmp_path / "site", monkeypatch, "ledger", source)
    tracked = ("--tracker", "ledger", "--set", "tracker.ledger.file=all.jsonl", "--json")
    result = cli("run", *SMALL, *tracked).json
    (line,) = (tmp_path / "all.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "hash": result["hash"],
        "method": "lift_plus",
        "accuracy": result["metrics"]["accuracy"],
    }


def test_trackers_are_listed_and_shown(cli: Cli) -> None:
    listed = [one["name"] for one in cli("list", "trackers", "--json").json["components"]]
    assert listed == ["csv", "tensorboard", "wandb", "mlflow"]
    assert "tracker.csv.folder" in cli("show", "tracker", "csv").out
