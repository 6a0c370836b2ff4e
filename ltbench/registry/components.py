"""Components of one kind; those with a late spec are imported when they are used."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

from ltbench.errors import PluginError
from ltbench.late import LateSpec
from ltbench.registry.component import Component, PluginInfo
from ltbench.registry.inspect_source import described, place_in
from ltbench.registry.spec_checks import checked_spec
from ltbench.specs import ComponentSpec


class Components(MutableMapping[str, Component]):
    """Components of a kind by name, in the order of their registration.

    Names are known without an import. A component is imported and checked when it is first read.

    Args:
        kind: The kind.

    Attributes:
        default: Name of the default component; empty without one.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.default = ""
        self._known: dict[str, Component | tuple[LateSpec, PluginInfo]] = {}

    def register(self, spec: ComponentSpec | LateSpec, plugin: PluginInfo) -> None:
        """Adds a component.

        Raises:
            PluginError: Its name is taken, or another component is the default.
        """
        if spec.name in self._known:
            taken = self._plugin(spec.name)
            raise PluginError(f"{self.kind} '{spec.name}' is already registered by {taken}")
        if spec.default and self.default:
            raise PluginError(
                f"{self.kind} '{spec.name}' is declared as the default, and so is "
                f"'{self.default}' of {self._plugin(self.default)}"
            )
        if isinstance(spec, LateSpec):
            self._known[spec.name] = spec, plugin
        else:
            self._known[spec.name] = Component(spec, plugin)
        if spec.default:
            self.default = spec.name

    def drop(self, plugin: PluginInfo) -> None:
        """Removes the components of a plugin."""
        for name in [name for name in self._known if self._plugin(name) == plugin]:
            del self[name]

    def copy(self) -> Components:
        """Returns the same components, to which others can be added."""
        copied = Components(self.kind)
        copied.default, copied._known = self.default, dict(self._known)
        return copied

    def _plugin(self, name: str) -> PluginInfo:
        known = self._known[name]
        return known.plugin if isinstance(known, Component) else known[1]

    def __getitem__(self, name: str) -> Component:
        known = self._known[name]
        if isinstance(known, tuple):
            late, plugin = known
            known = self._known[name] = Component(loaded(late, self.kind, plugin), plugin)
        return known

    def __setitem__(self, name: str, component: Component) -> None:
        self._known[name] = component

    def __delitem__(self, name: str) -> None:
        del self._known[name]
        if name == self.default:
            self.default = ""

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def loaded(late: LateSpec, kind: str, plugin: PluginInfo) -> ComponentSpec:
    """Imports the spec of a component and checks it.

    Raises:
        PluginError: The import fails, or the module has no such spec, or a wrong one.
    """
    title = f"{kind} '{late.name}' of plugin {plugin}"
    try:
        module = import_module(late.module)
    except Exception as error:
        place = place_in(error, late.module)
        raise PluginError(f"{title} cannot be imported: {described(error)} ({place})") from error
    for value in vars(module).values():
        for spec in value if isinstance(value, list | tuple) else (value,):
            if isinstance(spec, ComponentSpec) and (spec.kind, spec.name) == (kind, late.name):
                if spec.default != late.default:
                    raise PluginError(f"{title}: its spec and its place disagree on the default")
                return checked_spec(spec)
    raise PluginError(f"{title}: {late.module} has no such spec")
