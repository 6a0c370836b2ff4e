"""Results of a campaign, as a table of Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.attack.campaign import Tally


def as_markdown(tallies: Sequence[Tally]) -> str:
    """Returns the table: attack, what, trials, failures."""
    lines = ["| attack | what | trials | failures |", "|---|---|---:|---:|"]
    for tally in tallies:
        trials = f"not made: {tally.impossible}" if tally.impossible else f"{tally.trials:,}"
        attack = tally.attack
        lines.append(f"| `{attack.name}` | {attack.what} | {trials} | {len(tally.findings)} |")
    trials_of_all = sum(tally.trials for tally in tallies)
    failures = sum(len(tally.findings) for tally in tallies)
    lines.append(f"| all | | {trials_of_all:,} | {failures} |")
    return "\n".join(lines) + "\n"


def as_json(tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    """Returns the tallies as JSON has them."""
    return [
        {
            "attack": tally.attack.name,
            "trials": tally.trials,
            "seconds": round(tally.seconds, 1),
            "impossible": tally.impossible,
            "findings": [
                {"number": trial.number, "finding": trial.finding} for trial in tally.findings
            ],
        }
        for tally in tallies
    ]
