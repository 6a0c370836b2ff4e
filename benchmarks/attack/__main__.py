"""Attacks on the commands, with random and hostile input, until the time is over.

    python -m benchmarks.attack                                  # every attack, one hour
    python -m benchmarks.attack --hours 0.1 --seed 1             # other trials, six minutes
    python -m benchmarks.attack --trials 20 --only grid_files    # twenty trials of one attack
    python -m benchmarks.attack --trials 1 --first 7 --only ...  # the trial number 7 again

What a trial found is printed and kept in `build/attack`; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.attack.attacks import every_attack
from benchmarks.attack.campaign import Campaign, Tally, Trial
from benchmarks.attack.stores import BUILD, make_stores
from benchmarks.attack.table import as_json, as_markdown


def main() -> None:
    """Makes the trials, prints the table and writes it to `build/attack`."""
    attacks = every_attack()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.attack", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--hours", type=float, default=1.0, help="time of all attacks together")
    parser.add_argument("--seed", type=int, default=0, help="seed of every trial")
    parser.add_argument("--trials", type=int, help="trials of each attack, instead of a time")
    parser.add_argument("--first", type=int, default=0, help="number of each attack's first trial")
    parser.add_argument("--jobs", type=int, default=2, help="trials at the same time")
    parser.add_argument("--only", nargs="+", choices=sorted(attacks), metavar="ATTACK")
    parser.add_argument("--list", action="store_true", help="list the attacks and end")
    options = parser.parse_args()
    if options.list:
        for attack in attacks.values():
            print(f"{attack.name:<28} {attack.what}")
        return
    chosen = [attacks[name] for name in options.only or attacks]
    hours = None if options.trials else options.hours
    start = time.monotonic()
    make_stores()
    campaign = Campaign(chosen, options.seed, hours, options.trials, options.first, options.jobs)
    tallies = _follow(campaign)
    minutes = (time.monotonic() - start) / 60
    table = as_markdown(tallies)
    described = {"seed": options.seed, "minutes": round(minutes, 1), "attacks": as_json(tallies)}
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "attack.json").write_text(json.dumps(described, indent=1) + "\n")
    (BUILD / "attack.md").write_text(table)
    print(table)
    print(f"seed {options.seed}, {minutes:.1f} minutes; written to {BUILD}")
    sys.exit(any(tally.findings for tally in tallies))


def _follow(campaign: Campaign) -> list[Tally]:
    """Runs a campaign with a line for each finding, and a bar on a terminal."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    counts = {"trials": 0, "failures": 0}
    start = time.monotonic()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        total = len(campaign.attacks) * campaign.trials if campaign.trials else None
        if campaign.hours:
            total = int(campaign.hours * 3600)
        task = bar.add_task("", total=total)

        def tell(tally: Tally, trial: Trial) -> None:
            counts["trials"] += 1
            counts["failures"] += bool(trial.finding)
            done = time.monotonic() - start if campaign.hours else counts["trials"]
            said = f"{counts['trials']:,} trials, {counts['failures']} failures: {trial.name}"
            bar.update(task, completed=done, description=said)
            if trial.finding:
                console.print(f"[bold red]{trial.name} {trial.number}[/] {escape(trial.finding)}\n")

        return campaign.run(tell)


if __name__ == "__main__":
    main()
