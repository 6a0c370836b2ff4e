"""A run with every choice made, its canonical form and its hash."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le
from pydantic import Field

from ltbench.config.quick_look import FAST
from ltbench.config.quick_look import KEYS as QUICK_KEYS
from ltbench.registry.spec_checks import SNAKE_CASE
from ltbench.specs import SPECS, option

Precision = Literal["auto", "fp32", "bf16", "fp16"]
OnCorrupt = Literal["fail", "skip"]
Seed = Annotated[int, Ge(0), Le(2**32 - 1)]
Count = Annotated[int, Gt(0), Le(2**31 - 1)]
EvaluationSplit = Literal["test", "val"]
Selection = Literal["last", "val"]
Limit = Annotated[int, Gt(0), Le(2**31 - 1)]
Name = Annotated[str, Field(pattern=f"^{SNAKE_CASE.pattern}$", max_length=255)]
"""Name of a component, of a metric, or of a shot rule."""
OptionName = Annotated[str, Field(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*$", max_length=255)]
"""Name of an option; dotted within a table of options."""
StoredPath = Annotated[str, Field(pattern=r"^[^\x00]*$")]

_NO_OTHER_KEYS = {"extra": "forbid", "allow_inf_nan": False}

REMARKS = {"select": "selection on the test set is not offered"}
"""Remarks that follow the expected values where a key's value is refused."""

_ADDED_KEYS = {*QUICK_KEYS, "compile"}

MOVED = {
    "train.momentum": "optimizer.momentum",
    "train.weight_decay": "optimizer.weight_decay",
}
"""Keys of earlier versions and the keys that took their place."""

FIRST_SCHEDULE: Mapping[str, Any] = MappingProxyType(
    {"name": "cosine_per_epoch", "options": {"warmup_epochs": 0, "warmup_factor": 0.005}}
)
"""The schedule of every run from before schedules could be chosen."""


@dataclass(frozen=True)
class TrainConfig:
    """Training of a run: the keys `train.*`."""

    epochs: Annotated[int, Ge(0), Le(2**31 - 1)] = option(5, "passes over the training images")
    batch_size: Count = option(128, "images in an optimiser step")
    accumulate: Count = option(
        1, "equal parts of a batch that go through the model one after the other, to save memory"
    )
    lr: Annotated[float, Gt(0)] = option(0.02, "learning rate, which the schedule multiplies")
    __pydantic_config__: ClassVar = _NO_OTHER_KEYS


@dataclass(frozen=True)
class RunConfig:
    """Choices of a run besides components and training: the keys without a dot."""

    seed: Seed = option(0, "seed of the training: order, crops, new weights")
    data_seed: Seed = option(0, "seed of the long-tailed subset and of its hold-out")
    precision: Precision = option(
        "auto", "dtype of matrix products; auto: by device and size of the model"
    )
    compile: bool = option(
        False, "torch.compile of the backbone's blocks; rounds differently, for long trainings"
    )
    on_corrupt: OnCorrupt = option("fail", "treatment of images that cannot be decoded")
    split: EvaluationSplit = option(
        "test", "split of the evaluation; choose hyper-parameters on val"
    )
    select: Selection = option("last", "epoch whose weights are kept: last, or the best on val")
    limit: Limit | None = option(
        None, "images of each class in every split, for a quick look; none: all"
    )
    fast: bool = option(
        False,
        "quick look: " + ", ".join(f"{key}={value}" for key, value in FAST.items()),
    )


@dataclass(frozen=True)
class Choice:
    """A component with all its options.

    Args:
        name: Name of the component.
        options: Options of its config that are not paths, as JSON values.
        paths: Options that change no number: paths, and labels such as a title.
        plugin: Distribution of its plugin, with its version.
        identity: Identity of the data set's split, the backbone's weights or the files of the init;
            empty for others.
        version: Number of the component's definition, which is raised when results change.
    """

    name: Name
    options: Mapping[OptionName, Any]
    paths: Mapping[OptionName, StoredPath]
    plugin: str
    identity: str
    version: Annotated[Count, Field(strict=True)] = 1
    __pydantic_config__: ClassVar = _NO_OTHER_KEYS

    def to_dict(self) -> dict[str, Any]:
        """Returns the choice as JSON has it."""
        described = {name: getattr(self, name) for name in _CHOICE_KEYS}
        return {**described, "options": dict(self.options), "paths": dict(self.paths)}

    @property
    def title(self) -> str:
        """Name in tables and figures: the option `title` where the component has a text there."""
        return self.paths.get("title") or self.name

    @functools.cached_property
    def canonical(self) -> str:
        """Canonical JSON of the part that the hash covers; runs of a grid share their choices."""
        return _canonical_part(self.to_dict())


