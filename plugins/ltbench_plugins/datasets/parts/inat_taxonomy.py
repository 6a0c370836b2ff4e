"""Taxonomy of iNaturalist: the names of each species, from kingdom to species."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["species", "kingdom", "phylum", "class", "order", "family", "genus"]

CATEGORIES = "categories.json"

PUBLISHED: Mapping[Level, int] = {
    "species": 8142,
    "kingdom": 6,
    "phylum": 25,
    "class": 57,
    "order": 272,
    "family": 1118,
    "genus": 4401,
}
"""Number of different names at each level of iNaturalist 2018."""


@dataclass(frozen=True)
class Taxonomy:
    """Names of each category at each level.

    Args:
        names: Names by category id, (K,), for each level; several species may share a name.
    """

    names: Mapping[Level, tuple[str, ...]]

    @classmethod
    def parse(cls, content: bytes, published: bool) -> Taxonomy:
        """Returns the taxonomy of a `categories.json`: `[{"id": 0, "name": ..., ...}, ...]`.

        Args:
            content: Content of the file.
            published: Whether it must be the taxonomy of iNaturalist 2018.

        Raises:
            ValueError: The content is malformed; the message is the fault.
        """
        if content.lstrip()[:1] == b"<":
            raise ValueError("it is a web page, not JSON")
        try:
            taxonomy = cls.of(json.loads(content))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"it is not JSON, or truncated: {error}") from error
        fault = taxonomy._unlike_published() if published else ""
        if fault:
            raise ValueError(fault)
        return taxonomy

    @classmethod
    def of(cls, categories: Any) -> Taxonomy:
        """Returns the taxonomy of a list of categories, as in `categories.json`.

        Raises:
            ValueError: The list is malformed; the message is the fault.
        """
        if not isinstance(categories, list) or not categories:
            raise ValueError("it is not a list of categories")
        by_id: dict[int, Mapping[str, str]] = {}
        for position, category in enumerate(categories):
            if not isinstance(category, dict) or not isinstance(category.get("id"), int):
                raise ValueError(f"entry {position} has no id")
            for field in ("name", *list(PUBLISHED)[1:]):
                if not isinstance(category.get(field), str) or not category[field].strip():
                    raise ValueError(f"entry {position} has no {field}")
            by_id[category["id"]] = category
        missing = [label for label in range(len(categories)) if label not in by_id]
        if missing:
            raise ValueError(
                f"expected ids 0 to {len(categories) - 1}, each once, but {missing[0]} is missing"
            )
        return cls(
            {
                level: tuple(
                    by_id[label]["name" if level == "species" else level]
                    for label in range(len(categories))
                )
                for level in PUBLISHED
            }
        )

    def __len__(self) -> int:
        return len(self.names["species"])

    @property
    def obfuscated(self) -> bool:
        """Whether the names are obfuscated, as in the competition: most lack the species' genus."""
        pairs = zip(self.names["species"], self.names["genus"], strict=True)
        return 2 * sum(species.startswith(genus) for species, genus in pairs) < len(self)

    def identity(self) -> str:
        """Returns a hash of the names, independent of the file's format."""
        return hashlib.sha256(json.dumps(self.names, sort_keys=True).encode()).hexdigest()

    def sorted_labels(self, level: Level) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Returns the sorted different names of a level, and the index of each category's, (K,)."""
        names, labels = np.unique(np.array(self.names[level]), return_inverse=True)
        return tuple(names.tolist()), labels.astype(np.int64)

    def to_json(self) -> bytes:
        """Returns the content of a `categories.json`."""
        fields = {"name" if level == "species" else level: n for level, n in self.names.items()}
        rows = zip(*fields.values(), strict=True)
        categories = [
            {"id": label, **dict(zip(fields, row, strict=True))} for label, row in enumerate(rows)
        ]
        return json.dumps(categories).encode()

    def _unlike_published(self) -> str:
        for level, count in PUBLISHED.items():
            found = len(set(self.names[level]))
            if found != count:
                what = "names of species" if level == "species" else f"names at level {level}"
                return f"expected {count:,} {what}, as in iNaturalist 2018, got {found:,}"
        return ""
