"""`ltbench plugin check`: conformance checks of a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ltbench.cli.options import Json
from ltbench.errors import ConfigError, PluginError
from ltbench.io import interrupts

if TYPE_CHECKING:
    from rich.console import Console

    from ltbench.registry.component import PluginInfo
    from ltbench.registry.registry import Registry
    from ltbench.testing import Outcome

_COLORS = {"passed": "green", "failed": "red", "skipped": "yellow", "expected": "yellow"}


def check_plugins(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name (see `ltbench plugin list`). Default: all but the built-in ones."
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every check, instead of the failed ones.")
    ] = False,
    json: Json = False,
) -> None:
    """Check that a plugin conforms to the contracts of ltbench, on the CPU and without downloads.

    Prints the checks that failed, with their rules, and the number of the others. A named plugin is
    first tried in a process of its own, also where it was refused before.

    Exit code 1 if a check failed, 3 if the plugin could not be loaded.

    Example: `ltbench plugin check my_plugin`
    """
    from ltbench.registry.load import load_plugins
    from ltbench.registry.trusted import forget

    if name is not None:
        forget(name)  # what its author has changed may be in another package
    registry = load_plugins()
    chosen = _chosen(name, registry)

    from ltbench.io.console import console

    out = console()
    outcomes: dict[str, list[Outcome]] = {}
    for plugin in chosen:
        outcomes[plugin.name] = _checked(plugin, registry, None if json else out, verbose=verbose)
    every = [one for found in outcomes.values() for one in found]
    if json:
        from ltbench.cli.output import print_json

        counts = {status: sum(one.status == status for one in every) for status in _COLORS}
        print_json(
            {
                **counts,
                "checks": [
                    {"plugin": plugin, **_plain(one)}
                    for plugin, found in outcomes.items()
                    for one in found
                ],
            }
        )
    if any(one.status == "failed" for one in every):
        raise typer.Exit(1)


def _chosen(name: str | None, registry: Registry) -> list[PluginInfo]:
    """Returns the plugins to check.

    Raises:
        ConfigError: No plugin is installed except the built-in ones.
        PluginError: A plugin could not be loaded.
        UnknownNameError: No plugin has that name.
    """
    from ltbench.testing.collect import plugin_named

    if name is not None:
        return [plugin_named(name, registry)]
    if registry.failures:
        listed = "".join(f"\n  - {one.plugin}: {one.error}" for one in registry.failures)
        raise PluginError(
            f"{len(registry.failures)} plugins failed to load:{listed}",
            hint="give the name of the plugin to check",
        )
    chosen = [plugin for plugin in registry.plugins if plugin.distribution != "ltbench"]
    if not chosen:
        raise ConfigError(
            "no plugin is installed except the built-in ones",
            hint="give a name of `ltbench plugin list`, or create one with `ltbench plugin new`",
        )
    return chosen


def _checked(
    plugin: PluginInfo, registry: Registry, out: Console | None, *, verbose: bool
) -> list[Outcome]:
    """Runs the checks of a plugin, and prints the outcomes.

    Args:
        plugin: The plugin.
        registry: Registry of plugins.
        out: Console, or None to print nothing.
        verbose: Whether every outcome is printed, instead of the failed ones.
    """
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ltbench.io.console import console
    from ltbench.testing.collect import checks_of_plugin
    from ltbench.testing.runner import run_checks

    # The bar shares the console of the lines, which are printed above it.
    live = console(stderr=True) if out is None else out
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    outcomes = []
    if out is not None:
        out.print(f"[bold]{escape(str(plugin))}[/]", soft_wrap=True)
    bar = Progress(*columns, console=live, transient=True, disable=not live.is_terminal)
    with interrupts.deferred(), bar:  # the checks delete their folders
        task = bar.add_task(f"building small models to check {plugin.name}", total=None)
        checks = list(checks_of_plugin(plugin, registry))
        for number, outcome in enumerate(run_checks(checks, plugin, {}), start=1):
            interrupts.check()
            outcomes.append(outcome)
            if out is not None and (verbose or outcome.status == "failed"):
                _print(outcome, out)
            following = checks[number].name if number < len(checks) else ""
            bar.update(task, total=len(checks), completed=number, description=following)
    if out is not None:
        count = {status: sum(one.status == status for one in outcomes) for status in _COLORS}
        seconds = sum(one.seconds for one in outcomes)
        named = [f"{count[status]} {status}" for status in ("passed", "failed", "skipped")]
        out.print(f"{', '.join(named)} in {seconds:.0f} s")
        if count["skipped"] and not verbose:
            out.print("[dim]-v shows every check, and why some were skipped[/]")
    return outcomes


def _print(outcome: Outcome, out: Console) -> None:
    from rich.markup import escape

    from ltbench.io.console import print_paragraph

    check = outcome.check
    reason = f": {escape(outcome.reason)}" if outcome.reason else ""
    print_paragraph(
        out,
        f"  [{_COLORS[outcome.status]}]{outcome.status:<7}[/] {escape(check.name)}{reason} "
        f"[dim]{escape(check.link)}[/]",
    )
    if outcome.status == "failed":
        print_paragraph(out, f"          [dim]rule: {escape(check.rule)}[/]")


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "check": outcome.check.name,
        "status": outcome.status,
        "reason": outcome.reason,
        "rule": outcome.check.rule,
        "link": outcome.check.link,
        "seconds": round(outcome.seconds, 3),
    }
