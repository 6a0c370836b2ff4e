"""Plugins that end, hang or poison the commands that load them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench_process
from benchmarks.attack.hostile_plugins import (
    FATAL,
    HANGING,
    HARMFUL,
    PLACES,
    RAISING,
    REFUSED,
    RUDE,
    install,
)
from benchmarks.attack.outcome import TIMED_OUT, Outcome, graceful

_LIMIT = 20.0  # of a trial in these attacks; a minute otherwise
_SHORT = (
    "-c",
    "from ltbench.registry import trial\n"
    f"trial.LIMIT_SECONDS, trial.EXIT_SECONDS = {_LIMIT}, 4.0\n"
    "from ltbench.cli import main\nmain()",
)
_COMMANDS = (
    ("list", "losses", "--json"),
    ("plugin", "list", "--json"),
    ("show", "loss", "good_loss", "--json"),
    ("run", "--dry-run", "--loss", "good_loss", "--device", "cpu"),
)
_SMALL = ("--epochs", "1", "--device", "cpu", "--workers", "0", "--set", "dataset.largest=8")


def _try_loading(rng: random.Random, folder: Path) -> None:
    kinds = rng.choices((FATAL, RAISING, HARMFUL, RUDE, HANGING), (5, 4, 5, 5, 1), k=3)
    names = [rng.choice(list(kind)) for kind in kinds[: rng.choice((1, 1, 2, 3))]]
    code = "\n".join((RUDE | REFUSED)[name] for name in names)
    site = _site(folder)
    install(site, "bad", code, rng.choice(PLACES))
    install(site, "good")
    refused = any(name in REFUSED for name in names) and "clears_environment" not in names
    for command in (("plugin", "list", "--json"), *rng.choices(_COMMANDS, k=2)):
        _check(_run(command, folder), refused=refused)


def _try_crash(rng: random.Random, folder: Path) -> None:
    """Makes plugins that do no harm in their trial."""
    code = rng.choice(
        [code for name, code in FATAL.items() if name.startswith(("exits", "c", "k"))]
    )
    site = _site(folder)
    guard = "import os\nif 'LTBENCH_PLUGIN_TRIAL' not in os.environ:\n    exec({!r})"
    install(site, "bad", guard.format(code), rng.choice(PLACES))
    install(site, "good")
    late = "atexit" in code  # after its work, which is another matter than a crash in the import
    outcomes = [_run(rng.choice(_COMMANDS), folder) for _ in range(3)]
    if not late:
        _check(outcomes[2], refused=True)


def _try_component(rng: random.Random, folder: Path) -> None:
    name = rng.choice(list(RAISING))
    site = _site(folder)
    install(site, "bad", RAISING[name], rng.choice(("build", "call")))
    outcome = _run(("run", "--json", "--loss", "bad_loss", *_SMALL), folder)
    graceful(outcome, codes=(1, 3))  # 1: out of memory
    if outcome.code == 3 and "bad_plugin" not in outcome.err:
        raise outcome.finding("the plugin is named")
    if outcome.out.strip():
        raise outcome.finding("stdout has results only")


def _site(folder: Path) -> Path:
    site = folder / "site"
    site.mkdir()
    return site


def _check(outcome: Outcome, *, refused: bool) -> None:
    """Checks that a command works, beside a plugin that is refused."""
    graceful(outcome, codes=(0,))
    if outcome.arguments[0] == "run":
        return
    try:
        found = json.loads(outcome.out)
    except ValueError:
        raise outcome.finding("stdout is JSON") from None
    if outcome.arguments[0] == "show":
        return
    failed = [str(one) for one in found["failures"]]
    if refused and not any("bad" in one for one in failed):
        raise outcome.finding("the hostile plugin is named")
    if any("good_plugin" in one for one in failed) or "good_loss" not in outcome.out:
        raise outcome.finding("the good plugin works")


def _run(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Outcome:
    """Runs a command with the plugins of a folder, and checks that no process is left."""
    token = uuid.uuid4().hex
    env = {"PYTHONPATH": f"{folder / 'site'}:{Path.cwd()}", "LTBENCH_ATTACK": token}
    start = time.perf_counter()
    process = ltbench_process(
        *arguments, cwd=folder, env={**env, **(variables or {})}, before=_SHORT
    )
    limit = 4 * _LIMIT
    try:
        out, err = process.communicate(timeout=limit)
        code = process.returncode
    except subprocess.TimeoutExpired:
        code, out, err = TIMED_OUT, "", ""
    seconds = time.perf_counter() - start
    left = _marked(token)
    for number in left:
        os.kill(number, signal.SIGKILL)
    process.wait()
    outcome = Outcome(tuple(arguments), code, out, err, seconds, 0.0, 0.0)
    if left and code != TIMED_OUT:
        raise outcome.finding("no process is left")
    return outcome


def _marked(token: str) -> list[int]:
    """Returns the processes that a command started, whatever became of their parents."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if token.encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except (OSError, ValueError):
            continue
    return found


ATTACKS = (
    Attack(
        "plugin_loading",
        "Plugins that end, hang, fork or poison the process: named, and all other plugins work",
        _try_loading,
    ),
    Attack(
        "plugin_crash",
        "Plugins that end commands and no trial: refused from the third command on",
        _try_crash,
        share=0.5,
    ),
    Attack(
        "plugin_component",
        "Components that raise anything when they are built or called: one error that names them",
        _try_component,
        share=0.5,
    ),
)
