"""One resolver for many runs answers as a resolver for each run."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from ltbench.config.lookups import frozen
from ltbench.config.resolve import Resolver, resolve
from ltbench.config.runspec import hash_of
from ltbench.config.text import Text
from ltbench.errors import LTBenchError
from ltbench.registry.registry import Registry

VALUES: dict[str, list[Any]] = {
    "method": ["lora", "full", "crt", "zero_shot", "lorra", 3, True],
    "dataset": ["digits_lt", "glyphs_lt", "imagenet_lt"],
    "loss": ["ce", "ldam", "cee"],
    "optimizer": ["sgd", "adamw"],
    "schedule": ["cosine_per_epoch", "constant"],
    "method.dim": [1, 2, True, 1.0, "none", Text("none"), Text("4"), -1],
    "method.layers": ["all", 2, [0, 1], [[0]]],
    "method.dimm": [4],
    "train.lr": [0.1, 1, -0.0, float("nan"), Text("0.1"), "0.1"],
    "train.epochs": [0, 3, 1.0],
    "train.momentum": [0.9],
    "seed": [0, 1, -1],
    "select": ["last", "val", "test"],
    "lr": [0.1],
    "foo.bar": [1],
}


def drawn(rng: random.Random) -> dict[str, Any]:
    keys = rng.sample(sorted(VALUES), k=rng.randint(0, 3))
    return {key: rng.choice(VALUES[key][: rng.choice([2, 9])]) for key in keys}


def answer(resolver: Resolver, user: dict[str, Any], *, identify: bool) -> Any:
    try:
        found = resolver.resolve(user, identify=identify)
    except LTBenchError as error:
        return type(error), error.message, error.hint
    return found.spec, found.spec.hash, found.configs, found.sources, found.data


def test_what_is_looked_up_once_changes_no_answer(registry: Registry, tmp_path: Path) -> None:
    rng = random.Random(0)
    shared = Resolver(registry, tmp_path)
    kinds = set()
    for _ in range(300):
        user, identify = drawn(rng), rng.random() < 0.5
        one = answer(shared, user, identify=identify)
        assert one == answer(Resolver(registry, tmp_path), user, identify=identify)
        kinds.add(one[0] if isinstance(one[0], type) else "resolved")
    assert {kind if isinstance(kind, str) else kind.__name__ for kind in kinds} == {
        *("resolved", "ConfigError", "DataError"),
    }


def test_the_hash_is_that_of_the_description(registry: Registry, tmp_path: Path) -> None:
    for optimizer in registry.components["optimizer"]:
        for schedule in registry.components["schedule"]:
            user = {"optimizer": optimizer, "schedule": schedule}
            spec = resolve(registry, user, tmp_path, identify=False).spec
            described = spec.to_dict()
            assert spec.hash == hash_of(described)
            assert spec.to_dict() == described  # and the JSON that is kept is none of its keys


def test_keys_tell_equal_values_of_other_types_apart() -> None:
    values = [1, True, 1.0, "1", Text("1"), [1], (1,), {"a": 1}, {"a": True}, 0.0, -0.0, None]
    assert len({frozen(value) for value in values}) == len(values)
