"""Checks options against the frozen dataclass that describes them."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ltbench.config.text import Text, as_typed
from ltbench.config.types import describe_type, members, read_text
from ltbench.errors import LTBenchError, quoted, shortened, suggestion

__all__ = [
    "OptionHelp",
    "as_typed",
    "describe_options",
    "dump_options",
    "label_options",
    "parse_options",
    "path_options",
]

_MAX_BITS = 64  # of a whole number: JSON readers take no more


@dataclass(frozen=True)
class OptionHelp:
    """One option as `ltbench show` prints it.

    Args:
        name: Name of the option, dotted within a table: "schedule.warmup".
        type: Its type, in words.
        default: Its default, as a JSON value.
        help: Its effect.
    """

    name: str
    type: str
    default: Any
    help: str


@dataclass(frozen=True)
class _Option:
    """A field of a config, with the adapter that validates its values."""

    field: Field[Any]
    hint: Any
    adapter: TypeAdapter[Any]

    @property
    def default(self) -> Any:
        """Default of the option, or MISSING."""
        factory = self.field.default_factory
        return self.field.default if factory is MISSING else factory()

    @property
    def tables(self) -> list[type]:
        """Dataclasses among its types."""
        return [one for one in members(self.hint) if isinstance(one, type) and is_dataclass(one)]


def parse_options(
    config: type, values: Mapping[str, Any], where: str, owner: str
) -> tuple[Any | None, list[str]]:
    """Makes a config from values.

    Args:
        config: Dataclass; ranges are `Annotated[int, annotated_types.Gt(0)]` and the like. A field
            may be a dataclass of its own: a table of options, which are set by dotted names
            ("schedule.warmup") or together, as a table; options that are not set keep the default.
        values: Options by name; `Text` is read as TOML where the option is not a string.
        where: Section of the options, for messages: "method" of "method.dim".
        owner: Owner of the options, for messages: "method 'lift_plus'".

    Returns:
        The config, or None with all faults.
    """
    return _parse(config, values, where, owner, {})


def _parse(
    config: type, values: Mapping[str, Any], where: str, owner: str, start: Mapping[str, Any]
) -> tuple[Any | None, list[str]]:
    """Makes a config from values and the values that it starts from."""
    options = _options(config)
    own, inner = _apart(values)
    _rename(own, options)
    faults = [
        f"{where}.{shortened(name)}: is not an option of {owner}; {suggestion(name, options)}"
        for name in dict.fromkeys([*own, *inner])
        if name not in options
    ]
    parsed = dict(start)
    for name, option in options.items():
        if name in own or name in inner:
            key, default = f"{where}.{name}", start.get(name, option.default)
            reader = _Reader(option, key, owner, default)
            value, wrong = reader.read(own.get(name, MISSING), inner.get(name, {}))
            faults += wrong
            parsed[name] = value
        elif name not in parsed and option.default is MISSING:
            expected = describe_type(option.hint)
            faults.append(f"{where}.{name}: expected {expected}, got nothing")
    if faults:
        return None, faults
    try:
        return config(**parsed), []
    except LTBenchError:
        raise
    except ValueError as error:  # raised by `__post_init__`: options that exclude each other
        return None, [f"{where}: {error}"]


def _rename(own: dict[str, Any], options: Mapping[str, _Option]) -> None:
    """Gives values under an earlier name of an option its present one, where that has none."""
    for name, option in options.items():
        earlier = option.field.metadata.get("formerly")
        if earlier and earlier in own and earlier not in options:
            value = own.pop(earlier)
            own.setdefault(name, value)


def _apart(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Splits values into those of options, and those within tables, by table."""
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        name, dot, rest = key.partition(".")
        if dot:
            inner.setdefault(name, {})[rest] = value
        else:
            own[name] = value
    return own, inner


