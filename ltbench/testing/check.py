"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

DOCUMENTATION = "docs/conformance.md"
"""Where every rule is explained, below an anchor of its own."""


class Skipped(Exception):
    """A check that says nothing about this component, and why."""


@dataclass(frozen=True)
class Check:
    """One thing that a component must do.

    Args:
        name: What is checked of what: "method lora on clip_tiny: frozen weights stay".
        rule: What must hold, in a sentence.
        run: Raises `AssertionError` where it does not hold, `Skipped` where it does not apply.
        anchor: Anchor of the rule in the documentation: the same for every component of a kind.
        repeated: Whether another check covers the same mechanism on a backbone of another family.
    """

    name: str
    rule: str
    run: Callable[[], None]
    anchor: str = ""
    repeated: bool = False

    @property
    def link(self) -> str:
        """Where the rule is documented."""
        return f"{DOCUMENTATION}#{self.anchor}"

    def __call__(self) -> None:
        """Runs the check."""
        self.run()


def bind(
    subject: str,
    functions: Iterable[Callable[..., None]],
    *given: Any,
    repeated: bool = False,
) -> Iterator[Check]:
    """Yields a check for each function: its name and docstring say what must hold."""
    for function in functions:
        rule, call = Rule.of(function), _Call(function, given)
        yield Check(f"{subject}: {rule.name}", rule.text, call, rule.anchor, repeated)


@dataclass(frozen=True)
class Rule:
    """What a check asks, whatever it is asked of.

    Args:
        kind: Whom it is asked of: "losses", "all_kinds", ...
        name: In a few words: "half precision".
        text: In a sentence.
    """

    kind: str
    name: str
    text: str

    @classmethod
    def of(cls, function: Callable[..., None]) -> Rule:
        """Returns the rule that a function checks, from its module, name and docstring."""
        name = function.__name__.removeprefix("check_").replace("_", " ")
        text = " ".join((function.__doc__ or "").partition("\n\n")[0].split())
        return cls(function.__module__.rpartition(".")[2], name, text)

    @property
    def anchor(self) -> str:
        """The anchor of its heading, "kind: name"."""
        return f"{self.kind}-{self.name}".replace("_", "-").replace(" ", "-").lower()


@dataclass(frozen=True)
class _Call:
    function: Callable[..., None]
    given: tuple[Any, ...]

    def __call__(self) -> None:
        self.function(*self.given)