_CHOICE_KEYS = tuple(field.name for field in fields(Choice))


@dataclass(frozen=True)
class RunSpec:
    """One training and evaluation, fully described.

    Its hash covers everything that can change a number and nothing else. `precision` is the
    requested one, so that a hash means the same on every machine; the result records the one that
    `auto` became.
    """

    dataset: Choice
    backbone: Choice
    method: Choice
    head: Choice
    init: Choice
    loss: Choice
    sampling: Choice
    augmentation: Choice
    optimizer: Choice
    schedule: Choice
    refinement: Choice
    inference: Choice
    train: TrainConfig
    seed: Annotated[Seed, Field(strict=True)]
    data_seed: Annotated[Seed, Field(strict=True)]
    precision: Precision
    on_corrupt: OnCorrupt
    split: EvaluationSplit
    select: Selection
    limit: Annotated[Limit, Field(strict=True)] | None = None
    fast: Annotated[bool, Field(strict=True)] = False
    compile: Annotated[bool, Field(strict=True)] = False
    __pydantic_config__: ClassVar = _NO_OTHER_KEYS

    def to_dict(self) -> dict[str, Any]:
        """Returns the spec as JSON has it; keys that were added later are left out at defaults."""
        # Not `asdict`: its deep copies take longer than reading a run.
        described = {key: getattr(self, key) for key in _SPEC_KEYS}
        described |= {kind: choice.to_dict() for kind, choice in self.choices().items()}
        return without_added_keys(described) | {"train": dict(vars(self.train))}

    @property
    def comparable(self) -> bool:
        """Whether results may be compared with others: not those of a quick look."""
        return self.limit is None and not self.fast

    @property
    def quick_text(self) -> str:
        """Settings that make the run a quick look, as "fast, limit=8"; empty for other runs."""
        limit = () if self.limit is None else (f"limit={self.limit}",)
        return ", ".join((*("fast",) * self.fast, *limit))

    def with_seed(self, seed: int) -> RunSpec:
        """Returns a spec that shares all choices and has another seed."""
        # Not `dataclasses.replace`: it takes as long as reading a run, and shares no JSON.
        other = object.__new__(RunSpec)
        vars(other).update(vars(self), seed=seed)
        vars(other).pop("hash", None)
        return other

    @property
    def uses_val(self) -> bool:
        """Whether the run needs a validation split, for the evaluation or to select an epoch."""
        return self.split == "val" or (self.select == "val" and self.train.epochs > 0)

    def choices(self) -> dict[str, Choice]:
        """Returns the component of each kind."""
        return {kind: getattr(self, kind) for kind in SPECS}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> RunSpec:
        """Returns the spec that `to_dict` described.

        Raises:
            ValueError: A key is missing or unknown, or its value has the wrong type.
        """
        spec: RunSpec = _reader().validate_python(stored)
        train = stored["train"]
        for key, value in vars(spec.train).items():  # their type reads "3", too: users type it
            if type(train.get(key)) is not type(value):
                raise ValueError(f"train.{key}: expected {value!r}, got another type or nothing")
        for kind in SPECS:
            for key, value in stored[kind]["options"].items():
                if type(value) not in _SMALL and not _is_sound(value):
                    raise ValueError(f"{kind}.options.{key}: a number is too large")
        return spec

    @functools.cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of the canonical JSON."""
        before, after = self._around_seed
        return _digest(f'{before}"seed":{self.seed}{after}')

    @functools.cached_property
    def cell_key(self) -> str:
        """Everything but the seed, as canonical JSON: equal for the runs of a cell."""
        before, after = self._around_seed
        return before + after.removeprefix(",")

    @functools.cached_property
    def _around_seed(self) -> tuple[str, str]:
        """Canonical JSON before and after the seed: computed once for the runs of a cell."""
        members = _members(self._parts())
        return (
            "{" + "".join(f"{text}," for key, text in members if key < "seed"),
            "".join(f",{text}" for key, text in members if key > "seed") + "}",
        )

    def _parts(self) -> dict[str, Any]:
        """Returns what `to_dict` does, with choices whose canonical JSON is computed once."""
        return {key: getattr(self, key) for key in _SPEC_KEYS} | {"train": dict(vars(self.train))}


_SPEC_KEYS = tuple(field.name for field in fields(RunSpec))


_SMALL = {str, bool, type(None)}
"""Types of options that are sound whatever their value."""


def _is_sound(value: Any) -> bool:
    """Returns whether every number in a JSON value is finite, and every integer has 64 bits."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 2**63
    if isinstance(value, list):
        return all(map(_is_sound, value))
    return not isinstance(value, dict) or all(map(_is_sound, value.values()))


