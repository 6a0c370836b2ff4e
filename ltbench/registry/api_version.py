"""Public API: its modules, its version, and the versions that a plugin may be built for.

A plugin declares in its module the version that it was built for: `LTBENCH_API = 1`.
"""

from __future__ import annotations

VERSION = 1
"""Version of the public API; raised when something is removed or changes its meaning."""

OLDEST = 1
"""Oldest version whose plugins still work."""

ATTRIBUTE = "LTBENCH_API"

MODULES = (
    "ltbench",
    "ltbench.backbone",
    "ltbench.data",
    "ltbench.errors",
    "ltbench.jobs",
    "ltbench.metric_names",
    "ltbench.progress",
    "ltbench.protocols",
    "ltbench.testing",
    "ltbench.testing.fixtures",
    "ltbench.views",
)
"""Modules that plugins and their tests may import; every other may change at any time."""


def refusal(declared: object) -> str:
    """Returns why a plugin built for a version is refused; empty where it is accepted.

    Args:
        declared: Value of the plugin's `LTBENCH_API`; None where it declares nothing, which is
            accepted.
    """
    if declared is None:
        return ""
    if not isinstance(declared, int) or isinstance(declared, bool):
        return f"{ATTRIBUTE}: expected a version number, as in {ATTRIBUTE} = 1, got {declared!r}"
    if declared > VERSION:
        return (
            f"it was built for version {declared} of the plugin API, and this ltbench has version "
            f"{VERSION}: update ltbench"
        )
    if declared < OLDEST:
        return (
            f"it was built for version {declared} of the plugin API, and this ltbench needs "
            f"{OLDEST} to {VERSION}: update the plugin"
        )
    return ""
