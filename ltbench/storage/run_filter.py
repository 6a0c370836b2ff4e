"""Filter of stored runs by their settings, tags and hash: the option `--where`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltbench.config.runspec import MOVED
from ltbench.config.text import Text, as_typed, from_toml
from ltbench.errors import ConfigError, DataError, leading, shortened
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import Found, SkippedRun
from ltbench.storage.run_keys import HASH, MISSING, TAG, key_values, missing_key

_MAX_LISTED_VALUES = 12
_MAX_LISTED_CHARACTERS = 300


@dataclass(frozen=True)
class RunFilter:
    """Conditions on stored runs: each key has one of the values that are given for it.

    Keys are those of settings (`method`, `train.epochs`, `dataset.ratio`, `seed`), tags
    (`tag.paper`), and `hash` with the first digits of a run's hash.

    Args:
        wanted: Values by key, of which a run has one: `Text` as typed, or Python values.
    """

    wanted: Mapping[str, tuple[Any, ...]]

    @classmethod
    def from_texts(cls, texts: Iterable[str] | None) -> RunFilter:
        """Returns the filter of `KEY=VALUE` texts; a key that is given twice has either value.

        Args:
            texts: Texts as typed; None for a filter that keeps every run.

        Raises:
            ConfigError: A text has no key, no equals sign or no value.
        """
        wanted: dict[str, tuple[Any, ...]] = {}
        faults = []
        for text in texts or ():
            key, _, value = (part.strip() for part in text.partition("="))
            if not key or not value:
                shown = shortened(repr(text))
                faults.append(f"--where {shown}: expected KEY=VALUE, as in train.epochs=3")
            else:
                wanted[key] = (*wanted.get(key, ()), Text(value))
        if faults:
            raise ConfigError.from_faults(
                faults, hint="as in --where method=lora --where train.epochs=3"
            )
        return cls(wanted)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any] | None) -> RunFilter:
        """Returns the filter of Python values by key.

        A text is compared as if it were typed: `"3"` is 3. A list, tuple or set is the value of an
        option that is a list; for any other option it lists values of which a run has one. Numbers
        and arrays of NumPy and pandas, such as those of a data frame, count as Python's.

        Args:
            settings: Values by key; None for a filter that keeps every run.

        Raises:
            ConfigError: A key is not a text, or a value is of a type that no setting has.
        """
        given = {} if settings is None else settings
        if not isinstance(given, Mapping):
            raise ConfigError(
                f"where: expected values by key, got {shortened(repr(settings))}",
                hint="give a dictionary: where={'train.epochs': 3}",
            )
        given = {key: _as_python(value) for key, value in given.items()}
        faults = [
            f"where: {shortened(repr(key))}: expected a key and a value of a setting, "
            f"got {shortened(repr(value))}"
            for key, value in given.items()
            if not isinstance(key, str) or not _is_filterable(value)
        ]
        if faults:
            raise ConfigError.from_faults(
                faults, hint="give texts, numbers, true or false: where={'train.epochs': 3}"
            )
        return cls({key: _alternatives(value) for key, value in given.items()})

    def __bool__(self) -> bool:
        """Returns whether there is a condition."""
        return bool(self.wanted)

    def matching(self, runs: Sequence[RunResult]) -> tuple[RunResult, ...]:
        """Returns the runs that meet every condition; one without a key does not.

        Args:
            runs: Stored runs.
        """
        for key, values in self.wanted.items():
            agrees = _Agreement(key, values)
            stored = key_values(runs, key)
            runs = [run for run, one in zip(runs, stored, strict=True) if agrees.with_stored(one)]
        return tuple(runs)

    def keep(self, found: Found) -> Found:
        """Returns the runs that meet every condition.

        Skipped run directories stay listed: their settings cannot be compared. A run whose tags
        cannot be read joins them where the filter has a tag.

        Args:
            found: Runs below some folders.

        Raises:
            ConfigError: No run has a key.
            DataError: There are runs, and none meets the conditions.
        """
        if not self.wanted or not found.runs:
            return found
        skipped, readable = list(found.skipped), []
        by_tags = any(key.startswith(TAG) for key in self.wanted)
        for run in found.runs:
            if by_tags and run.tags_fault:
                skipped.append(SkippedRun(run.path, run.tags_fault))
            else:
                readable.append(run)
        kept = self.matching(readable)
        if not kept:
            raise (
                self._nothing(readable)
                if readable
                else DataError(
                    f"--where {self}: the tags of no run can be read: {skipped[-1].reason}",
                    hint="delete the file, or leave out the tag",
                )
            )
        return Found(kept, tuple(skipped))

    def _nothing(self, runs: Sequence[RunResult]) -> ConfigError | DataError:
        """Returns the error of a filter that keeps no run."""
        faults, seen = [], []
        for key, values in self.wanted.items():
            stored = key_values(runs, key)
            if all(value is MISSING for value in stored):
                faults.append(_unknown(key, runs))
            elif not any(map(_Agreement(key, values).with_stored, stored)):
                seen.append(_described(key, stored))
        if faults:
            return ConfigError.from_faults(
                faults, hint="see ltbench runs show RUN for its settings"
            )
        count = "the only run does not match" if len(runs) == 1 else f"none of {len(runs):,} runs"
        return DataError(
            f"--where {self}: {count}: " + ("; ".join(seen) or "no run has these values together"),
            hint="change --where, or list the runs with ltbench runs list",
        )

    def __str__(self) -> str:
        """Returns the conditions as they are typed."""
        pairs = [
            f"{key}={value if isinstance(value, str) else as_typed(value)}"
            for key, values in self.wanted.items()
            for value in values
        ]
        return shortened(", ".join(pairs), 200)


class _Agreement:
    """Comparison of stored values of a key with the wanted ones.

    Args:
        key: The key.
        wanted: Values, of which one is enough.
    """

    def __init__(self, key: str, wanted: Sequence[Any]) -> None:
        self._key, self._wanted = key, wanted
        self._known: dict[int, tuple[Any, bool]] = {}

    def with_stored(self, stored: Any) -> bool:
        """Returns whether a stored value is a wanted one; of a hash, begins with it."""
        # Runs of a cell have one object: it is kept, and so is its id.
        if (known := self._known.get(id(stored))) is None:
            agrees = any(_agrees(self._key, stored, value) for value in self._wanted)
            known = self._known[id(stored)] = stored, agrees
        return known[1]


def _agrees(key: str, stored: Any, wanted: Any) -> bool:
    """Returns whether the stored value of a key is a wanted one; of a hash, begins with it."""
    if key == HASH:
        return any(one.startswith(str(wanted).lower()) for one in stored)
    if key.startswith(TAG) and not isinstance(wanted, str):  # tags are texts: 3 is "3"
        return stored is not MISSING and bool(stored == as_typed(wanted))
    return _same(stored, wanted)


def _same(stored: Any, wanted: Any) -> bool:
    """Returns whether a stored value is a wanted one: numbers by value, `Text` as typed."""
    if isinstance(wanted, Text):
        if isinstance(stored, str) and stored == wanted:
            return True
        if stored is None:
            return wanted.lower() == "none"
        if isinstance(stored, bool):
            return wanted.lower() == str(stored).lower()
        return _same(stored, _read(wanted))
    if isinstance(stored, bool) or isinstance(wanted, bool):
        return stored is wanted
    if isinstance(stored, list | tuple):
        return (
            isinstance(wanted, list | tuple)
            and len(stored) == len(wanted)
            and all(map(_same, stored, wanted))
        )
    if isinstance(stored, Mapping):
        return (
            isinstance(wanted, Mapping)
            and stored.keys() == wanted.keys()
            and all(_same(value, wanted[name]) for name, value in stored.items())
        )
    return bool(stored == wanted)


def _read(typed: Text) -> Any:
    """Returns the value of a typed text: a number also as `.5`, which TOML does not have."""
    for read in (from_toml, float):
        try:
            return read(typed)
        except ValueError:
            continue
    return None if typed.lower() == "none" else str(typed)


def _as_python(value: Any) -> Any:
    """Returns a value without types of NumPy and pandas, which data frames have."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(map(_as_python, value))
    return set(map(_as_python, value)) if isinstance(value, set | frozenset) else value


