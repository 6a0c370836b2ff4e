"""`ltbench plugin list`: loaded plugins, and those that could not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ltbench.cli.options import Json

if TYPE_CHECKING:
    from ltbench.registry.component import PluginInfo
    from ltbench.registry.registry import Registry


MAX_SHOWN_NAMES = 4  # of a kind; `ltbench list` shows all


def list_plugins(json: Json = False) -> None:
    """List plugins with their origin, components, loading time, warnings and errors.

    Example: `ltbench plugin list`
    """
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    remarks = registry.remarks()
    if json:
        from ltbench.cli.output import print_json

        print_json(
            {
                "plugins": [
                    {
                        **_described(plugin, registry),
                        "components": _components(plugin, registry),
                        "published_results": _published(plugin, registry),
                        "grids": _grids(plugin, registry),
                        "notifications": _notifications(plugin, registry),
                        "warnings": [one.text for one in remarks if one.plugin == plugin],
                    }
                    for plugin in registry.plugins
                ],
                "failures": [
                    {
                        **_described(failure.plugin, registry),
                        "error": failure.error,
                        "place": failure.place,
                    }
                    for failure in registry.failures
                ],
            }
        )
        return

    from rich.markup import escape

    from ltbench.io.console import console
    from ltbench.io.fitted_table import FittedTable

    out = console()
    table = FittedTable("entry point", "distribution")
    table.add_column("load", right=True)
    table.add_column("provides")
    for plugin in registry.plugins:
        table.add_row(
            f"[bold]{escape(plugin.name)}[/]\n[dim]{escape(plugin.module)}[/]",
            escape(f"{plugin.distribution} {plugin.version}"),
            f"{1000 * registry.seconds[plugin]:.0f} ms",
            escape(_provided(plugin, registry)),
        )
    if registry.plugins:
        out.print(table)
    else:
        out.print("no plugin is loaded")
    for remark in remarks:
        text = f"plugin {remark.plugin} {remark.text}"
        out.print(f"[yellow]warning[/]: {escape(text)}", soft_wrap=True)
    for failure in registry.failures:
        text = f"plugin {failure.plugin} failed to load: {failure.error}"
        out.print(f"[red]failed[/]: {escape(text)}", soft_wrap=True)


def _described(plugin: PluginInfo, registry: Registry) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry_point": f"{plugin.name} = {plugin.module}",
        "module": plugin.module,
        "load_ms": round(1000 * registry.seconds[plugin], 1),
    }


def _components(plugin: PluginInfo, registry: Registry) -> dict[str, list[str]]:
    named = {
        kind: [name for name, one in components.items() if one.plugin == plugin]
        for kind, components in registry.components.items()
    }
    return {kind: names for kind, names in named.items() if names}


def _published(plugin: PluginInfo, registry: Registry) -> int:
    return sum(item.plugin == plugin for item in registry.published)


def _grids(plugin: PluginInfo, registry: Registry) -> list[str]:
    return [name for name, grid in registry.grids.items() if grid.plugin == plugin]


def _notifications(plugin: PluginInfo, registry: Registry) -> list[str]:
    loaded = registry.manager.get_plugin(plugin.name)
    callers = registry.manager.get_hookcallers(loaded) or []
    return sorted(one.name for one in callers if one.name.startswith("ltbench_on_"))


def _provided(plugin: PluginInfo, registry: Registry) -> str:
    """Returns a description of what a plugin provides."""
    from ltbench.specs import KINDS

    parts = []
    for kind, names in _components(plugin, registry).items():
        if len(names) > MAX_SHOWN_NAMES:
            parts.append(f"{len(names)} {KINDS[kind].plural}")
        else:
            parts.append(f"{kind if len(names) == 1 else KINDS[kind].plural} {', '.join(names)}")
    if count := _published(plugin, registry):
        parts.append(f"{count} published results")
    if grids := _grids(plugin, registry):
        parts.append(f"{len(grids)} grids" if len(grids) > 1 else f"grid {grids[0]}")
    parts += _notifications(plugin, registry)
    return "; ".join(parts)
