"""Schema of the environment of a run."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from ltbench.storage.stored_file import StoredFile

Threads = Annotated[int, Ge(0), Le(10**15)]
Ranks = Annotated[int, Ge(1), Le(10**6)]
UsedPrecision = Literal["fp32", "bf16", "fp16"]
Backend = Literal["gloo", "nccl"]


class Environment(StoredFile):
    """Environment of a run: no part of its hash."""

    FILE = "environment.json"

    command: list[str] = Field(description="command line")
    python: str = Field(description="version of Python")
    platform: str = Field(description="operating system")
    packages: dict[str, str | None] = Field(
        description="versions of required and optional packages; null where not installed"
    )
    plugins: list[str] = Field(description="distributions of the run's components, with versions")
    weights: str | None = Field(
        description="SHA-256 of the pretrained weights that were loaded; null in early files"
    )
    device: str = Field(description="name of the hardware")
    threads: Threads = Field(description="CPU threads of torch")
    precision: UsedPrecision = Field(description="precision of matrix products that was used")
    precision_reason: str = Field(description="reason for this precision")
    ranks: Ranks = Field(description="processes that executed the run together")
    devices: list[str] = Field(description="name of the hardware of each of them")
    backend: Backend | None = Field(
        description="library of their collectives; null for one process"
    )
