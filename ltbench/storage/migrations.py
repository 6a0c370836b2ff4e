"""What earlier versions stored, as today's would have stored it: a function for each schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ltbench.config.runspec import FIRST_SCHEDULE, hash_of

Stored = dict[str, Any]


def from_1(stored: Mapping[str, Any]) -> Stored:
    """Upgrades schema 1, which was written before there was a second.

    The first runs knew neither samplings nor refinements nor a choice of the epoch. They did what
    the defaults have done since then: every image once an epoch, no second stage, the last epoch's
    weights. A description with these choices made is another one, with another hash: that of the
    run that would be asked for today.

    Args:
        stored: A file's content, whichever file it is.

    Raises:
        KeyError: Something is missing that schema 1 had.
        TypeError: Something is of another type.
    """
    upgraded = dict(stored)
    if "run" in stored:
        upgraded["run"] = run = {**_CHOSEN_BEFORE, **stored["run"]}
        upgraded["hash"] = hash_of(run)
    if "metrics" in stored and "selection" not in stored:
        upgraded |= {
            # Shot groups were those of the images that were trained on.
            "classes": {**stored["classes"], "trained_on": stored["classes"]["train_images"]},
            "selection": _last_epoch(stored),
            "refinement": stored.get("refinement"),
            "warnings": [],
        }
    return upgraded


def from_2(stored: Mapping[str, Any]) -> Stored:
    """Upgrades schema 2, whose runs had no choice of the optimizer and the schedule.

    Args:
        stored: Content of any of the files.

    Raises:
        KeyError: Something is missing that schema 2 had.
        TypeError: Something is of another type.
    """
    upgraded = dict(stored)
    if "run" in stored:
        upgraded["run"] = _with_optimizer(stored["run"])
    return upgraded


STEPS: tuple[Callable[[Mapping[str, Any]], Stored], ...] = (from_1, from_2)
"""From schema 1 to 2, from 2 to 3, ..."""


def _only(name: str) -> Stored:
    return {"name": name, "options": {}, "paths": {}, "plugin": "ltbench 0.1.0", "identity": ""}


_CHOSEN_BEFORE = {
    "sampling": _only("instance_balanced"),
    "refinement": _only("none"),
    "select": "last",
}


def _with_optimizer(run: Mapping[str, Any]) -> Stored:
    """Returns a description with optimizer and schedule as choices; its hash is the same."""
    train = {**run["train"]}
    options = {key: train.pop(key) for key in ("momentum", "weight_decay")}
    return {
        **run,
        "optimizer": {**_only("sgd"), "options": options},
        "schedule": {**_only(FIRST_SCHEDULE["name"]), "options": dict(FIRST_SCHEDULE["options"])},
        "train": train,
    }


def _last_epoch(stored: Mapping[str, Any]) -> Stored:
    """How weights were selected: no epoch was scored, and val was the data set's own."""
    epochs, evaluation = stored["training"]["epochs"], stored["evaluation"]
    seen = stored["metrics"]["test_images"] + evaluation["skipped_images"]
    return {
        "rule": "last",
        "epoch": epochs - 1 if epochs else None,
        "epochs": epochs,
        "criterion": None,
        "scores": [],
        "val_images": seen if evaluation["split"] == "val" else 0,
        "held_out": False,
        "seconds": 0,
        "skipped_images": 0,
    }
