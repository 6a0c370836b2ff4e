"""Lists the checks of a component, and offers them to pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ltbench.plugins import Component, Registry, load_plugins
from ltbench.testing.check import Check, Skipped

if TYPE_CHECKING:
    import pytest

    from ltbench.testing.bench import Bench


def checks_for(component: Component, registry: Registry) -> Iterator[Check]:
    """Yields the checks of a component: those of all kinds, then those of its own.

    Args:
        component: As `Registry.find` returns it.
        registry: Where the checks find what the component works with.
    """
    from ltbench.testing.bench import Bench

    yield from _checks(component, Bench.of(registry))


def _checks(component: Component, bench: Bench) -> Iterator[Check]:
    for kind in ("everything", component.spec.plural):
        yield from import_module(f"ltbench.testing.{kind}").checks(component, bench)


def parametrize_with_checks(
    *plugins: str, registry: Registry | None = None
) -> pytest.MarkDecorator | Callable[[Any], Any]:
    """Returns a mark that runs a test with each check of the components of some plugins.

    Args:
        plugins: Names of entry points; all plugins where none is given.
        registry: The components; those that are installed where not given.
    """
    import pytest

    from ltbench.testing.bench import Bench

    found = registry or load_plugins()
    bench = Bench.of(found)
    cases = [
        pytest.param(_for_pytest(check), id=check.name)
        for components in found.components.values()
        for component in components.values()
        if not plugins or component.plugin.name in plugins
        for check in _checks(component, bench)
    ]
    return pytest.mark.parametrize("check", cases)


def _for_pytest(check: Check) -> Callable[[], None]:
    def run() -> None:
        import pytest

        try:
            check()
        except Skipped as reason:
            pytest.skip(str(reason))

    return run
