"""Attacks: what is tried on the commands, and what counts as a finding."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class Finding(Exception):
    """Behaviour of a command that breaks a promise of `docs/trust.md`."""


class Impossible(Exception):
    """Reason why an attack cannot be made on this machine, such as a missing permission."""


@dataclass(frozen=True)
class Attack:
    """An attack that is repeated with other random inputs.

    Args:
        name: Name on the command line, in snake_case.
        what: Description of the attempt and of the promise, in one phrase for the table.
        trial: Function of a random generator and of an empty folder, which is deleted afterwards;
            raises `Finding`.
        share: Part of the campaign's time, relative to that of the other attacks.
        least: Number of trials that are made even where the time is over.
    """

    name: str
    what: str
    trial: Callable[[random.Random, Path], None]
    share: float = 1.0
    least: int = 0

    def random(self, seed: int, number: int) -> random.Random:
        """Returns the generator of a trial: that of each trial can be made again alone.

        Args:
            seed: Seed of the campaign.
            number: Number of the trial, from 0.
        """
        return random.Random(f"{seed} {self.name} {number}")
