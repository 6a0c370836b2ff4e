"""From what a user asks for to a run in which every choice is made: `RunSpec`."""

from __future__ import annotations

from ltbench.config.options import Text, parse_options
from ltbench.config.resolve import Resolved, resolve, settings_of
from ltbench.config.runspec import Choice, RunSpec, TrainConfig

__all__ = [
    "Choice",
    "Resolved",
    "RunSpec",
    "Text",
    "TrainConfig",
    "parse_options",
    "resolve",
    "settings_of",
]
