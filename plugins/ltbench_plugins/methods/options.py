"""Options that several methods share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Le

from ltbench import Layers, option

Size = Annotated[int, Gt(0), Le(65536)]
"""Width or number of a method's new weights."""


@dataclass(frozen=True)
class BlocksConfig:
    """Options of a method that works on blocks."""

    layers: Layers = option("all", "blocks: all, the last k, or a list from 0")
