"""Places of specs: a plugin with many components has those imported that are used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LateSpec:
    """A spec by its place: its module is imported when the component is chosen or listed.

    That of another package than ltbench is imported at once, for a plugin is guarded while it is
    loaded.

    Args:
        name: Name of the component.
        module: Module with the spec, which is one of its variables or in a list of them.
        default: Whether the component is the default of its kind.
    """

    name: str
    module: str
    default: bool = False


def late_specs(package: str, *names: str, default: str = "") -> list[LateSpec]:
    """Returns the late specs of a package whose modules have the names of their components.

    Args:
        package: The package, such as `__name__`.
        names: Names of the components.
        default: The one that is the default of its kind.
    """
    return [LateSpec(name, f"{package}.{name}", name == default) for name in names]
