from __future__ import annotations

import pickle

import pytest

from ltbench import errors
from ltbench.errors import ConfigError, CorruptImageError, LTBenchError, quoted, suggestion


def all_errors(kind: type[LTBenchError] = LTBenchError) -> list[type[LTBenchError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in all_errors(child))]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__
    for error in all_errors():
        if error.__name__.startswith("_"):  # raised and caught in one module
            continue
        line = next(
            line for line in errors.__doc__.splitlines() if f" {error.__name__} " in f" {line}"
        )
        assert int(line.split(error.__name__)[1].split()[0]) == error.exit_code


def test_one_fault_stands_alone_and_several_are_listed() -> None:
    assert ConfigError.from_faults(["a is wrong"]).message == "a is wrong"
    several = ConfigError.from_faults(["a is wrong", "b is wrong"], hint="look").message
    assert several == "2 faults in the configuration:\n  - a is wrong\n  - b is wrong"


def test_errors_cross_process_borders_with_their_hint() -> None:
    error = pickle.loads(pickle.dumps(CorruptImageError("broken", hint="fetch it again")))
    assert (type(error), error.message, error.hint) == (
        CorruptImageError,
        "broken",
        "fetch it again",
    )


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("ful", ["full", "vpt"], "did you mean 'full'?"),
        ("zzz", ["full", "vpt"], "there are: full, vpt"),
        ("zzz", [], "no names are known"),
    ],
)
def test_suggestions(name: str, known: list[str], said: str) -> None:
    assert suggestion(name, known) == said


def test_a_value_that_cannot_be_written_is_named_by_its_type() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert quoted(Broken()) == "a value of Broken"
    assert quoted(10**5000) == "a whole number of too many digits"