@dataclass(frozen=True)
class _Reader:
    """Reads the values that were given for an option.

    Args:
        option: The option.
        key: Dotted key of the option, for messages.
        owner: Owner of the option, for messages.
        default: Value where none is given.
    """

    option: _Option
    key: str
    owner: str
    default: Any

    def read(self, given: Any, inner: Mapping[str, Any]) -> tuple[Any, list[str]]:
        """Returns the value and its faults.

        Args:
            given: Value of the option itself, or MISSING.
            inner: Values of options within it, by name.
        """
        tables, value = self.option.tables, given
        if isinstance(given, Text):
            value = read_text(given, self.option.hint)
        if inner and not tables and dict not in members(self.option.hint):
            expected = describe_type(self.option.hint)
            names = shortened(", ".join(f"{self.key}.{name}" for name in inner))
            return None, [f"{names}: {self.key} is not a table: expected {expected}"]
        if isinstance(value, Mapping) or inner:
            whole = {**(value if isinstance(value, Mapping) else {}), **inner}
            if tables:
                return self._table(tables, whole)
            value = whole
        return self._leaf(value, given if not inner else value)

    def _table(self, tables: list[type], values: Mapping[str, Any]) -> tuple[Any, list[str]]:
        first: list[str] = []
        for table in tables:
            # Options that are not set keep the default, which need not be the class's own.
            start = self._start() if isinstance(self.default, table) else {}
            parsed, faults = _parse(table, values, self.key, self.owner, start)
            if not faults:
                return parsed, []
            first = first or faults
        if len(tables) > 1:
            return None, [self._expected(dict(values))]
        return None, first

    def _start(self) -> dict[str, Any]:
        names = (field.name for field in fields(self.default) if field.init)
        return {name: getattr(self.default, name) for name in names}

    def _leaf(self, value: Any, given: Any) -> tuple[Any, list[str]]:
        if isinstance(value, bool) and not self._takes_truth():
            return None, [self._expected(given)]  # pydantic takes True for 1
        try:
            parsed = self.option.adapter.validate_python(_plain(value, self.option.hint))
        except ValidationError:
            return None, [self._expected(given)]
        if any(isinstance(one, float) and not math.isfinite(one) for one in _leaves(parsed)):
            return None, [f"{self.key}: expected a finite number, got {shortened(str(given))}"]
        if any(isinstance(one, int) and one.bit_length() > _MAX_BITS for one in _leaves(parsed)):
            return None, [f"{self.key}: expected at most {_MAX_BITS} bits, got {quoted(given)}"]
        if any(isinstance(one, Path) and "\0" in str(one) for one in _leaves(parsed)):
            return None, [self._expected(given)]
        return parsed, []

    def _takes_truth(self) -> bool:
        every = members(self.option.hint)
        numbers = any(one in (int, float) for one in every)
        return not numbers or bool in every

    def _expected(self, given: Any) -> str:
        shown = str(given) if isinstance(given, Text) else given
        said = f"{self.key}: expected {describe_type(self.option.hint)}, got {quoted(shown)}"
        lists = any(one in (tuple, list) for one in members(self.option.hint))
        if lists and isinstance(given, Text) and not given.startswith("["):
            said += '; a list is written [1, 2] or ["a", "b"]'
        return said


def _plain(value: Any, hint: Any) -> Any:
    """Returns a value for validation: the word "none" becomes None."""
    if isinstance(value, str) and value.lower() == "none" and NoneType in members(hint):
        return value if str in members(hint) else None
    if isinstance(value, list | tuple):
        return [None if isinstance(one, Text) and one.lower() == "none" else one for one in value]
    return value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def dump_options(config: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns a config's values as JSON values: those that a hash covers, and the others.

    The others are paths and labels. One within a table has a dotted name, and is
    left out of the table. Options that were added later are left out at their default.
    """
    kind: Any = type(config)
    dumped = _adapter(kind).dump_python(config, mode="json")
    others: dict[str, Any] = {}
    _take_others(config, dumped, "", others)
    return dumped, others


def path_options(config: type) -> set[str]:
    """Returns the names of a config's options that may be paths."""
    return {name for name, option in _options(config).items() if Path in members(option.hint)}


def label_options(config: type) -> set[str]:
    """Returns the names of a config's options that are labels."""
    return {n for n, option in _options(config).items() if option.field.metadata.get("label")}


def _take_others(config: Any, dumped: dict[str, Any], prefix: str, others: dict[str, Any]) -> None:
    kind: Any = type(config)
    options = _options(kind)
    for name in list(dumped):
        value, about = getattr(config, name), options[name].field.metadata
        if isinstance(value, Path):
            others[prefix + name] = dumped.pop(name)
        elif about.get("label"):
            label = dumped.pop(name)
            others |= {} if label is None else {prefix + name: label}
        elif about.get("added") and value == options[name].default:
            del dumped[name]
        elif about.get("formerly"):  # such as a path that is not set: hashes have this name
            dumped[about["formerly"]] = dumped.pop(name)
        elif is_dataclass(value):
            _take_others(value, dumped[name], f"{prefix}{name}.", others)


@functools.cache  # a grid reads the same few configs thousands of times
def _adapter(config: Any) -> TypeAdapter[Any]:
    return TypeAdapter(config)


@functools.cache
def _options(config: type) -> dict[str, _Option]:
    hints = get_type_hints(config, include_extras=True)
    return {
        field.name: _Option(field, hints[field.name], TypeAdapter(hints[field.name]))
        for field in fields(config)
        if field.init
    }


def describe_options(config: type) -> list[OptionHelp]:
    """Returns the options of a config with types, defaults and help.

    Those within a table follow it.
    """
    return list(_described(config, None, ""))


def _described(config: type, instance: Any, prefix: str) -> Iterator[OptionHelp]:
    for name, option in _options(config).items():
        default = option.default if instance is None else getattr(instance, name)
        yield OptionHelp(
            name=prefix + name,
            type=describe_type(option.hint),
            default=None
            if default is MISSING
            else option.adapter.dump_python(default, mode="json"),
            help=option.field.metadata.get("help", ""),
        )
        for table in option.tables:
            chosen = default if isinstance(default, table) else None
            yield from _described(table, chosen, f"{prefix}{name}.")
