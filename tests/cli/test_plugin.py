"""`ltbench plugin list` and `ltbench plugin check`."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ltbench.testing import broken_plugin, installed_plugin
from tests.broken import LOADING, LOSS, METHOD, RUNNING
from tests.conftest import Ended
from tests.tiers import all_but

Cli = Callable[..., Ended]


def test_list_says_where_plugins_come_from_and_what_they_bring(cli: Cli) -> None:
    with installed_plugin("mine", LOSS), broken_plugin() as file:
        listed = cli("plugin", "list", "--json").json
        shown = cli("plugin", "list").out
        doctored = cli("doctor").out
    (mine,) = [one for one in listed["plugins"] if one["distribution"] == "mine"]
    assert mine["components"] == {"loss": ["new_loss"]}
    assert (mine["version"], mine["entry_point"]) == ("1.0", "mine = mine_plugin")
    assert 0 < mine["load_ms"] < 1000
    assert mine["warnings"] == []
    (failure,) = listed["failures"]
    assert failure["distribution"] == "broken"
    assert failure["place"] == f"{file}:1"
    assert "RuntimeError: broken on purpose" in failure["error"]
    for said in ("mine_plugin", "loss new_loss", "broken on purpose", f"{file}:1", " ms"):
        assert said in shown
    assert "broken on purpose" in doctored


def test_list_warns_of_what_is_slow_and_what_is_private(cli: Cli) -> None:
    source = LOSS.replace(
        "LTBENCH_API = 1", "import time\nfrom ltbench.storage import run_directory\ntime.sleep(1.1)"
    )
    with installed_plugin("mine", source) as file:
        listed = cli("plugin", "list", "--json").json
        shown = cli("plugin", "list").out
    (mine,) = [one for one in listed["plugins"] if one["distribution"] == "mine"]
    slow, private = mine["warnings"]
    assert slow.startswith("takes 1.")
    assert private == f"imports ltbench.storage.run_directory, which is private ({file}:7)"
    assert f"mine (mine 1.0, mine_plugin) {private}" in shown


@pytest.mark.parametrize(
    "source", [LOSS, pytest.param(METHOD, marks=pytest.mark.full)], ids=["loss", "method"]
)
def test_check_passes_on_what_works(cli: Cli, source: str) -> None:
    with installed_plugin("mine", source):
        ended = cli("plugin", "check", "mine")
    assert ended.code == 0, ended.out
    name, counts, *_ = ended.out.splitlines()
    assert name.startswith("mine (mine 1.0")
    assert re.fullmatch(r"\d+ passed, 0 failed, \d+ skipped in \d+ s", counts)


def test_check_prints_failures_and_with_v_every_check(cli: Cli) -> None:
    broken = next(iter(RUNNING.values())).broken
    with installed_plugin("raised", broken):
        brief, every = (cli("plugin", "check", "raised", *more) for more in ((), ("-v",)))
    assert (brief.code, every.code) == (1, 1)
    failed = [line for line in brief.out.splitlines() if line.startswith("  failed ")]
    assert brief.out.count("rule: ") == len(failed) > 0
    assert "  passed " not in brief.out
    assert "  passed " in every.out
    assert "ltbench docs conformance#all_kinds-a-run" in every.out
    assert f" {len(failed)} failed, " in brief.out.splitlines()[-1] or "-v shows" in brief.out


def test_check_without_a_name_checks_all_but_the_built_ins(cli: Cli) -> None:
    none = cli("plugin", "check")
    assert (none.code, "no plugin is installed except the built-in" in none.err) == (2, True)
    with broken_plugin():
        ended = cli("plugin", "check")
    assert (ended.code, "broken on purpose" in ended.err) == (3, True)


def test_check_of_an_unknown_name_suggests_one(cli: Cli) -> None:
    ended = cli("plugin", "check", "builtin_loses")
    assert (ended.code, "did you mean 'builtin_losses'" in ended.err) == (2, True)


@pytest.mark.parametrize("name", LOADING)
def test_check_says_why_a_plugin_cannot_be_loaded(cli: Cli, name: str) -> None:
    variant = LOADING[name]
    with installed_plugin("raised", variant.broken) as file:
        ended = cli("plugin", "check", "raised")
        others = cli("show", "loss", "focal")
    assert ended.code == 3
    assert "plugin raised (raised 1.0, raised_plugin) failed to load" in ended.err
    assert variant.said in ended.err
    place = f"{file}:{variant.line_number}" if variant.line else str(file)
    assert place in ended.err
    assert others.code == 0


@pytest.mark.parametrize("name", all_but(list(RUNNING)[:2], RUNNING))
def test_check_says_what_is_wrong_with_a_plugin(cli: Cli, name: str) -> None:
    variant = RUNNING[name]
    with installed_plugin("raised", variant.broken) as file:
        ended = cli("plugin", "check", "raised", "--json")
    assert ended.code == 1, ended.err
    failed = [one for one in ended.json["checks"] if one["status"] == "failed"]
    reasons = [one["reason"] for one in failed if variant.check in one["check"]]
    assert any(variant.said in reason for reason in reasons), failed
    if variant.line:
        assert any(f"{file}:{variant.line_number}" in reason for reason in reasons), reasons
    assert all(
        one["rule"] and one["link"].startswith("ltbench docs conformance#") for one in failed
    )
