"""Confidence levels that intervals and tests can have."""

from __future__ import annotations

from typing import Any

from ltbench.errors import ConfigError, quoted

MIN_LEVEL, MAX_LEVEL = 0.5, 0.9999


def expect_level(level: Any) -> None:
    """Checks a confidence level that Python was given.

    Args:
        level: Value, expected to be a number from `MIN_LEVEL` to `MAX_LEVEL`.

    Raises:
        ConfigError: It is none.
    """
    is_number = isinstance(level, int | float) and not isinstance(level, bool)
    if not is_number or not MIN_LEVEL <= level <= MAX_LEVEL:
        raise ConfigError(f"level: expected {MIN_LEVEL} to {MAX_LEVEL}, got {quoted(level)}")
