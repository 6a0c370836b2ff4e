"""Running the checks of a plugin, and their outcomes."""

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
    """Outcome of a check.

    Args:
        check: Check that was run.
        status: Result; "expected" for an expected failure.
        reason: Reason why the check did not pass.
        seconds: Duration in seconds.
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
        name: Name of the plugin's entry point.
        expected_failures: Reasons for known failures, by a check's name or a part of it. It is a
            failure if such a check passes, or if no check has the name, so that outdated entries
            are found.
        registry: Registry of components; the installed ones by default.

    Returns:
        Outcomes, without failures.

    Raises:
        AssertionError: Some checks failed; the message lists each with its rule and reason.
        PluginError: The plugin failed to load.
        UnknownNameError: No plugin has this name.
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
    """Yields the outcome of each check of a plugin as it is run."""
    yield from run_checks(list(checks_of_plugin(plugin, registry)), plugin, expected_failures)


def run_checks(
    checks: Sequence[Check], plugin: PluginInfo, expected_failures: Mapping[str, str]
) -> Iterator[Outcome]:
    """Yields the outcome of each check as it is run."""
    for check in checks:
        began = time.perf_counter()
        status, reason = _run(check, plugin)
        why = expected_reason(check, expected_failures)
        if why is not None and status == "failed":
            status = "expected"
        elif why is not None and status == "passed":
            status, reason = "failed", f"expected to fail ({why}), but passed"
        yield Outcome(check, status, reason, time.perf_counter() - began)
    for fragment in expected_failures:
        if not any(fragment in check.name for check in checks):
            stale = Check(
                f"plugin {plugin.name}: expected failure", "Expected failures exist.", _do_nothing
            )
            yield Outcome(stale, "failed", f"no check has '{fragment}' in its name")


def _do_nothing() -> None:
    """Does nothing."""


def _run(check: Check, plugin: PluginInfo) -> tuple[Status, str]:
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of libraries are not the kit's subject
            check()
    except Skipped as reason:
        return "skipped", str(reason)
    except LTBenchError as error:
        return "failed", error.message
    except AssertionError as error:
        place = place_in(error, plugin.module)
        return "failed", f"{_in_short(error)}{f' ({place})' if place else ''}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything
        place = place_in(error, plugin.module) or place_in(error)
        return "failed", f"{type(error).__name__}: {_in_short(error)} ({place})"
    return "passed", ""


def _in_short(error: BaseException) -> str:
    """Returns the message of an error in one line."""
    text = " ".join(str(error).split()) or "an assertion without a message failed"
    return text if len(text) < 600 else text[:600] + " ..."
