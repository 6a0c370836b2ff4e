from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended

Cli = Callable[..., Ended]
SMALL = (
    *("--set", "dataset.largest=10", "--set", "dataset.ratio=4", "--set", "inference=center"),
    *("--set", "augmentation=none", "--set", "precision=fp32"),
)


@pytest.mark.full
def test_a_search_ends_with_the_command_of_the_best_and_its_test_runs(
    cli: Cli, tmp_path: Path
) -> None:
    methods = ("--methods", "classifier_only,zero_shot", "--budget", "2")
    searches = (
        *("--search", "classifier_only:train.epochs=1,2"),
        *("--search", "zero_shot:init.ensemble=none,simple"),
    )
    ended = cli("tune", *methods, *SMALL, *searches)
    assert ended.code == 0, ended.err
    assert "classifier_only 2/2: train.epochs=" in ended.err
    assert "The best score is optimistic" in ended.out
    command = next(line for line in ended.out.splitlines() if line.startswith("ltbench run"))
    assert not list((tmp_path / "runs").glob("digits_lt*"))

    tested = cli("tune", *methods, *SMALL, *searches, "--then-test", "--seeds", "4,5", "--json")
    assert tested.code == 0, tested.err
    assert "2/2" not in tested.err  # no trial is repeated
    first, second = tested.json["methods"]
    assert [one["state"] for one in first["trials"] + second["trials"]] == ["done"] * 4
    assert first["command"] == command
    assert first["test"]["seeds"] == [4, 5]
    assert len(tested.json["comparisons"]) >= 2
    assert tested.json["study"]["budget"] == 2
    own = cli(*shlex.split(command)[1:], "--seed", "4", "--json")
    assert own.json["directory"] == first["test"]["directories"][0]
    assert own.json["run"]["split"] == "test"
    shown = cli("tune", *methods, *SMALL, *searches, "--then-test", "--seeds", "4,5")
    assert "accuracy on test in %, seeds 4, 5" in shown.out
    assert "classifier_only" in shown.out.split("accuracy on test")[1]


def test_all_faults_are_shown_together_and_nothing_is_written(cli: Cli, tmp_path: Path) -> None:
    ended = cli(
        "tune",
        *("--methods", "full,full,,nix", "--set", "split=test", "--set", "select=val"),
        *("--set", "method=lora", "--search", "seed=0,1", "--name", "a/b"),
        *("--then-test", "--seeds", "0,x"),
    )
    assert (ended.code, ended.out) == (2, "")
    for fault in (
        "split: trials are evaluated on val, got 'test'",
        "method: give --methods",
        "select: give --select",
        "--name: expected letters",
        "--methods: full is given twice",
        "--methods: expected names with commas",
        "--seeds: expected whole numbers",
        "seed: cannot be searched",
        "there is no method 'nix'",
    ):
        assert fault in ended.err, ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", ["1", "+1", "0x1"])
def test_the_seed_of_the_trials_is_none_of_the_test_runs(cli: Cli, seed: str) -> None:
    ended = cli("tune", "--set", f"seed={seed}", "--then-test")
    assert ended.code == 2
    assert f"--seeds: {seed} is the seed of the trials" in ended.err


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--sampler", "grid", "--budget", "4"), "its grid has 5 points"),
        (("--sampler", "grid", "--search", "train.lr=1..2"), "a grid needs lists"),
        (("--space", "nix.toml"), "nix.toml cannot be read"),
        (("--budget", "0"), "budget"),
        (("--methods", "ncm"), "ncm trains 0 epochs"),
        (("--out", "/dev/null"), "exists but is not a directory"),
        (("--metric", "ece"), "metric"),
        (("--seeds", "0"), "the seeds of --then-test, which is missing"),
    ],
)
def test_a_search_that_cannot_be_run_is_an_error(
    cli: Cli, arguments: tuple[str, ...], fault: str
) -> None:
    ended = cli("tune", *arguments)
    assert ended.code == 2
    assert fault in ended.err.lower() or fault in ended.err


@pytest.mark.full
def test_a_signal_interrupts_a_search_that_the_same_command_continues(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "ltbench", "tune", *SMALL, "--methods", "classifier_only"),
        *("--budget", "3", "--set", "train.epochs=6", "--json"),
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    trials = tmp_path.glob("runs/.tuning/studies/*/trials.jsonl")
    until = time.monotonic() + 240
    while not list(tmp_path.glob("runs/.tuning/studies/*/trials.jsonl")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert out == ""
    assert "error: interrupted" in err
    before = next(trials).read_text().splitlines()
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stderr
    (method,) = json.loads(again.stdout)["methods"]
    assert method["trials"][: len(before)] == [json.loads(line) for line in before]
    assert len(method["trials"]) == 3
