"""Run directories of others, in which a file was changed."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.attack.attack import Attack, Finding
from benchmarks.attack.command import ltbench
from benchmarks.attack.mutation import damaged
from benchmarks.attack.outcome import Outcome, graceful
from benchmarks.attack.stores import finished_store

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e300, 1e-300),
    *(
        "",
        "0",
        "none",
        "tte",
        "../..",
        "/",
        "\0",
        "\x1b[31m",
        "\ud800",
        "=1+1",
        "a\nb",
        "x" * 5_000,
    ),
    *([], {}, [None], {"name": "x"}, [[]] * 9, {"": 0}, [[[[[[]]]]]], [1, "2", None]),
)
_TEXTS = (
    *("", "null", "{", "[]", "3", '"x"', "NaN", '{"schema": 3}', '{"schema": 99}'),
    *('{"schema": NaN}', '{"schema": 3, "schema": 3}', "[" * 100_000, '{"a":' * 5_000, "9" * 9_000),
)
_JSON = ("result.json", "result.json", "spec.json", "environment.json", "history.jsonl")


def _try_json(rng: random.Random, folder: Path) -> None:
    run = _victim(rng, folder)
    path = run / rng.choice(_JSON)
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    chosen = rng.randrange(len(lines))
    value = json.loads(lines[chosen])
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        value = mutated(rng, value)
    if isinstance(value, dict) and rng.random() < 0.8:
        sign(value)
    lines[chosen] = json.dumps(value)
    if rng.random() < 0.05:
        lines[chosen] = rng.choice(_TEXTS)
    path.write_text("\n".join(lines) + "\n")
    _check_readers(rng, folder, run)


def _try_bytes(rng: random.Random, folder: Path) -> None:
    run = _victim(rng, folder)
    path = rng.choice([path for path in sorted(run.rglob("*")) if path.is_file()])
    path.write_bytes(damaged(rng, path.read_bytes()))
    _check_readers(rng, folder, run)


def _try_predictions(rng: random.Random, folder: Path) -> None:
    import pyarrow.parquet as pq

    run = _victim(rng, folder)
    path = next(run.glob("predictions-*.parquet"))
    table = _other_table(rng, pq.read_table(path))
    pq.write_table(table, path)
    _check_readers(rng, folder, run)


def _try_python(rng: random.Random, folder: Path) -> None:
    import ltbench as package
    from ltbench.errors import LTBenchError

    run = _victim(rng, folder)
    path = rng.choice([path for path in sorted(run.glob("*.json*")) if path.is_file()])
    value = json.loads(path.read_text().splitlines()[0]) if path.suffix == ".jsonl" else None
    value = mutated(rng, json.loads(path.read_text()) if value is None else value)
    if isinstance(value, dict):
        sign(value)
    path.write_text(json.dumps(value) + "\n")
    calls: list[Callable[[], object]] = [
        lambda: package.load_run(run).predictions(),
        lambda: package.load_run(run).history(),
        lambda: package.load_run(run)._repr_html_(),
        lambda: package.load_run(run).model("cpu"),
        lambda: package.load_run(rng.choice((*ODD, 3, run / "none", folder))),
        lambda: package.load_run(run).model(settings=rng.choice(ODD)),
        lambda: package.load_run(run).predictions(rng.choice(ODD)),
    ]
    call = rng.choice(calls)
    try:
        call()
    except LTBenchError:
        pass
    except Exception as error:
        raise Finding(
            f"only LTBenchError, got {error!r} for {path.name}: {value!r:.2000}"
        ) from error


def _victim(rng: random.Random, folder: Path) -> Path:
    """Makes a store of three runs and returns the one to change."""
    store = finished_store(folder, rng.choice((3, 4)))
    return rng.choice(sorted(path.parent for path in store.rglob("result.json")))


def mutated(rng: random.Random, value: Any) -> Any:
    """Returns a JSON value with one change somewhere in it.

    Args:
        rng: Source of the random choice.
        value: JSON value.
    """
    if isinstance(value, dict) and value and rng.random() < 0.93:
        key = rng.choice(list(value))
        changed = {**value, key: mutated(rng, value[key])}
        draw = rng.random()
        if draw < 0.05:
            del changed[key]
        elif draw < 0.1:
            changed[rng.choice(("extra", "name", "", "\x1b[1m", key.upper()))] = rng.choice(ODD)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        if rng.random() < 0.2:
            return [*value[:place], *value[place + rng.choice((0, 1)) :], value[place]]
        return [*value[:place], mutated(rng, value[place]), *value[place + 1 :]]
    if isinstance(value, int | float) and rng.random() < 0.4:
        return rng.choice((str(value), float(value), -value, value * 10**9, value + 1, [value]))
    if rng.random() < 0.03:
        return _nested(rng.choice((90, 500, 900)))
    return rng.choice(ODD)


def _nested(depth: int) -> Any:
    value: Any = 1
    for number in range(depth):
        value = [value] if number % 2 else {"a": value}
    return value


def sign(value: dict[str, Any]) -> None:
    """Writes the hash of the run that a file describes, as it is after the change.

    Args:
        value: Content of a JSON file of a run.
    """
    from ltbench.config.runspec import hash_of

    # One that describes no run any more keeps its hash.
    with contextlib.suppress(KeyError, AttributeError, TypeError, RecursionError):
        value["hash"] = hash_of(value["run"])


def _other_table(rng: random.Random, table: Any) -> Any:
    """Returns predictions with one column changed, with checksums of what they hold now."""
    import numpy as np
    import pyarrow as pa

    from ltbench.io.checksums import array_checksum

    name = rng.choice(table.column_names)
    column = table[name].combine_chunks()
    rows = len(column)
    others = [
        pa.nulls(rows),
        pa.array([None] * rows, column.type),
        pa.array(np.full(rows, np.nan, np.float32)),
        pa.array(np.full(rows, rng.choice((-1, 2**31, 2**62)), np.int64)),
        pa.array(np.arange(rows, dtype=rng.choice((np.int8, np.uint64, np.float64)))),
        pa.array(["x"] * rows),
        pa.array([[1]] * rows),
        pa.FixedSizeListArray.from_arrays(pa.array(np.full(rows * 3, np.inf, np.float32)), 3),
        column.take(pa.array([0] * rows)),
    ]
    draw = rng.random()
    if draw < 0.1:
        changed = table.slice(rng.randrange(rows))
    elif draw < 0.2:
        changed = table.drop_columns([name])
    elif draw < 0.3:
        changed = pa.concat_tables([table] * 2)
    else:
        changed = table.set_column(table.column_names.index(name), name, rng.choice(others))
    about = dict(table.schema.metadata)
    for each in changed.column_names:
        array = changed[each].combine_chunks()
        if rng.random() < 0.9 and hasattr(array, "to_numpy"):
            flat = array.flatten() if pa.types.is_fixed_size_list(array.type) else array
            shape = (len(array), -1) if flat is not array else (len(array),)
            values = flat.to_numpy(zero_copy_only=False)
            if values.dtype != object and len(array):
                about[f"checksum.{each}".encode()] = array_checksum(values.reshape(shape)).encode()
    if rng.random() < 0.2:
        key = rng.choice(list(about))
        about[key] = rng.choice((b"", b"\xff", b"\x1b[31m", b"x" * 10_000, b"3"))
    return changed.replace_schema_metadata(about)


def _check_readers(rng: random.Random, folder: Path, run: Path) -> None:
    """Checks that each reader of a store reports the other runs."""
    verb = rng.choice((*_READERS, ("leaderboard", "runs"), ("report", "runs", "--out", "report")))
    arguments = [str(run) if part == "RUN" else part for part in verb]
    outcome = graceful(ltbench(*arguments, cwd=folder))
    if verb[:2] == ("leaderboard", "runs"):
        _check_others(outcome)
    if verb[0] == "report":
        _check_others(outcome)
        if not (folder / "report" / "index.html").exists():
            raise outcome.finding("the report is written")


def _check_others(outcome: Outcome) -> None:
    """Checks that one damaged run among several ends no verb.

    Raises:
        Finding: The verb ended with an error.
    """
    if outcome.code:
        raise outcome.finding("the other runs are reported")


_READERS = (
    ("leaderboard", "runs", "--json"),
    ("leaderboard", "runs", "--markdown"),
    ("leaderboard", "runs", "--csv", "board.csv"),
    ("compare", "RUN", "runs/digits_lt/clip_tiny/lift_plus"),
    ("compare", "runs", "--across-datasets"),
    ("reproduce", "runs", "--published", "50"),
    ("reproduce", "runs", "--json"),
    ("eval", "RUN"),
    ("eval", "RUN", "--json"),
    ("grid", "status", "digits/methods", "--out", "runs"),
    ("runs", "list", "runs", "--sort", "few"),
    ("runs", "show", "RUN"),
    ("runs", "diff", "RUN", "RUN"),
    ("runs", "pack", "runs", "pack.zip"),
)

ATTACKS = (
    Attack(
        "stored_json",
        "A value in a JSON file of a run, with its hash made again: the other runs are reported",
        _try_json,
        share=2.0,
    ),
    Attack(
        "stored_bytes",
        "Bytes of any file of a run: the other runs are reported",
        _try_bytes,
    ),
    Attack(
        "stored_predictions",
        "Columns and metadata of predictions, with checksums made again: the others are reported",
        _try_predictions,
    ),
    Attack(
        "stored_run_in_python",
        "`load_run` of a changed run and odd arguments: no error but `LTBenchError`",
        _try_python,
    ),
)
