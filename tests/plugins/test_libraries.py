"""What components declare that a grid should import for them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from ltbench.registry.registry import Registry

IMPORTED = """
import sys, threading
import torch
calls = []
for name in ("is_available", "device_count", "_lazy_init"):
    setattr(torch.cuda, name, lambda name=name: calls.append(name))
for name in sys.argv[1:]:
    __import__(name)
assert threading.active_count() == 1, threading.enumerate()
assert not calls, calls
"""


def declared(registry: Registry) -> list[str]:
    components = [one for kind in registry.components.values() for one in kind.values()]
    return sorted({name for one in components for name in one.spec.libraries})


def test_declared_libraries_are_there_if_their_package_is(registry: Registry) -> None:
    names = declared(registry)
    assert {"open_clip", "timm", "sklearn.linear_model", "timm.optim"} <= {*names}
    for name in names:
        if find_spec(name.partition(".")[0]):
            assert find_spec(name), f"there is no module {name}"


@pytest.mark.full
def test_declared_libraries_start_no_thread_and_ask_for_no_device(registry: Registry) -> None:
    names = [name for name in declared(registry) if find_spec(name.partition(".")[0])]
    subprocess.run([sys.executable, "-c", IMPORTED, *names], check=True)
