"""Findings of `ltbench doctor`, here and on the nodes of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["ok", "options", "missing", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Args:
        topic: Group of the check.
        status: Result; `options` where nothing is wrong, but options must be set.
        text: Description.
        hint: Action that the user can take.
    """

    topic: str
    status: Mark
    text: str
    hint: str = ""
