"""`tags.json`: words that a user attaches to a finished run; no part of its hash."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from ltbench.errors import ConfigError, DataError, shortened
from ltbench.registry.spec_checks import SNAKE_CASE
from ltbench.storage.files import write_json
from ltbench.storage.parsing import read_stored
from ltbench.storage.stored_file import StoredFile

FILE = "tags.json"
MAX_VALUE_CHARACTERS = 200
MAX_NAME_CHARACTERS = 60
MAX_TAGS = 100  # of a run
_NO_TAGS: tuple[dict[str, str], str] = {}, ""


def _printable(value: str) -> str:
    if not value.isprintable() or value != value.strip() or not value:
        raise ValueError("expected printable characters in one line")
    return value


TagName = Annotated[str, Field(pattern=f"^{SNAKE_CASE.pattern}$", max_length=MAX_NAME_CHARACTERS)]
TagValue = Annotated[str, Field(max_length=MAX_VALUE_CHARACTERS), AfterValidator(_printable)]


class Tags(StoredFile):
    """Tags of a run."""

    FILE = FILE
    LARGEST: ClassVar[int] = 2**18

    tags: Annotated[dict[TagName, TagValue], Field(max_length=MAX_TAGS)] = Field(
        description="values by name, set by `ltbench runs tag`"
    )


def read_tags(directory: Path) -> dict[str, str]:
    """Returns the tags of a run; empty where it has none.

    Args:
        directory: Run directory.

    Raises:
        DataError: `tags.json` cannot be read, or is damaged.
    """
    try:
        stored = read_stored(directory, Tags)
    except DataError as error:
        path = directory / Tags.FILE
        raise DataError(error.message, hint=f"delete {path}, then tag the run again") from error
    return {} if stored is None else stored.tags


def tags_and_fault(directory: str) -> tuple[dict[str, str], str]:
    """Returns the tags of a run, and the reason why they cannot be read; empty where they can.

    Args:
        directory: Run directory.
    """
    try:
        # Most runs have none, which one call of the system finds out.
        found = os.path.lexists(f"{directory}/{FILE}")
        return (read_tags(Path(directory)), "") if found else _NO_TAGS
    except DataError as error:
        return {}, error.message


def write_tags(directory: Path, tags: Mapping[str, str]) -> None:
    """Replaces the tags of a run.

    Args:
        directory: Run directory.
        tags: Values by name, as `parse_tags` returns them.

    Raises:
        ConfigError: The run would have too many tags.
        RunError: The file cannot be written.
    """
    if len(tags) > MAX_TAGS:
        raise ConfigError(
            f"{directory}: expected at most {MAX_TAGS} tags, got {len(tags)}",
            hint="remove some with --remove NAME",
        )
    write_json(directory / Tags.FILE, Tags(tags=dict(sorted(tags.items()))).to_dict())


def parse_tags(texts: Iterable[str]) -> dict[str, str]:
    """Returns the tags of `NAME=VALUE` texts.

    >>> parse_tags(["paper=table 3"])
    {'paper': 'table 3'}

    Args:
        texts: Texts as typed.

    Raises:
        ConfigError: All faults of the texts.
    """
    tags: dict[str, str] = {}
    faults = []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        fault = _fault(name, value) if equals else "expected NAME=VALUE, as in paper=table_3"
        if fault:
            faults.append(f"{shortened(repr(text))}: {fault}")
        elif tags.setdefault(name, value) != value:
            faults.append(f"{name}: set to {shortened(tags[name])} and to {shortened(value)}")
    if faults:
        raise ConfigError.from_faults(
            faults, hint="as in ltbench runs tag runs/digits_lt/clip_tiny paper=table_3"
        )
    return tags


def _fault(name: str, value: str) -> str:
    """Returns the first fault of a tag; empty where it has no fault."""
    if not SNAKE_CASE.fullmatch(name) or len(name) > MAX_NAME_CHARACTERS:
        return (
            "the name of a tag has lower-case letters, digits and single underscores, and at most "
            f"{MAX_NAME_CHARACTERS} characters"
        )
    if len(value) > MAX_VALUE_CHARACTERS:
        return f"expected at most {MAX_VALUE_CHARACTERS} characters, got {len(value):,}"
    if not value:
        return f"expected a value; --remove {name} removes the tag"
    return "" if value.isprintable() else "expected printable characters in one line"
