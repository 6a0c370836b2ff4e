"""Errors that ltbench raises, and the exit code with which each ends the command.

```
LTBenchError                    1  a run or a check failed
├── RunError                    1
│   ├── BusyError               1  another process is running the same run
│   ├── NonFiniteLossError      1  the loss became NaN or infinite
│   ├── NothingMatchedError     1  a method found no module to work on
│   ├── OutOfMemoryError        1  the device has too little memory
│   └── RankLostError           1  one of several processes of a run has ended
├── ConfigError                 2  the configuration is wrong
│   └── UnknownNameError        2  nothing is registered under a name
├── PluginError                 3  a plugin broke its contract or raised
├── DataError                   4  data or weights are missing or corrupt
│   ├── CorruptImageError       4
│   └── MissingPathError        2  a path that the user named does not exist
└── Interrupted               130  stopped by the user
    └── Stopped               130  stopped by the code that started the run
```
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

_MAX_SHOWN_NAMES = 20
_MAX_SHOWN_CHARACTERS = 80  # of a name or value of the user
_MAX_FAULT_CHARACTERS = 500
_MAX_LISTED_CHARACTERS = 1_000  # of all faults of an error


class LTBenchError(Exception):
    """Error that a user can act on, shown as one `error:` line and one `hint:` line.

    Args:
        message: Fault in one sentence that names the thing at fault.
        hint: Next step: one command or one imperative.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Loader workers pickle their errors for the main process: keep the hint.
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(kind: type[LTBenchError], message: str, hint: str) -> LTBenchError:
    return kind(message, hint=hint)


class RunError(LTBenchError):
    """A run could not be finished."""


class BusyError(RunError):
    """Another process is running the same run."""


class NonFiniteLossError(RunError):
    """The training loss became NaN or infinite."""


class NothingMatchedError(RunError):
    """A method found none of the modules it works on in the backbone."""


class OutOfMemoryError(RunError):
    """The device has too little memory for the run."""


class RankLostError(RunError):
    """One of several processes of a run ended without an error that it could report."""


class ConfigError(LTBenchError):
    """The configuration is wrong; all of its faults are in the message."""

    exit_code = 2
    faults: Sequence[str] = ()

    @classmethod
    def from_faults(cls, faults: Sequence[str], *, hint: str = "") -> ConfigError:
        """Returns one error that shows the first faults together, and the number of the others."""
        short = [shortened(fault, _MAX_FAULT_CHARACTERS) for fault in faults]
        shown = leading(short, _MAX_LISTED_CHARACTERS)
        listed = "".join(f"\n  - {fault}" for fault in shown)
        if len(faults) > len(shown):
            listed += f"\n  - and {len(faults) - len(shown):,} more"
        many = f"{len(faults):,} faults in the configuration:{listed}"
        error = cls(short[0] if len(faults) == 1 else many, hint=hint)
        error.faults = tuple(faults)
        return error


class UnknownNameError(ConfigError):
    """Nothing is registered under a name."""


class PluginError(LTBenchError):
    """A plugin raised, or returned a value that breaks its contract."""

    exit_code = 3


class DataError(LTBenchError):
    """Data or weights are missing, or differ from the expected ones."""

    exit_code = 4


class MissingPathError(DataError):
    """A path that the user named for data or weights does not exist.

    It is missing data, but as wrong in a command as every other path that does not exist.
    """

    exit_code = ConfigError.exit_code


class CorruptImageError(DataError):
    """An image file exists but cannot be decoded."""


class Interrupted(LTBenchError):
    """The user stopped the command."""

    exit_code = 130


class Stopped(Interrupted):
    """The code that started a run stopped it after an epoch; the run can be resumed."""


def shortened(text: str, limit: int = _MAX_SHOWN_CHARACTERS) -> str:
    """Returns a text for a message: of a long one the start, the end and its length.

    >>> shortened("a" * 1000, 10)
    'aaaaa ... aaaaa (1,000 characters)'
    """
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]} ... {text[-(limit // 2) :]} ({len(text):,} characters)"


def quoted(value: object) -> str:
    """Returns a value of a user for a message, as Python writes it."""
    try:
        return shortened(repr(value))
    except ValueError:  # Python writes no whole number of more than some thousand digits
        return "a whole number of too many digits"
    except Exception:  # of a class of the user, whose own fault is another one
        return f"a value of {shortened(type(value).__name__)}"


def leading(parts: Sequence[str], limit: int) -> Sequence[str]:
    """Returns the first of several texts that have a number of characters together, at least one.

    Args:
        parts: The texts.
        limit: Largest number of characters.
    """
    ends = itertools.accumulate(map(len, parts))
    return parts[: max(1, sum(end <= limit for end in ends))]


def suggestion(name: str, known: Iterable[str]) -> str:
    """Returns "did you mean ...?" with the nearest known names, or the list of all names.

    >>> suggestion("acuracy", ["accuracy", "recall"])
    "did you mean 'accuracy'?"
    """
    import difflib  # a command can handle signals only after the imports of this module

    names = sorted(known)
    lowered = {one.lower(): one for one in names}
    near = [one for one in lowered if len(one) > len(name) / 3]  # others cannot reach the cutoff
    close = difflib.get_close_matches(name.lower(), near, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{lowered[match]}'" for match in close) + "?"
    if not names:
        return "no names are known"
    more = f" and {len(names) - _MAX_SHOWN_NAMES} more" if len(names) > _MAX_SHOWN_NAMES else ""
    return "there are: " + ", ".join(names[:_MAX_SHOWN_NAMES]) + more


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an error means that the device or the machine is out of memory."""
    # Compared by name, so that torch need not be imported.
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
