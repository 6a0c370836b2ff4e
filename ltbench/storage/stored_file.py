"""Base of the models of JSON files in a run directory."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from ltbench.config.runspec import without_added_keys
from ltbench.storage.migrations import SCHEMA


class Record(BaseModel):
    """Part of a stored file. It has exactly these keys, and values of exactly these types."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid", frozen=True)


class StoredFile(Record):
    """A JSON file in a run directory."""

    FILE: ClassVar[str]
    LARGEST: ClassVar[int] = 2**22
    """Size that a file never reaches, in bytes."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the content of the file."""
        content = {"schema": SCHEMA, **self.model_dump(by_alias=True)}
        if content.get("earlier_hash", "") is None:
            del content["earlier_hash"]
        if "run" in content:  # earlier versions read a run without the keys that were added
            content["run"] = without_added_keys(content["run"])
        return content