def canonical(run: Mapping[str, Any], *, without: str = "") -> str:
    """Returns what `RunSpec.to_dict` described as canonical JSON: no paths, keys in order.

    Args:
        run: Description of a run.
        without: Key that is left out: without "seed", the runs of a cell have the same JSON.
    """
    return "{" + ",".join(text for key, text in _members(run) if key != without) + "}"


def _members(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns the keys of the canonical JSON in their order, each with its member of the object."""
    # The kinds of the time when it was written: old descriptions keep their hash.
    kept = sorted(_without_first_choices(run).items())
    return [(key, f"{_quoted(key)}:{_canonical_part(value)}") for key, value in kept]


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _canonical_part(value: Any) -> str:
    """Returns the part of the canonical JSON for a key's value."""
    if isinstance(value, Choice):
        return value.canonical
    if isinstance(value, str):
        return _quoted(value)
    return _JSON.encode(_counted(value) if isinstance(value, dict) else value)


@functools.lru_cache(1_000)
def _quoted(value: str) -> str:
    return _JSON.encode(value)


def _without_first_choices(run: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a description without the optimizer and the schedule that every run had at first.

    Before optimizers were components, momentum and weight decay of SGD were keys of the training,
    and the schedule was no choice. A run with the same choices keeps the hash that it had then.
    """
    described = without_added_keys(run)
    optimizer, train = run.get("optimizer"), run.get("train")
    if _is_first(optimizer, "sgd") and isinstance(train, dict):
        described["train"] = {**train, **_options(optimizer)}
        del described["optimizer"]
    schedule = run.get("schedule")
    if (
        _is_first(schedule, FIRST_SCHEDULE["name"])
        and _options(schedule) == FIRST_SCHEDULE["options"]
    ):
        del described["schedule"]
    return described


def without_added_keys(run: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a description without keys that it did not have at first, at their defaults."""
    return {
        key: value
        for key, value in run.items()
        if key not in _ADDED_KEYS or (value is not None and value is not False)
    }


def _is_first(choice: Any, name: str) -> bool:
    """Returns whether a choice is a component of ltbench of a name, by its first definition."""
    described = vars(choice) if isinstance(choice, Choice) else choice
    return (
        isinstance(described, dict)
        and described.get("name") == name
        and str(described.get("plugin")).partition(" ")[0] == "ltbench"
        and described.get("version", 1) == 1
        and isinstance(described.get("options"), Mapping)
    )


def _options(choice: Any) -> Mapping[str, Any]:
    options = choice.options if isinstance(choice, Choice) else choice["options"]
    return dict(options)


def _counted(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the part of a choice that the hash covers."""
    counted = dict(choice)
    counted.pop("paths", None)
    if choice.get("version") == 1:  # the hashes of descriptions from before versions stay valid
        del counted["version"]
    return counted


def hash_of(run: Mapping[str, Any]) -> str:
    """Returns the hash of what `RunSpec.to_dict` described."""
    return _digest(canonical(run))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@functools.cache
def _reader() -> Any:
    # Cached: making it takes longer than reading a hundred runs.
    from pydantic import TypeAdapter

    return TypeAdapter(RunSpec)
