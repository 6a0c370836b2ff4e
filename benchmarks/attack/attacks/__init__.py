"""The attacks, by area: each module has a tuple `ATTACKS`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from benchmarks.attack.attack import Attack


@cache
def every_attack() -> dict[str, Attack]:
    """Returns all attacks by name."""
    modules = sorted(found.name for found in pkgutil.iter_modules(__path__))
    attacks = [attack for name in modules for attack in import_module(f"{__name__}.{name}").ATTACKS]
    named = {attack.name: attack for attack in attacks}
    if len(named) != len(attacks):
        raise ValueError("two attacks have one name")
    return named
