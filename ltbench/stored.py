"""What `result.json` holds, as far as others than its own run read it: a check of its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen
from pydantic import BaseModel, ConfigDict, ValidationError

from ltbench.errors import DataError

Percent = Annotated[float, Ge(0), Le(100.000001)]  # a mean of hundreds is rounded
Amount = Annotated[float, Ge(0)]
Count = Annotated[int, Ge(0)]


class _Strict(BaseModel):
    """Of exactly these types; there may be more keys."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Metrics(_Strict):
    """Accuracies in percent; None for a shot group without classes."""

    accuracy: Percent
    mean_class: Percent
    many: Percent | None
    medium: Percent | None
    few: Percent | None
    ece: Percent
    shot_rule: str


class Classes(_Strict):
    """(K,) each."""

    names: Annotated[list[str], MinLen(1)]
    train_images: Annotated[list[Count], MinLen(1)]
    trained_on: Annotated[list[Count], MinLen(1)]


class Learned(_Strict):
    """Parameters that got gradients."""

    total: Count
    percent: Amount


class Training(_Strict):
    """How training went."""

    epochs: Count
    seconds: Amount
    images_per_second: Amount | None


class Refinement(_Strict):
    """How the second stage went."""

    seconds: Amount


class Environment(_Strict):
    """What it ran in."""

    command: list[str] = []
    precision: str | None = None
    device: str | None = None
    packages: dict[str, str | None] = {}


class Result(_Strict):
    """A finished run."""

    metrics: Metrics
    classes: Classes
    learned: Learned
    training: Training
    refinement: Refinement | None
    environment: Environment
    peak_memory_mb: Amount


def check_result(result: Mapping[str, Any]) -> None:
    """Checks that the numbers of a result are numbers, and such as there can be.

    Args:
        result: What `result.json` holds, as today's schema has it.

    Raises:
        DataError: With the first key that is wrong.
    """
    try:
        Result.model_validate(result)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"its {key} is wrong: {first['msg'].lower()}") from error
    sizes = {key: len(result["classes"][key]) for key in ("names", "train_images", "trained_on")}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{size} {key}" for key, size in sizes.items())
        raise DataError(f"its classes do not fit together: {said}")
