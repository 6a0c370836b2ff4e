"""Defaults of the options that change no result, for the command and for Python."""

from __future__ import annotations

from pathlib import Path

DEFAULT_OUT = Path("runs")
DEFAULT_DEVICE = "auto"
DEFAULT_CACHE_GB = 4.0
DEFAULT_DATA_ROOT = Path("data")
DATA_ROOT_VARIABLE = "LTBENCH_DATA"
