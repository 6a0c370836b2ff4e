"""Pytest plugin: processor time of a session, and of the folders of tests that take most of it.

Processor time says what a test costs; how long it takes also depends on what else the machine does.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import PurePosixPath

import pytest

_FOLDERS = 10
_PROPERTY = "processor_seconds"
_START = pytest.StashKey[float]()


def _processor_seconds() -> float:
    """Returns what this process and its ended children have used."""
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_START] = _processor_seconds()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.user_properties.append((_PROPERTY, _processor_seconds() - item.stash[_START]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in terminalreporter.getreports(""):  # of teardowns
        used = dict(report.user_properties).get(_PROPERTY, 0.0)
        seconds[_folder(report.nodeid)] += float(str(used))
    terminalreporter.section("processor time")
    for name, each in sorted(seconds.items(), key=lambda item: -item[1])[:_FOLDERS]:
        terminalreporter.write_line(f"{each:7.1f} s  {name}")
    whole = _processor_seconds()  # workers of pytest-xdist are children that have ended
    terminalreporter.write_line(f"{whole:7.1f} s  in all, with imports and collection")


def _folder(nodeid: str) -> str:
    """Returns the folder of a test, or its file where that is on the top floor."""
    file = PurePosixPath(nodeid.partition("::")[0])
    return str(file if file.parent.name == "tests" else file.parent)
