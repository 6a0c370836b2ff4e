"""The conformance kit as a library."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.backbone import Backbone
from ltbench.data import Dataset
from ltbench.errors import ConfigError, PluginError, UnknownNameError
from ltbench.manual.pages import pages
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.testing import (
    broken_plugin,
    build_context,
    check_plugin,
    checks_for,
    installed_plugin,
    long_tailed_set,
    parametrize_with_checks,
    small_backbone,
    small_backbone_names,
)
from ltbench.testing.check import Check, Skipped
from ltbench.testing.collect import rules
from ltbench.testing.runner import run_checks
from tests.broken import LOSS

pytest_plugins = ["ltbench.testing.fixtures"]

BAD = LOSS.replace('"of the logits"', '""')


def made(name: str, error: BaseException | None = None) -> Check:
    def run() -> None:
        if error is not None:
            raise error

    return Check(name, "A rule.", run, "kind-rule")


def statuses(registry: Registry, expected: dict[str, str]) -> dict[str, tuple[str, str]]:
    checks = [
        made("good"),
        made("bad", AssertionError("it\n  differs")),
        made("idle", Skipped("nothing to see")),
        made("exits", SystemExit(3)),
        made("ours", PluginError("the plugin did it")),
    ]
    outcomes = run_checks(checks, registry.plugins[0], expected)
    return {one.check.name: (one.status, one.reason) for one in outcomes}


def test_outcomes_say_why(registry: Registry) -> None:
    found = statuses(registry, {})
    assert found["good"] == ("passed", "")
    assert found["bad"] == ("failed", "it differs")
    assert found["idle"] == ("skipped", "nothing to see")
    assert found["exits"][0] == "failed"
    assert found["exits"][1].startswith("SystemExit: 3 (")
    assert found["ours"] == ("failed", "the plugin did it")


def test_expected_failures_are_strict(registry: Registry) -> None:
    found = statuses(registry, {"ba": "known", "good": "hoped", "gone": "old"})
    assert found["bad"] == ("expected", "it differs")
    assert found["good"] == ("failed", "expected to fail (hoped), but passed")
    (stale,) = [reason for name, (_, reason) in found.items() if "expected failure" in name]
    assert stale == "no check has 'gone' in its name"


def test_check_plugin_raises_with_rule_reason_and_link() -> None:
    with installed_plugin("mine", BAD):
        with pytest.raises(AssertionError) as caught:
            check_plugin("mine")
        outcomes = check_plugin("mine", {"loss new_loss: options": "no help yet"})
    said = str(caught.value)
    assert said.startswith("1 of 11 checks of mine failed:\n- loss new_loss: options: option scale")
    assert "rule: Options have defaults and help" in said
    assert "ltbench docs conformance#all_kinds-options" in said
    assert [one.check.name for one in outcomes if one.status == "expected"] == [
        "loss new_loss: options"
    ]


def test_check_plugin_needs_a_plugin_that_loads() -> None:
    with broken_plugin(), pytest.raises(PluginError, match="broken on purpose"):
        check_plugin("broken")
    with pytest.raises(UnknownNameError, match="there is no plugin 'nothing'"):
        check_plugin("nothing")


def test_pytest_marks_carry_names_and_expected_failures() -> None:
    with installed_plugin("mine", LOSS):
        registry = load_plugins()
        mark = parametrize_with_checks(
            "mine", registry=registry, expected_failures={"new_loss: finite": "why"}
        )
        (component,) = [
            one for one in registry.components["loss"].values() if one.plugin.name == "mine"
        ]
        own = {check.name for check in checks_for(component, registry)}
    argument, cases = mark.mark.args  # type: ignore[union-attr]
    assert argument == "check"
    names = {case.id for case in cases}
    assert own < names
    assert {name for name in names - own} == {
        f"plugin mine: {rule.name}" for rule in rules() if rule.kind == "plugin"
    }
    (marked,) = [case for case in cases if case.marks]
    assert marked.id == "loss new_loss: finite"
    assert marked.marks[0].kwargs == {"reason": "why", "strict": True}


def test_rules_have_anchors_of_their_own() -> None:
    every = list(rules())
    anchors = [rule.anchor for rule in every]
    assert len(set(anchors)) == len(anchors) > 30
    assert all(re.fullmatch(r"[a-z0-9_]+(-[a-z0-9]+)+", anchor) for anchor in anchors)
    page = pages()["conformance"]
    assert all(rule.text in page.section(rule.anchor) for rule in every)
    assert all(rule.text.endswith(".") for rule in every)


def test_small_backbones_of_both_libraries(registry: Registry) -> None:
    names = small_backbone_names(registry)
    assert {name.partition("(")[0] for name in names} >= {"clip_tiny", "timm"}
    vision, both = (small_backbone(name, registry=registry) for name in ("timm", "clip_tiny"))
    assert vision.text is None
    assert both.text is not None
    assert all(one.num_parameters() < 5_000_000 for one in (vision, both))
    with pytest.raises(ConfigError) as caught:
        small_backbone("tim", registry=registry)
    assert "timm" in caught.value.hint


def test_a_long_tailed_set_has_the_counts_that_are_asked_for() -> None:
    dataset = long_tailed_set((5, 2, 1))
    assert dataset.class_counts.tolist() == [5, 2, 1]
    assert len(dataset.splits["test"]) == 6
    assert dataset.splits["train"].images.read(0).shape == (32, 32, 3)
    context = build_context((5, 2, 1), width=8)
    assert (context.num_classes, context.class_counts, context.width) == (3, (5, 2, 1), 8)


def test_fixtures(
    ltbench_backbone: Callable[..., Backbone],
    ltbench_dataset: Dataset,
    ltbench_install: Callable[[str, str], Path],
    ltbench_broken_plugin: Path,
) -> None:
    assert ltbench_backbone().width > 0
    assert ltbench_dataset.num_classes == 4
    file = ltbench_install("mine", LOSS)
    registry = load_plugins()
    assert registry.find("loss", "new_loss").plugin.module == file.stem
    assert [failure.place for failure in registry.failures] == [f"{ltbench_broken_plugin}:1"]


def test_what_is_installed_for_a_test_goes_away() -> None:
    with installed_plugin("mine", LOSS) as file:
        pass
    assert not file.exists()
    assert "new_loss" not in load_plugins().components["loss"]
