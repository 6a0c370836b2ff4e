"""Migrations of stored JSON files: one function for each step from a schema to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ltbench.config.runspec import FIRST_SCHEDULE, hash_of

Stored = dict[str, Any]


def from_1(stored: Mapping[str, Any]) -> Stored:
    """Returns the content of a file of schema 1 in the form of schema 2.

    The first runs had no choice of sampling, refinement or epoch. They did what is the default
    since then: each image once in an epoch, no second stage, the weights of the last epoch. A
    description with these choices has another hash: that of the same run resolved today.

    Args:
        stored: Content of any of the JSON files.

    Raises:
        KeyError: A key of schema 1 is missing.
        TypeError: A value has another type than in schema 1.
    """
    upgraded = dict(stored)
    if "run" in stored:
        upgraded["run"] = run = {**_IMPLIED_CHOICES, **stored["run"]}
        upgraded["hash"] = hash_of(run)
    if "metrics" in stored and "selection" not in stored:
        upgraded |= {
            # Shot groups were computed from the images that were trained on.
            "classes": {**stored["classes"], "trained_on": stored["classes"]["train_images"]},
            "selection": _last_epoch(stored),
            "refinement": stored.get("refinement"),
            "warnings": [],
        }
    return upgraded


def from_2(stored: Mapping[str, Any]) -> Stored:
    """Returns the content of a file of schema 2 in the form of schema 3.

    Runs of schema 2 had no choice of the optimizer and the schedule; their hash is the same.

    Args:
        stored: Content of any of the JSON files.

    Raises:
        KeyError: A key of schema 2 is missing.
        TypeError: A value has another type than in schema 2.
    """
    upgraded = _with_every_key(stored)
    if "run" in stored:
        upgraded["run"] = _with_optimizer(stored["run"])
    return upgraded


def from_3(stored: Mapping[str, Any]) -> Stored:
    """Returns the content of a file of schema 3 in the form of schema 4.

    Runs of schema 3 were executed by one process.

    Args:
        stored: Content of any of the JSON files.

    Raises:
        KeyError: A key of schema 3 is missing.
        TypeError: A value has another type than in schema 3.
    """
    upgraded = dict(stored)
    if "metrics" in stored:
        upgraded["environment"] = _of_one_process(stored["environment"])
    elif "precision_reason" in stored:  # environment.json
        upgraded = _of_one_process(stored)
    return upgraded


STEPS: tuple[Callable[[Mapping[str, Any]], Stored], ...] = (from_1, from_2, from_3)
"""Migrations from schema 1 to 2, from 2 to 3, ..."""

SCHEMA = 1 + len(STEPS)
"""Version of the JSON files that are written today."""


def _with_every_key(stored: Mapping[str, Any]) -> Stored:
    """Returns a file's content with the keys that schema 2 gained after its first files."""
    upgraded = dict(stored)
    if "metrics" in stored:
        upgraded["metrics"] = {"interval_method": None, **stored["metrics"]}
        upgraded["environment"] = {"weights": None, **stored["environment"]}
    elif "precision_reason" in stored:  # environment.json
        upgraded = {"weights": None, **stored}
    elif "error" in stored:  # failure.json
        upgraded = {"kind": "LTBenchError", **stored}
    return upgraded


def _of_one_process(environment: Mapping[str, Any]) -> Stored:
    return {"ranks": 1, "devices": [environment["device"]], "backend": None, **environment}


def _choice(name: str) -> Stored:
    return {"name": name, "options": {}, "paths": {}, "plugin": "ltbench 0.1.0", "identity": ""}


_IMPLIED_CHOICES = {
    "sampling": _choice("instance_balanced"),
    "refinement": _choice("none"),
    "select": "last",
}


def _with_optimizer(run: Mapping[str, Any]) -> Stored:
    """Returns a description with optimizer and schedule as choices; its hash is the same."""
    train = {**run["train"]}
    options = {key: train.pop(key) for key in ("momentum", "weight_decay")}
    return {
        **run,
        "optimizer": {**_choice("sgd"), "options": options},
        "schedule": {**_choice(FIRST_SCHEDULE["name"]), "options": dict(FIRST_SCHEDULE["options"])},
        "train": train,
    }


def _last_epoch(stored: Mapping[str, Any]) -> Stored:
    """Returns the record of a selection that kept the last epoch and scored none.

    The val split of such a run belonged to the data set: no images were held out.
    """
    epochs, evaluation = stored["training"]["epochs"], stored["evaluation"]
    images = stored["metrics"]["test_images"] + evaluation["skipped_images"]
    return {
        "rule": "last",
        "epoch": epochs - 1 if epochs else None,
        "epochs": epochs,
        "criterion": None,
        "scores": [],
        "val_images": images if evaluation["split"] == "val" else 0,
        "held_out": False,
        "seconds": 0,
        "skipped_images": 0,
    }
