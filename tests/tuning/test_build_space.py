from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltbench.config.resolve import Resolver
from ltbench.config.text import Text
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from ltbench.tuning.build_space import build_spaces
from ltbench.tuning.search_texts import read_searches
from ltbench.tuning.space import Choices, Range, Space


def spaces(
    registry: Registry,
    methods: str,
    *texts: str,
    base: dict[str, Any] | None = None,
    grid: bool = False,
) -> list[Space]:
    searches, faults = read_searches(texts)
    resolver = Resolver(registry, Path("data"))
    return build_spaces(resolver, methods.split(), base or {}, searches, faults, grid=grid)


def faults(registry: Registry, methods: str, *texts: str, **options: Any) -> str:
    with pytest.raises(ConfigError) as error:
        spaces(registry, methods, *texts, **options)
    return error.value.message


def test_the_default_is_the_learning_rate_around_the_recipes(registry: Registry) -> None:
    full, lift_plus = spaces(registry, "full lift_plus")
    assert full.dimensions == (Range("train.lr", 0.0001, 0.01, log=True, whole=False),)
    assert lift_plus.dimensions == (Range("train.lr", 0.002, 0.2, log=True, whole=False),)
    assert (full.start, lift_plus.start) == ({"train.lr": 0.001}, {"train.lr": 0.02})
    (grid,) = spaces(registry, "full", grid=True)
    assert grid.dimensions == (Choices("train.lr", (0.0001, 0.0003, 0.001, 0.003, 0.01)),)


def test_a_method_without_training_has_no_default(registry: Registry) -> None:
    assert "ncm trains 0 epochs" in faults(registry, "full ncm")
    (space,) = spaces(registry, "zero_shot", "init.ensemble=none,simple")
    assert space.size == 2


def test_values_have_the_types_of_their_options(registry: Registry) -> None:
    (space,) = spaces(
        registry,
        "lora",
        "method.dim=4,none",
        "train.epochs=2..4",
        "train.lr=1..2",
        'method.targets=["q"],["q","v"]',
        "loss=ce,focal",
        "train.batch_size=log:8..64",
    )
    assert space.dimensions == (
        Choices("method.dim", (4, None)),
        Range("train.epochs", 2, 4, log=False, whole=True),
        Range("train.lr", 1.0, 2.0, log=False, whole=False),
        Choices("method.targets", (["q"], ["q", "v"])),
        Choices("loss", ("ce", "focal")),
        Range("train.batch_size", 8, 64, log=True, whole=True),
    )
    assert space.start is None  # the recipe's loss and epochs are not in the space


def test_a_search_of_one_method_replaces_that_of_all(registry: Registry) -> None:
    full, lift_plus = spaces(
        registry, "full lift_plus", "train.lr=1,2", "full:train.lr=3,4", "lift_plus:method.dim=4,8"
    )
    assert full.dimensions == (Choices("train.lr", (3.0, 4.0)),)
    assert [one.key for one in lift_plus.dimensions] == ["train.lr", "method.dim"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("seed=0,1", "seed: cannot be searched: the trials share one seed"),
        ("data_seed=0,1", "data_seed: cannot be searched"),
        ("dataset=digits_lt,glyphs_lt", "dataset: cannot be searched: scores on different images"),
        ("dataset.ratio=1,2", "dataset.ratio: cannot be searched"),
        ("split=val,test", "split: cannot be searched: trials are evaluated on val"),
        ("select=last,val", "select: cannot be searched"),
        ("method=full,lora", "method: cannot be searched: give --methods"),
        ("foo=1", "foo: there is no such key"),
        ("method.dum=4", "method.dum: is not an option of method 'lift_plus'; did you mean 'dim'"),
        ("method.dim=4,x", "method.dim: expected whole number > 0"),
        ("method.dim=4.5..9", "method.dim: expected whole number > 0"),
        ("method.dim=8..4", "method.dim: expected a range from a number to a larger one"),
        ("train.lr=-1..1", "train.lr: expected number > 0"),
        ("loss.tau=log:0..1", "loss.tau: expected a range from a number > 0"),
        ("method.dim=4,8,4", "method.dim: a value occurs twice"),
        ("loss=ce,see", "there is no loss 'see'"),
        ("lora:train.lr=1,2", "lora:train.lr: is for none of --methods"),
        ("train.epochs=2,3", "train.epochs: is set and searched"),
    ],
)
def test_a_search_that_makes_no_run_is_a_fault(registry: Registry, text: str, fault: str) -> None:
    assert fault in faults(registry, "lift_plus", text, base={"train.epochs": Text("2")})


def test_all_faults_are_reported_together_and_once(registry: Registry) -> None:
    found = faults(registry, "full lora nix", "seed=0,1", "train.lr=x", base={"foo": Text("1")})
    assert found.startswith("2 faults")
    assert found.count("foo") == 1
    assert "there is no method 'nix'" in found
    other = faults(registry, "full lora", "seed=0,1", "train.lr=x")
    assert other.startswith("2 faults")


def test_options_of_components_that_are_searched_are_checked_with_each(registry: Registry) -> None:
    assert "loss.tau: is not an option of loss 'ce'" in faults(
        registry, "full", "loss=logit_adjusted,ce", "loss.tau=0.5,1"
    )


def test_the_searches_of_the_documentation_are_valid(registry: Registry, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text()
    (tmp_path / "space.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    searches, wrong = read_searches((), tmp_path / "space.toml")
    resolver = Resolver(registry, Path("data"))
    full, lift_plus = build_spaces(resolver, ["full", "lift_plus"], {}, searches, wrong)
    assert [one.key for one in full.dimensions] == ["train.lr", "loss"]
    assert [one.key for one in lift_plus.dimensions] == ["train.lr", "loss", "method.dim"]
    texts = [row.split("`")[1] for row in page.splitlines() if row.startswith("| `") and "=" in row]
    assert len(texts) == 5
    for text in texts:
        method = "lora" if text.startswith("method") else "full"
        assert len(spaces(registry, method, text, base={"loss": "logit_adjusted"})) == 1
