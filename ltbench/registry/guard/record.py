"""Record of what happened to the process while a plugin was loaded."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Guarded:
    """Events in the process while a plugin was loaded.

    Attributes:
        interrupted: Whether the user or the system interrupted the command.
        undone: Settings of the process that the plugin changed; they are as before.
        harm: Predicates of what would break other code, and was undone as far as possible.
    """

    interrupted: bool = False
    undone: list[str] = field(default_factory=list)
    harm: list[str] = field(default_factory=list)
