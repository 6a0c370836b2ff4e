"""Runs the checks of a plugin and says how each of them went."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ltbench.errors import LTBenchError
from ltbench.registry.component import PluginInfo
from ltbench.registry.inspect_source import place_in
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.testing.check import Check, Skipped
from ltbench.testing.collect import checks_of_plugin, expected_reason, plugin_named

Status = Literal["passed", "failed", "skipped", "expected"]


@dataclass(frozen=True)
class Outcome:
    """How a check went.

    Args:
        check: Which one.
        status: "expected": it failed, as it was expected to.
        reason: Why it did not pass.
        seconds: What it took.
    """

    check: Check
    status: Status
    reason: str = ""
    seconds: float = 0.0


def check_plugin(
    name: str,
    expected_failures: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> list[Outcome]:
    """Runs the conformance kit on a plugin.

    Args:
        name: Of its entry point.
        expected_failures: Why a check fails, by its name or a part of it. One that passes all the
            same is a failure, and so is a name that no check has: nobody would take it out again.
        registry: The components; those that are installed where not given.

    Returns:
        The outcomes, none of them failed.

    Raises:
        AssertionError: With each check that failed, its rule and the reason.
        PluginError: The plugin failed to load.
        UnknownNameError: There is no such plugin.
    """
    found = registry or load_plugins()
    outcomes = list(outcomes_of(plugin_named(name, found), found, expected_failures or {}))
    failed = [one for one in outcomes if one.status == "failed"]
    if failed:
        listed = "".join(
            f"\n- {one.check.name}: {one.reason}\n  rule: {one.check.rule} ({one.check.link})"
            for one in failed
        )
        raise AssertionError(f"{len(failed)} of {len(outcomes)} checks of {name} failed:{listed}")
    return outcomes


def outcomes_of(
    plugin: PluginInfo, registry: Registry, expected_failures: Mapping[str, str]
) -> Iterator[Outcome]:
    """Yields how each check of a plugin goes, one after the other."""
    yield from run_checks(list(checks_of_plugin(plugin, registry)), plugin, expected_failures)


def run_checks(
    checks: Sequence[Check], plugin: PluginInfo, expected_failures: Mapping[str, str]
) -> Iterator[Outcome]:
    """Yields how each check goes."""
    for check in checks:
        began = time.perf_counter()
        status, reason = _tried(check, plugin)
        why = expected_reason(check, expected_failures)
        if why is not None and status == "failed":
            status = "expected"
        elif why is not None and status == "passed":
            status, reason = "failed", f"it was expected to fail ({why}), and passes"
        yield Outcome(check, status, reason, time.perf_counter() - began)
    for fragment in expected_failures:
        if not any(fragment in check.name for check in checks):
            stale = Check(
                f"plugin {plugin.name}: expected failure", "Expected failures exist.", _no
            )
            yield Outcome(stale, "failed", f"no check has '{fragment}' in its name")


def _no() -> None:
    """Nothing to run."""


def _tried(check: Check, plugin: PluginInfo) -> tuple[Status, str]:
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries; the kit is no test of them
            check()
    except Skipped as reason:
        return "skipped", str(reason)
    except LTBenchError as error:
        return "failed", error.message
    except AssertionError as error:
        place = place_in(error, plugin.module)
        return "failed", f"{_in_short(error)}{f' ({place})' if place else ''}"
    except (Exception, SystemExit) as error:  # a plugin may raise anything
        place = place_in(error, plugin.module) or place_in(error)
        return "failed", f"{type(error).__name__}: {_in_short(error)} ({place})"
    return "passed", ""


def _in_short(error: BaseException) -> str:
    """Returns the message of an error in one line."""
    text = " ".join(str(error).split()) or "it does not hold"
    return text if len(text) < 600 else text[:600] + " ..."
