"""The public API: its modules, its version, and which versions a plugin may be built for.

A plugin may say in its module what it was built for: `LTBENCH_API = 1`. That is read before the
module is imported, so that an incompatible one is refused by name, whatever it would do.
"""

from __future__ import annotations

VERSION = 1
"""Goes up when something that plugins use is taken away or changes its meaning."""

OLDEST = 1
"""The oldest version whose plugins work still."""

ATTRIBUTE = "LTBENCH_API"

MODULES = (
    "ltbench",
    "ltbench.backbone",
    "ltbench.data",
    "ltbench.errors",
    "ltbench.grid.fork_server",
    "ltbench.protocols",
    "ltbench.testing",
    "ltbench.testing.fixtures",
    "ltbench.views",
)
"""What plugins and their tests may import; everything else may change at any time."""


def refusal(declared: object) -> str:
    """Returns why a plugin that was built for a version does not work here; "" where it does.

    Args:
        declared: What its module says; None where it says nothing, which is taken for fine.
    """
    if declared is None:
        return ""
    if not isinstance(declared, int) or isinstance(declared, bool):
        return f"{ATTRIBUTE} is {declared!r}, not the number of a version, as in {ATTRIBUTE} = 1"
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
