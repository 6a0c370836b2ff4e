"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


class Skipped(Exception):
    """A check that says nothing about this component, and why."""


@dataclass(frozen=True)
class Check:
    """One thing that a component must do.

    Args:
        name: What is checked of what: "method lora on clip_tiny: frozen weights stay".
        rule: What must hold, in a sentence.
        run: Raises `AssertionError` where it does not hold, `Skipped` where it does not apply.
    """

    name: str
    rule: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Runs the check."""
        self.run()


def bind(subject: str, functions: Iterable[Callable[..., None]], *given: Any) -> Iterator[Check]:
    """Yields a check for each function: its name and docstring say what must hold."""
    for function in functions:
        name = function.__name__.removeprefix("check_").replace("_", " ")
        rule = (function.__doc__ or "").strip().splitlines()[0]
        yield Check(f"{subject}: {name}", rule, _Call(function, given))


@dataclass(frozen=True)
class _Call:
    function: Callable[..., None]
    given: tuple[Any, ...]

    def __call__(self) -> None:
        self.function(*self.given)
