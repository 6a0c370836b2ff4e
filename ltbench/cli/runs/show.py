"""`ltbench runs show`: everything about one stored run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ltbench.cli.options import Json
from ltbench.cli.runs.options import Run, Store
from ltbench.config.defaults import DEFAULT_OUT

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ltbench.storage.environment_schema import Environment
    from ltbench.storage.result_schema import RunResult


def show_run(run: Run, out: Store = DEFAULT_OUT, json: Json = False) -> None:
    """Show a stored run: accuracies, settings, environment, tags, files.

    Settings that are defaults or follow from a recipe are left out.

    Example: `ltbench runs show runs/digits_lt/clip_tiny/lift_plus/199f5f1adf86`

    Example: `ltbench runs show 199f`
    """
    from ltbench.cli.output import print_json, print_result
    from ltbench.cli.today_intervals import with_today_intervals
    from ltbench.config.minimal_settings import Shorthand
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins
    from ltbench.storage.run_directory import RunDirectory
    from ltbench.storage.run_lookup import find_run
    from ltbench.storage.run_table import finished_at

    stored = RunDirectory(find_run(run, out)).finished()
    result = with_today_intervals(stored)
    settings = {**Shorthand(load_plugins()).settings(result.spec), "seed": result.seed}
    files = _files(result.path)
    if json:
        print_json(
            {
                "path": str(result.path),
                "finished": finished_at(result),
                "settings": settings,
                "tags": stored.tags,
                "files": files,
                "result": stored.to_dict(),
            }
        )
        return
    stdout = console()
    print_result(result.model_copy(update={"directory": str(result.path)}), json=False, stored=True)
    _print_about(stdout, stored, finished_at(result))
    _print_settings(stdout, settings)
    _print_environment(stdout, result.environment)
    _print_files(stdout, files)


def _print_about(stdout: Console, run: RunResult, finished: str | None) -> None:
    from rich.markup import escape

    stdout.print(f"hash                {run.hash}")
    if run.earlier_hash:
        stdout.print(f"earlier hash        {run.earlier_hash}")
    stdout.print(f"finished            {finished or 'unknown'}")
    if run.tags_fault:
        stdout.print(f"[yellow]tags[/]                {escape(run.tags_fault)}", soft_wrap=True)
    for name, value in run.tags.items():
        stdout.print(f"tag                 {name}={escape(value)}", soft_wrap=True)
    for name, error in run.silenced_plugins.items():
        told = f"[yellow]silenced[/]            {escape(name)}: {escape(error)}"
        stdout.print(told, soft_wrap=True)


def _print_settings(stdout: Console, settings: Mapping[str, Any]) -> None:
    from ltbench.config.options import as_typed

    stdout.print("\n[bold]settings[/], without those that are defaults or of a recipe")
    for key, value in settings.items():
        stdout.print(f"  {key} = {as_typed(value)}", markup=False, soft_wrap=True)


def _print_environment(stdout: Console, environment: Environment) -> None:
    torch = environment.packages.get("torch")
    others = sum(found is not None for found in environment.packages.values()) - (torch is not None)
    rows = {
        "command": shlex.join(environment.command),
        "device": f"{environment.device}, {environment.threads} threads",
        "precision": f"{environment.precision}: {environment.precision_reason}",
        "python": environment.python,
        "torch": f"{torch or 'unknown'} and {others} more packages, listed by --json",
        "platform": environment.platform,
        "plugins": ", ".join(environment.plugins),
        "weights": environment.weights or "not recorded",
    }
    stdout.print("\n[bold]environment[/]")
    for name, value in rows.items():
        stdout.print(f"  {name:<18}{value}", markup=False, soft_wrap=True)


def _print_files(stdout: Console, files: Mapping[str, int]) -> None:
    from ltbench.io.sizes import in_words

    stdout.print(f"\n[bold]files[/] ({in_words(sum(files.values()))})")
    for name, size in files.items():
        stdout.print(f"  {in_words(size):>9}  {name}", markup=False, soft_wrap=True)


def _files(directory: Path) -> dict[str, int]:
    """Returns the size in bytes of each file and folder of a run directory, by name."""
    from ltbench.storage.trash import size_of

    return {
        f"{path.name}/" if path.is_dir() else path.name: size_of(path)
        if path.is_dir()
        else path.lstat().st_size
        for path in sorted(directory.iterdir())
    }
