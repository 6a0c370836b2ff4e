"""Tables at 80 and 100 columns: no line is longer, no word and no interval is broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of, store

Cli = Callable[..., Ended]

WIDTHS = [80, pytest.param(100, marks=pytest.mark.full)]
LONG = {
    "method": "classifier_only",
    "loss": "balanced_softmax",
    "train__lr": 0.123456,
    "train__epochs": 12,
    "sampling": "effective_number",
}
GRID = """
name = "a_grid_with_a_rather_long_name"
backbone = "clip_tiny"
dataset = "digits_lt"
method = ["classifier_only", "lift_plus"]
seed = [0, 1]
"train.lr" = [0.123456, 0.0123456]
loss = ["balanced_softmax", "logit_adjusted"]
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """Two data sets, methods with long settings, one of them with one seed."""
    out = tmp_path_factory.mktemp("long_names")
    for dataset in ("digits_lt", "glyphs_lt"):
        for seed in range(2):
            store(out, spec_of(registry, dataset=dataset, seed=seed, **LONG), skill=1.5)
            store(out, spec_of(registry, dataset=dataset, method="lift_plus", seed=seed))
    store(out, spec_of(registry, method="full", train__epochs=12), skill=0.5)
    return out


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "verb",
    [
        "leaderboard RUNS",
        "leaderboard RUNS --spread interval --metric few",
        "leaderboard RUNS --columns method,epochs,accuracy,few,peak_memory_mb --spread std",
        "runs list RUNS",
        "list",
        "list backbones",
        "show method lift_plus",
        "show dataset csv",
        "data list",
        pytest.param("data verify digits_lt", marks=pytest.mark.full),
        "plugin list",
        "grid list",
        "grid plan grid.toml",
        "grid status grid.toml",
        "doctor",
    ],
)
def test_lines_fit_and_values_are_whole(
    cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch, verb: str, width: int
) -> None:
    Path("grid.toml").write_text(GRID)
    monkeypatch.setenv("COLUMNS", str(width))
    arguments = verb.replace("RUNS", str(runs)).split()
    narrow = cli(*arguments)
    monkeypatch.setenv("COLUMNS", "400")
    wide = cli(*arguments)
    assert narrow.code == wide.code
    # Sentences are whole lines where the output is no terminal; tables are not.
    out = re.sub(r"no room for .*?(them|--json)\s*\n", "\n", narrow.out, flags=re.DOTALL)
    tables = [line for line in out.splitlines() if line not in wide.out.splitlines()]
    assert max((len(line.rstrip()) for line in tables), default=0) <= width
    shown = set(re.split(r"[\s_/=]+", narrow.out.replace("\n", " ")))
    for line in tables:
        for part in re.split(r"\s{2,}", line.strip()):
            assert part.removesuffix(" ...") in wide.out or part.endswith(" ms"), part
    assert all(interval in wide.out for interval in re.findall(r"\[\d[^\]]*\]", narrow.out))
    if verb == "leaderboard RUNS --spread interval --metric few":
        intervals = re.findall(r"\[\d+\.\d, \d+\.\d\]", wide.out)
        assert len(intervals) >= 20
        assert all(interval in narrow.out for interval in intervals)
    if verb == "leaderboard RUNS":
        assert {"classifier", "only", "balanced", "softmax,"} <= shown


@pytest.mark.parametrize("width", WIDTHS)
def test_every_interval_of_a_comparison_is_whole(
    cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    folders = [
        str(runs / "digits_lt" / "clip_tiny" / name) for name in ("lift_plus", LONG["method"])
    ]
    arguments = ["compare", *folders, "--details"]
    rows = cli(*arguments, "--json").json["pairs"][0]["outcomes"]
    out = cli(*arguments).out
    for outcome in rows.values():
        low, high = outcome["evidence"]["low"], outcome["evidence"]["high"]
        assert f"{low:z.1f} to {high:z.1f}" in out
    lines = [line for line in out.splitlines() if re.match(r"[a-z-]+ {2,}", line)]
    assert len(lines) >= 15
    assert max(map(len, lines)) <= width
