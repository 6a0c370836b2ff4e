"""The parts of pages that are the output of commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.remeasure.command import ROOT
from benchmarks.remeasure.marked import fill
from benchmarks.remeasure.transcripts import Step, Transcript, text_of

_ACCURACIES = ("^accuracy ", "^overall", "^mean-class", "^many", "^medium", "^few")
_RUN = (" on .* with ", *_ACCURACIES)
_TUTORIAL = "docs/plugins/tutorial.md"
_SVFT = "docs/tutorial"
_BESIDE = "beside/digits_lt/clip_tiny"
_COMPARE = f"ltbench compare {_BESIDE}/svft {_BESIDE}/lora"
_GLYPHS = "runs/glyphs_lt/clip_tiny/lift_plus/HASH"
_TUNE = "ltbench tune --methods full,lift_plus --budget 6 --set inference=center"
_CONVPASS = "examples/ltbench-convpass"
_COCO = "examples/ltbench-coco"
_SHEETS = (
    "ltbench run --dataset coco_objects --set dataset.path=sheets/train.json "
    "--set dataset.test=sheets/test.json \\\n      --epochs 10 --set train.batch_size=32"
)
_EVALUATED = Step(f"ltbench eval {_GLYPHS} --split train")
_CONVPASS_RATES = ((1, 0.02), (1, 0.005), (0.1, 0.02), (1, 0.05), (10, 0.02))
_SEEDS = range(3)


def _silent(command: str) -> Step:
    return Step(command, shown=(), echoed=False)


TRANSCRIPTS = (
    Transcript(
        "README.md",
        "demo",
        "demo",
        (
            Step(
                "make demo",
                comment="    # creates .venv, installs the versions of requirements.lock, "
                "trains LIFT+",
            ),
            Step("ltbench run", shown=(*_RUN, "^stored in"), echoed=False),
            Step(
                "make test", comment="    # the tests of every day: four minutes on two idle cores"
            ),
        ),
    ),
    Transcript("docs/index.md", "demo", "demo", (Step("ltbench run", echoed=False),), "```"),
    Transcript(
        _TUTORIAL,
        "run",
        "tutorial",
        (Step("ltbench run --method svft --overwrite always"),),
        package=_SVFT,
    ),
    Transcript(
        _TUTORIAL,
        "rates",
        "tutorial",
        (
            Step("ltbench grid run rates.toml --out rates", shown=()),
            Step(
                "ltbench leaderboard rates --metric mean_class --columns "
                "rank,method,accuracy,mean_class,many,medium,few,p_value_vs_best --spread none"
            ),
        ),
        package=_SVFT,
    ),
    Transcript(
        _TUTORIAL,
        "leaderboard",
        "tutorial",
        (
            Step("ltbench grid run beside.toml --out beside", shown=()),
            Step(
                "ltbench leaderboard beside --columns "
                "rank,method,accuracy,many,medium,few,learned_percent,p_value_vs_best"
            ),
        ),
        package=_SVFT,
    ),
    Transcript(
        _TUTORIAL,
        "comparison",
        "tutorial",
        (
            Step(_COMPARE, shown=("5 accuracies", "^accuracy, %", "^overall", "^few-shot")),
            Step(f"{_COMPARE} --details", shown=("in overall accuracy:",)),
        ),
        package=_SVFT,
    ),
    Transcript(
        "docs/tuning.md",
        "search",
        "tuning",
        (Step(_TUNE, last="^ltbench run --method lift_plus"),),
    ),
    Transcript(
        "docs/tuning.md",
        "test",
        "tuning",
        (
            Step(
                f"{_TUNE} --then-test --seeds 0,1,2",
                shown=("^accuracy", "^method", "^full ", "^lift_plus ", "on few-shot classes"),
                first="^accuracy on test in",
                echoed=False,
            ),
        ),
        "```",
    ),
    Transcript(
        "docs/errors.md",
        "errors",
        "errors",
        (
            Step("ltbench run --dataset glyphs_lt", shown=(), comment="    # or any other run"),
            _silent(_EVALUATED.command),
            Step(f"ltbench errors {_GLYPHS}", last="^- Training accuracy"),
        ),
    ),
    Transcript("docs/errors.md", "training accuracy", "errors", (_EVALUATED,)),
    Transcript(
        f"{_CONVPASS}/README.md",
        "comparison",
        "convpass",
        (
            *(
                _silent(f"ltbench run{method} --seed {seed}")
                for seed in _SEEDS
                for method in (" --method convpass", "")
            ),
            Step("ltbench leaderboard runs --markdown", echoed=False),
        ),
        fence="",
        package=_CONVPASS,
    ),
    Transcript(
        f"{_CONVPASS}/README.md",
        "difference",
        "convpass",
        (
            Step(
                "ltbench compare runs/digits_lt/clip_tiny/convpass "
                "runs/digits_lt/clip_tiny/lift_plus --details",
                shown=("in overall accuracy:",),
            ),
        ),
        package=_CONVPASS,
    ),
    Transcript(
        f"{_CONVPASS}/README.md",
        "rates",
        "convpass",
        (
            *(
                _silent(
                    f"ltbench run --method convpass --split val --out val --lr {rate} "
                    f"--set method.scale={scale}"
                )
                for scale, rate in _CONVPASS_RATES
            ),
            Step(
                "ltbench leaderboard val --metric mean_class --columns method,mean_class "
                "--spread none --markdown",
                echoed=False,
            ),
        ),
        fence="",
        package=_CONVPASS,
    ),
    Transcript(
        f"{_COCO}/README.md",
        "demo",
        "coco",
        (
            Step("python demo/digit_sheets.py sheets"),
            Step(_SHEETS, shown=_ACCURACIES),
        ),
        package=_COCO,
    ),
)
"""All parts, in the order in which their commands are executed."""


def measure(work: Path) -> None:
    """Executes the commands of the pages in a folder, and writes their output into the pages."""
    _prepare(work)
    for each in TRANSCRIPTS:
        print(f"{each.page}: {each.name}", flush=True)
        fill(ROOT / each.page, {each.name: text_of(each, work)})


def _prepare(work: Path) -> None:
    """Writes the files that commands read."""
    tutorial = work / "tutorial"
    tutorial.mkdir(parents=True, exist_ok=True)
    for name in ("rates.toml", "beside.toml"):
        shutil.copyfile(ROOT / _SVFT / name, tutorial / name)
    sheets = work / "coco" / "sheets"
    if not sheets.exists():
        script = ROOT / _COCO / "demo" / "digit_sheets.py"
        subprocess.run([sys.executable, str(script), str(sheets)], check=True)
