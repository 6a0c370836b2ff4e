"""Search spaces of methods from the searches of a user, checked against the options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ltbench.config.resolve import Resolver, settings_of
from ltbench.config.runspec import RunSpec
from ltbench.errors import ConfigError, shortened, suggestion
from ltbench.specs import Settings
from ltbench.tuning.search_texts import Search, by_key
from ltbench.tuning.space import Choices, Dimension, Range, Space

FACTOR = 10.0
"""The default range of the learning rate: from the recipe's divided by this to it times this."""

GRID_FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""The default learning rates of a grid, relative to the recipe's."""

MAX_VALUES = 10_000  # of a setting

_REFUSED = {
    "seed": "the trials share one seed, for a seed is not a hyper-parameter",
    "data_seed": "scores on different images cannot be compared",
    "dataset": "scores on different images cannot be compared",
    "split": "trials are evaluated on val",
    "select": "the rule is the same for all trials; give --select",
    "method": "give --methods",
}


def build_spaces(
    resolver: Resolver,
    methods: Sequence[str],
    base: Settings,
    searches: Sequence[Search],
    faults: Sequence[str] = (),
    *,
    grid: bool = False,
) -> list[Space]:
    """Returns the search space of each method.

    A method without searches gets the default: its learning rate.

    Args:
        resolver: Resolver of the trials.
        methods: Names of the methods.
        base: Settings that all trials share.
        searches: Searches of the user.
        faults: Faults found so far, which are reported together with all others.
        grid: Whether the default is a list instead of a range.

    Raises:
        ConfigError: All faults of the settings and of the searches.
    """
    found = _Faults(list(faults))
    for search in searches:
        if search.method is not None and search.method not in methods:
            near = suggestion(search.method, methods)
            found.messages[f"{_label(search)}: is for none of --methods; {near}"] = None
    spaces = [
        _Builder(resolver, method, base, found, grid).space(by_key(searches, method))
        for method in methods
    ]
    if found.messages:
        raise ConfigError.from_faults(list(found.messages), hint="; ".join(found.hints))
    return [space for space in spaces if space is not None]


class _Faults:
    """Faults of the spaces with hints, each once."""

    def __init__(self, messages: Sequence[str]) -> None:
        self.messages = dict.fromkeys(messages)
        self.hints: dict[str, None] = {}

    def add(self, error: ConfigError) -> None:
        self.messages |= dict.fromkeys(error.faults or (error.message,))
        if error.hint:
            self.hints[error.hint] = None


@dataclass
class _Builder:
    """Builder of the space of a method."""

    resolver: Resolver
    method: str
    base: Settings
    faults: _Faults
    grid: bool
    _first: dict[str, Any] = field(default_factory=dict)

    def space(self, searches: Mapping[str, Search]) -> Space | None:
        """Returns the space; None where there are faults."""
        usual = self._resolve({})
        if usual is None:
            return None
        allowed = {key: one for key, one in searches.items() if self._is_allowed(key, one)}
        if not searches:
            dimension = self._default(usual)
            dimensions = [] if dimension is None else [dimension]
        else:
            # Each value is tried with the first values of the others: a loss needs its options.
            self._first = {key: search.values[0] for key, search in allowed.items()}
            dimensions = [
                dimension
                for search in allowed.values()
                if (dimension := self._dimension(search)) is not None
            ]
        if not dimensions or len(dimensions) < len(searches):
            return None
        start = {one.key: _value(usual, one.key) for one in dimensions}
        space = Space(self.method, tuple(dimensions), start)
        return space if space.contains(start) else replace(space, start=None)

    def _is_allowed(self, key: str, search: Search) -> bool:
        head = key.partition(".")[0]
        reason = _REFUSED.get(key, _REFUSED["dataset"] if head == "dataset" else None)
        fault = ""
        if reason is not None:
            fault = f"{_label(search)}: cannot be searched: {reason}"
        elif key in self.base:
            fault = f"{shortened(key)}: is set and searched"
        elif len(search.values) > MAX_VALUES:
            values = f"{len(search.values):,}"
            fault = f"{_label(search)}: expected at most {MAX_VALUES:,} values, got {values}"
        if fault:
            self.faults.messages[fault] = None
        return not fault

    def _default(self, usual: RunSpec) -> Dimension | None:
        if usual.train.epochs == 0:
            self.faults.messages[
                f"{self.method} trains 0 epochs, so it has no learning rate to search: give "
                f"--search {self.method}:KEY=VALUES"
            ] = None
            return None
        rate = usual.train.lr
        found = Range("train.lr", rate / FACTOR, rate * FACTOR, log=True, whole=False)
        low, high = (float(f"{end:.3g}") for end in (found.low, found.high))
        found = Range("train.lr", low, high, log=True, whole=False)
        if self.grid:
            return Choices("train.lr", tuple(found.rounded(rate * one) for one in GRID_FACTORS))
        return found

    def _dimension(self, search: Search) -> Dimension | None:
        values = []
        for value in search.values:
            spec = self._resolve({**self._first, search.key: value})
            if spec is None:
                return None
            values.append(_value(spec, search.key))
        dimension: Dimension = Choices(search.key, tuple(values))
        fault = ""
        if search.is_range:
            low, high = values
            if type(low) not in (int, float) or type(low) is not type(high):
                fault = "expected a list of values: only numbers have ranges"
            elif low >= high or (search.log and low <= 0):
                above = " > 0" if search.log else ""
                fault = f"expected a range from a number{above} to a larger one, got {low}..{high}"
            elif type(low) is int and high - low >= 2**53:
                fault = "the range is too large"
            else:
                dimension = Range(search.key, low, high, search.log, type(low) is int)
        elif any(one in values[:at] for at, one in enumerate(values)):
            fault = "a value occurs twice"
        if fault:
            self.faults.messages[f"{_label(search)}: {fault}"] = None
            return None
        return dimension

    def _resolve(self, settings: Settings) -> RunSpec | None:
        """Returns the choices of a trial; None where there are faults."""
        try:
            together = {**self.base, "method": self.method, **settings}
            return self.resolver.resolve(together, identify=False).spec
        except ConfigError as error:
            self.faults.add(error)
            return None


def _value(spec: RunSpec, key: str) -> Any:
    """Returns the value of a setting; it may be within a table of options."""
    settings = settings_of(spec)
    inner: list[str] = []
    while key not in settings and "." in key:
        key, _, last = key.rpartition(".")
        inner.insert(0, last)
    value = settings.get(key)
    for name in inner:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _label(search: Search) -> str:
    scope = "" if search.method is None else f"{search.method}:"
    return shortened(f"{scope}{search.key}")