def _is_filterable(value: Any) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_filterable, value))
    if isinstance(value, Mapping):
        return all(isinstance(name, str) for name in value) and all(
            map(_is_filterable, value.values())
        )
    return value is None or isinstance(value, str | int | float)


def _alternatives(value: Any) -> tuple[Any, ...]:
    """Returns the values of which a run has one: a list is a value, and lists alternatives."""
    if isinstance(value, set | frozenset):
        return tuple(map(_as_text, value))
    if isinstance(value, list | tuple):
        return (_as_text(value), *map(_as_text, value))
    return (_as_text(value),)


def _as_text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_text(one) for one in value]
    return Text(value) if isinstance(value, str) else value


def _unknown(key: str, runs: Sequence[RunResult]) -> str:
    """Returns the fault of a key that no run has."""
    if key in MOVED:
        return f"--where {shortened(key)}: it is {MOVED[key]} now"
    return f"--where {shortened(key)}: {missing_key(key, runs, [HASH])}"


def _described(key: str, stored: Sequence[Any]) -> str:
    """Returns the values that runs have for a key, each once."""
    if key == HASH:
        return "no hash begins so"
    known = {id(value): value for value in stored if value is not MISSING}
    texts = sorted(set(map(as_typed, known.values())))
    listed = leading(texts[:_MAX_LISTED_VALUES], _MAX_LISTED_CHARACTERS)
    more = f" and {len(texts) - len(listed):,} more" if len(listed) < len(texts) else ""
    return f"{key} is {', '.join(map(shortened, listed))}{more}"
