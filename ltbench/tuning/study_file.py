"""Files of a study: `study.json`, what is searched, and `trials.jsonl`, one line for each trial."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le, MinLen
from pydantic import Field, ValidationError, model_validator

from ltbench.config.runspec import Name, Selection
from ltbench.errors import DataError, shortened
from ltbench.io.json_text import parse_json
from ltbench.io.reading import read_regular
from ltbench.storage.files import make_folder, write_atomically, write_json
from ltbench.storage.result_schema import Amount, Count, Hash, Percent
from ltbench.storage.stored_file import Record
from ltbench.tuning.space import Choices, Dimension, Range, Space

SCHEMA = 1
STUDY, TRIALS = "study.json", "trials.jsonl"
MAX_BUDGET = 10_000
_LARGEST = 2**27
_HINT = "delete the folder of the study, or start another one with --name"

State = Literal["done", "pruned", "failed"]
Key = Annotated[str, MinLen(1)]


class DimensionRecord(Record):
    """A setting that is searched."""

    key: Key = Field(description="dotted key of the setting")
    values: list[Any] | None = Field(description="values of a list; null for a range")
    low: float | int | None = Field(description="smallest value of a range; null for a list")
    high: float | int | None = Field(description="largest value of a range; null for a list")
    log: bool = Field(description="whether equal factors of a range are equally probable")

    @model_validator(mode="after")
    def _is_list_or_range(self) -> Self:
        if (self.values is None) == (self.low is None) or (self.low is None) != (self.high is None):
            raise ValueError("expected either values, or low and high")
        return self

    @classmethod
    def of(cls, dimension: Dimension) -> DimensionRecord:
        """Returns the record of a dimension."""
        if isinstance(dimension, Choices):
            values = list(dimension.values)
            return cls(key=dimension.key, values=values, low=None, high=None, log=False)
        low, high = dimension.low, dimension.high
        return cls(key=dimension.key, values=None, low=low, high=high, log=dimension.log)

    def dimension(self) -> Dimension:
        """Returns the dimension."""
        if self.values is not None:
            return Choices(self.key, tuple(self.values))
        assert self.low is not None
        assert self.high is not None
        whole = type(self.low) is int and type(self.high) is int
        return Range(self.key, self.low, self.high, self.log, whole)


class MethodRecord(Record):
    """A method and its search space."""

    method: Name = Field(description="name of the method")
    space: list[DimensionRecord] = Field(description="settings that are searched")
    start: dict[Key, Any] | None = Field(
        description="their values by the recipe, which the first trial of `random` and `tpe` has; "
        "null where the space does not contain them"
    )

    @classmethod
    def of(cls, space: Space) -> MethodRecord:
        """Returns the record of a space."""
        dimensions = [DimensionRecord.of(one) for one in space.dimensions]
        start = None if space.start is None else dict(space.start)
        return cls(method=space.method, space=dimensions, start=start)

    def as_space(self) -> Space:
        """Returns the space."""
        return Space(self.method, tuple(one.dimension() for one in self.space), self.start)


class StudyRecord(Record):
    """Content of `study.json`: everything that the trials follow from."""

    methods: list[MethodRecord] = Field(description="methods with their search spaces")
    settings: dict[Key, str] = Field(
        description="settings that all trials share, as typed for `--set`"
    )
    sampler: Literal["grid", "random", "tpe"] = Field(description="sampler of the trials")
    seed: Annotated[int, Ge(0), Le(2**32 - 1)] = Field(description="seed of the sampler")
    metric: Name = Field(description="accuracy on val that the best trial is chosen by")
    select: Selection = Field(description="epoch whose weights a trial keeps")
    prune: str | None = Field(description="rule by which trials are pruned; null for none")
    budget: Annotated[int, Ge(1), Le(MAX_BUDGET)] = Field(description="trials of each method")

    @property
    def identity(self) -> str:
        """Digits that are equal for the same search, whatever its budget."""
        described = self.model_dump(mode="json", exclude={"budget"})
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]


class TrialRecord(Record):
    """A line of `trials.jsonl`: a trial that has ended."""

    method: Name = Field(description="name of the method")
    number: Count = Field(description="number of the trial among those of the method, from 0")
    settings: dict[Key, Any] = Field(description="values of the settings that are searched")
    hash: Hash | None = Field(description="hash of the run; null for settings that make no run")
    state: State = Field(description="`done`, `pruned` or `failed`")
    epochs: Count = Field(description="epochs of the whole training")
    scores: list[Percent] = Field(
        description="mean-class accuracy on val after each trained epoch; empty where `select` is "
        "`last`"
    )
    trained: Count = Field(description="trained epochs")
    value: Percent | None = Field(
        description="accuracy on val that the study maximises; null unless the trial is done"
    )
    seconds: Amount = Field(description="seconds of training, validation and evaluation")
    error: str = Field(description="reason of a failure; empty otherwise")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.value is None) == (self.state == "done"):
            raise ValueError("value: expected a number for a trial that is done, and for no other")
        if len(self.scores) > self.trained:
            raise ValueError("scores: expected at most one for each trained epoch")
        return self


def write_study(folder: Path, record: StudyRecord) -> None:
    """Writes `study.json`.

    Raises:
        RunError: It cannot be written.
    """
    make_folder(folder)
    write_json(folder / STUDY, {"schema": SCHEMA, **record.model_dump(mode="json")})


def read_study(folder: Path) -> StudyRecord | None:
    """Returns the content of `study.json`; None where it is missing.

    Raises:
        DataError: It is damaged, or is of a later schema.
    """
    path = folder / STUDY
    content = _read(path)
    if content is None:
        return None
    try:
        stored = parse_json(content)
        if not isinstance(stored, dict) or type(stored.get("schema")) is not int:
            raise ValueError("it was not written by ltbench")
        if stored.pop("schema") != SCHEMA:
            raise ValueError(f"expected schema {SCHEMA}; another version of ltbench wrote it")
        return StudyRecord.model_validate(stored)
    except ValueError as error:
        raise DataError(f"{path}: {_reason(error)}", hint=_HINT) from error


def write_trials(folder: Path, trials: Sequence[TrialRecord]) -> None:
    """Writes all trials.

    Raises:
        RunError: They cannot be written.
    """
    lines = (json.dumps(trial.model_dump(mode="json"), allow_nan=False) for trial in trials)
    write_atomically(folder / TRIALS, "".join(f"{line}\n" for line in lines).encode())


def read_trials(folder: Path, record: StudyRecord) -> list[TrialRecord]:
    """Returns the trials of a study in the order in which they ended.

    Raises:
        DataError: The file is damaged, or has other trials than the study can have.
    """
    path = folder / TRIALS
    trials: list[TrialRecord] = []
    counts: Counter[str] = Counter()
    spaces = {one.method: one.as_space() for one in record.methods}
    for number, line in enumerate((_read(path) or b"").splitlines(), start=1):
        try:
            trial = TrialRecord.model_validate(parse_json(line))
            if trial.method not in spaces or not spaces[trial.method].contains(trial.settings):
                raise ValueError("it is no trial of this study")
            if trial.number != counts[trial.method]:
                raise ValueError(f"number: expected {counts[trial.method]}, got {trial.number}")
        except ValueError as error:
            raise DataError(f"{path}: line {number}: {_reason(error)}", hint=_HINT) from error
        counts[trial.method] += 1
        trials.append(trial)
    return trials


def _read(path: Path) -> bytes | None:
    try:
        return read_regular(path, _LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors(include_url=False)[0]
    key = ".".join(map(str, fault["loc"]))
    expected = fault["msg"].replace("Input should be", "expected", 1)
    if fault["type"] in ("missing", "extra_forbidden"):
        expected = f"the key is {'missing' if fault['type'] == 'missing' else 'unknown'}"
    return shortened(f"{key}: {expected}" if key else expected, 300)
