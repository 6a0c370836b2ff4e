"""Checks of the conformance kit: a name, a rule and a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

DOCUMENTATION = "ltbench docs conformance"
"""Command that shows the page with each rule under an anchor of its own."""


class Skipped(Exception):
    """Raised by a check that does not apply to a component; the message is the reason."""


@dataclass(frozen=True)
class Check:
    """One rule applied to one component.

    Args:
        name: Subject and rule: "method lora on clip_tiny: frozen weights stay".
        rule: Rule in one sentence.
        run: Function that raises `AssertionError` for a broken rule, `Skipped` if not applicable.
        anchor: Anchor of the rule in the documentation, the same for all components of a kind.
        repeated: Whether another check covers the same mechanism on a backbone of another family.
    """

    name: str
    rule: str
    run: Callable[[], None]
    anchor: str = ""
    repeated: bool = False

    @property
    def link(self) -> str:
        """Command that shows the rule."""
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
    """Yields a check for each function, with the rule in its name and docstring."""
    for function in functions:
        rule, call = Rule.of(function), _Call(function, given)
        yield Check(f"{subject}: {rule.name}", rule.text, call, rule.anchor, repeated)


@dataclass(frozen=True)
class Rule:
    """A rule of the kit, independent of a component.

    Args:
        kind: Module of the rule: "losses", "all_kinds", ...
        name: Name in a few words: "half precision".
        text: Rule in one sentence.
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
        """Anchor of the heading "kind: name"."""
        return f"{self.kind}-{self.name}".replace(" ", "-").lower()


@dataclass(frozen=True)
class _Call:
    function: Callable[..., None]
    given: tuple[Any, ...]

    def __call__(self) -> None:
        self.function(*self.given)
