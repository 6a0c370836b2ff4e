"""Convpass for ltbench: convolutional bypasses beside attention and MLP (arXiv:2207.07039)."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import MethodSpec, hookimpl
from ltbench_convpass.method import CONVPASS

LTBENCH_API = 1
"""Version of the plugin API that this package was built for."""


@hookimpl
def ltbench_register_methods() -> Iterable[MethodSpec]:
    """Returns the method of this package."""
    return (CONVPASS,)
