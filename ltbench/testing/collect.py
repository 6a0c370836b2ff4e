"""Collection of the checks of components and plugins, also as pytest parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ltbench.errors import PluginError, UnknownNameError, suggestion
from ltbench.registry.component import Component, PluginInfo
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS
from ltbench.testing.check import Check, Rule, Skipped

if TYPE_CHECKING:
    import pytest

    from ltbench.testing.bench import Bench


def checks_for(component: Component, registry: Registry | None = None) -> Iterator[Check]:
    """Yields the checks of a component: those for all kinds, then those of its own kind.

    Args:
        component: Component, as `load_plugins().find(kind, name)` returns it.
        registry: Registry with the components that the checks combine it with; the installed ones
            by default.
    """
    from ltbench.testing.bench import Bench

    yield from _checks(component, Bench.of(registry or load_plugins()))


def checks_of_plugin(plugin: PluginInfo, registry: Registry) -> Iterator[Check]:
    """Yields the checks of a plugin: those of the whole plugin, then those of each component.

    Args:
        plugin: Plugin from `registry.plugins`.
        registry: Registry with the components that the checks combine its components with.
    """
    from ltbench.testing.bench import Bench

    yield from _checks_of_plugin(plugin, registry, Bench.of(registry))


def _checks_of_plugin(plugin: PluginInfo, registry: Registry, bench: Bench) -> Iterator[Check]:
    yield from import_module("ltbench.testing.plugin").checks(plugin, registry)
    for components in registry.components.values():
        for component in components.values():
            if component.plugin == plugin:
                yield from _checks(component, bench)


def rules() -> Iterator[Rule]:
    """Yields every rule of the kit, in the order of the documentation."""
    for name in ("plugin", "all_kinds", *(spec.plural for spec in KINDS.values())):
        module = import_module(f"ltbench.testing.{name}")
        for key, function in vars(module).items():
            if key.startswith("check_") and function.__module__ == module.__name__:
                yield Rule.of(function)


def _checks(component: Component, bench: Bench) -> Iterator[Check]:
    for kind in ("all_kinds", component.spec.plural):
        yield from import_module(f"ltbench.testing.{kind}").checks(component, bench)


def parametrize_with_checks(
    *plugins: str,
    registry: Registry | None = None,
    expected_failures: Mapping[str, str] | None = None,
    repeated: bool | None = None,
) -> pytest.MarkDecorator:
    """Returns a pytest mark that runs a test with each check of some plugins.

    Args:
        plugins: Names of entry points; none for all plugins.
        registry: Registry of components; the installed ones by default.
        expected_failures: Reasons for known failures, by a check's name or a part of it: the test
            is marked `xfail`, strictly. See `check_plugin`.
        repeated: Whether to keep only the checks that repeat a mechanism on backbones of other
            families (True) or only the others (False); None: all checks.

    Raises:
        UnknownNameError: No plugin has this name.
        PluginError: The plugin failed to load.
    """
    import pytest

    from ltbench.testing.bench import Bench

    found = registry or load_plugins()
    chosen = [plugin_named(name, found) for name in plugins] or found.plugins
    bench = Bench.of(found)
    cases = []
    for plugin in chosen:
        for check in _checks_of_plugin(plugin, found, bench):
            if repeated is not None and check.repeated is not repeated:
                continue
            reason = expected_reason(check, expected_failures or {})
            marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
            cases.append(pytest.param(CheckForPytest(check), id=check.name, marks=marks))
    return pytest.mark.parametrize("check", cases)


def expected_reason(check: Check, expected_failures: Mapping[str, str]) -> str | None:
    """Returns the reason for a known failure of a check, or None."""
    for fragment, reason in expected_failures.items():
        if fragment in check.name:
            return reason
    return None


def plugin_named(name: str, registry: Registry) -> PluginInfo:
    """Returns a plugin by the name of its entry point, or of its distribution.

    Raises:
        UnknownNameError: No plugin has this name.
        PluginError: The plugin failed to load.
    """
    for failure in registry.failures:
        if name in (failure.plugin.name, failure.plugin.distribution):
            raise PluginError(
                f"plugin {failure.plugin} failed to load: {failure.error}",
                hint="fix the plugin; `ltbench plugin list` shows all plugins",
            )
    for plugin in registry.plugins:
        if plugin.name == name or (plugin.distribution == name != "ltbench"):
            return plugin
    known = [plugin.name for plugin in registry.plugins]
    raise UnknownNameError(
        f"there is no plugin '{name}'",
        hint=suggestion(name, known) + " (see `ltbench plugin list`)",
    )


@dataclass(frozen=True)
class CheckForPytest:
    """A check that skips its test where it does not apply.

    Args:
        check: The check.
    """

    check: Check

    def __call__(self) -> None:
        """Runs the check."""
        import pytest

        try:
            self.check()
        except Skipped as reason:
            pytest.skip(str(reason))
