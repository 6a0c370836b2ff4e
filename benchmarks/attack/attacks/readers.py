"""Readers and writers of text of others, called in this process with inputs that hypothesis seeks.

A call takes a thousandth of a command's time, and hypothesis shortens the input of what it finds.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from benchmarks.attack.attack import Attack, Finding
from benchmarks.attack.stores import finished_store

_EXAMPLES = 300  # of a trial
_TEXT = st.text(max_size=200)
_KEYS = (
    "train.lr",
    "train.epochs",
    "seed",
    "optimizer.nesterov",
    "dataset.ratio",
    "method",
    "head",
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


def _seek(
    rng: random.Random, promise: str, inputs: st.SearchStrategy[Any], test: Callable[[Any], None]
) -> None:
    """Seeks an input for which a function raises.

    Args:
        rng: Random generator of the trial.
        promise: Expected behaviour.
        inputs: Inputs of the function.
        test: The function.

    Raises:
        Finding: There is one.
    """
    limits = settings(
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        seed(rng.getrandbits(64))(limits(given(inputs)(test)))()
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", ()))  # the shortest input
        raise Finding(f"{promise}\n{notes}\n{error!r}") from error


def _try_result(rng: random.Random, folder: Path) -> None:
    from ltbench.config.runspec import hash_of
    from ltbench.errors import DataError
    from ltbench.storage.run_directory import RunDirectory

    (path,) = finished_store(folder, 1).rglob("result.json")
    stored = json.loads(path.read_text())
    places = list(_places(stored))

    def read(changed: tuple[int, Any]) -> None:
        place, value = changed
        content = copy.deepcopy(stored)
        holder = content
        for key in places[place][:-1]:
            holder = holder[key]
        holder[places[place][-1]] = value
        if isinstance(content["run"], dict):
            content["hash"] = hash_of(content["run"])
        path.write_text(json.dumps(content))
        try:
            RunDirectory(path.parent).result()
        except DataError:
            return

    changes = st.tuples(st.integers(0, len(places) - 1), _JSON)
    _seek(rng, "reading a changed result raises DataError alone", changes, read)


def _places(value: Any, above: tuple[Any, ...] = ()) -> Any:
    """Yields the keys that lead to each part of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        yield (*above, key)
        if isinstance(part, dict | list):
            yield from _places(part, (*above, key))


def _try_setting(rng: random.Random, folder: Path) -> None:
    from ltbench.config.resolve import resolve
    from ltbench.config.text import Text
    from ltbench.errors import LTBenchError

    def choose(given: dict[str, str]) -> None:
        try:
            resolve(_registry(), {key: Text(value) for key, value in given.items()}, folder)
        except LTBenchError as error:
            if len(error.message) > 2_000:
                raise ValueError(f"a message of {len(error.message):,} characters") from error

    given = st.dictionaries(st.sampled_from(_KEYS) | _TEXT, _TEXT, min_size=1, max_size=3)
    _seek(rng, "settings are resolved, or refused in a short message", given, choose)


@cache
def _registry() -> Any:
    from ltbench.registry.load import load_plugins

    return load_plugins()


def _try_text(rng: random.Random, folder: Path) -> None:
    from ltbench.io.text import csv_text, html_text, latex_text, markdown_text, terminal_text

    def show(text: str) -> None:
        if re.search(
            "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", terminal_text(text)
        ):
            raise ValueError("a control character on the terminal")
        if re.match(r"\s*[=+\-@]", csv_text(text)) or "\n" in csv_text(text):
            raise ValueError("a formula or a line break in a cell")
        if re.search(r"(?<!\\)(\\\\)*[|<]", markdown_text(text)) or "\n" in markdown_text(text):
            raise ValueError("markup or a line break in a table of Markdown")
        if "<" in html_text(text) or '"' in html_text(text):
            raise ValueError("markup in a page")
        if "\n" in latex_text(text):
            raise ValueError("a line break in a table of LaTeX")

    _seek(rng, "text is neutral in every format", st.text(max_size=50), show)


ATTACKS = (
    Attack(
        "result_reader",
        "Any JSON value in any place of a result, 300 a trial: read or refused",
        _try_result,
    ),
    Attack(
        "setting_reader",
        "Any keys and texts as settings, 300 a trial: resolved or refused",
        _try_setting,
    ),
    Attack(
        "text_formats",
        "Any text in each format of output, 300 a trial: no markup, no control",
        _try_text,
        share=0.3,
    ),
)
