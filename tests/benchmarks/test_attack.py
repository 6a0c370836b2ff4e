from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.attack.attack import Attack, Finding
from benchmarks.attack.attacks import every_attack
from benchmarks.attack.campaign import Campaign, Tally, Trial, make_trial
from benchmarks.attack.mutation import damaged
from benchmarks.attack.outcome import TIMED_OUT, Outcome, graceful
from benchmarks.attack.table import as_json, as_markdown


def outcome(code: int = 0, out: str = "", err: str = "") -> Outcome:
    return Outcome(("list",), code, out, err, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (outcome(1, err="Traceback (most recent call last)"), "no traceback"),
        (outcome(-11), "an exit code of 0, 1, 2, 3, 4"),
        (outcome(2, err="something"), "an error has its line"),
        (outcome(2, err="error: " + "x" * 2_000), "at most 2,000 characters of errors"),
        (outcome(0, "\x1b[31mred"), "no control characters"),
        (outcome(0, "\u202eabc"), "no control characters"),
        (outcome(TIMED_OUT), "ends within 1 s"),
    ],
)
def test_a_broken_promise_is_found(broken: Outcome, promise: str) -> None:
    with pytest.raises(Finding, match=promise):
        graceful(broken)


def test_a_clear_error_is_no_finding() -> None:
    graceful(outcome(4, err="error: the file is damaged\nhint: make it again"))
    graceful(outcome(0, "a\tb\n"))


def test_trials_are_drawn_from_seed_name_and_number() -> None:
    attack = Attack("one", "One", lambda rng, folder: None)
    assert attack.random(0, 3).random() == attack.random(0, 3).random()
    assert len({attack.random(seed, n).random() for seed in range(2) for n in range(2)}) == 4


def test_damage_is_of_every_size_and_repeatable() -> None:
    content = bytes(range(256)) * 40
    found = {damaged(random.Random(number), content) for number in range(200)}
    assert damaged(random.Random(5), content) == damaged(random.Random(5), content)
    assert b"" in found
    assert max(map(len, found)) == 2 * len(content)


def test_the_time_is_shared_by_shares() -> None:
    attacks = [Attack(name, name, lambda rng, folder: None, share) for name, share in SHARES]
    campaign = Campaign(attacks, hours=1.0)
    tallies = [Tally(attack) for attack in attacks]
    for number in range(300):
        chosen = campaign._next(tallies, over=False)
        assert chosen is not None
        chosen.started += 1
        chosen.add(Trial(chosen.attack.name, number, seconds=2.0))
    assert [tally.trials for tally in tallies] == [200, 100]


SHARES = (("often", 2.0), ("seldom", 1.0))


def test_the_least_number_of_trials_is_made_after_the_time() -> None:
    tally = Tally(Attack("one", "One", lambda rng, folder: None, least=2), started=1)
    campaign = Campaign([tally.attack])
    assert campaign._next([tally], over=True) is tally
    tally.started = 2
    assert campaign._next([tally], over=True) is None
    assert campaign._next([tally], over=False) is tally


def test_an_impossible_attack_is_not_repeated_and_shown() -> None:
    tally = Tally(Attack("one", "One", lambda rng, folder: None))
    tally.add(Trial("one", 0, 1.0, impossible="needs root"))
    assert Campaign([tally.attack])._next([tally], over=False) is None
    assert "| `one` | One | not made: needs root | 0 |" in as_markdown([tally])


def test_findings_are_counted_with_their_numbers() -> None:
    tally = Tally(Attack("one", "One", lambda rng, folder: None))
    tally.add(Trial("one", 0, 1.0))
    tally.add(Trial("one", 1, 1.0, finding="it broke"))
    assert "| `one` | One | 2 | 1 |" in as_markdown([tally])
    assert as_json([tally])[0]["findings"] == [{"number": 1, "finding": "it broke"}]


def test_every_attack_has_a_name_and_a_phrase() -> None:
    for name, attack in every_attack().items():
        assert name.isidentifier()
        assert name.islower()
        assert not attack.what[:1].islower()
        assert not attack.what.endswith(".")


@pytest.mark.full
def test_a_trial_runs_commands(tmp_path: Path) -> None:
    trial = make_trial("backbone_weights", 0, 0)
    assert not trial.finding, trial.finding
