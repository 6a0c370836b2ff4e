"""The categories of iNaturalist: the names of each species, from kingdom to species."""

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
"""How many different names each level of iNaturalist 2018 has."""


@dataclass(frozen=True)
class Taxonomy:
    """The names of each category at each level.

    Args:
        names: (K,) names by category id, for each level; those of several species may be equal.
    """

    names: Mapping[Level, tuple[str, ...]]

    @classmethod
    def parse(cls, content: bytes, published: bool) -> Taxonomy:
        """Reads `categories.json`: a list of `{"id": 0, "name": ..., "kingdom": ..., ...}`.

        Args:
            content: The file's.
            published: Whether it must be that of iNaturalist 2018.

        Raises:
            ValueError: With what is wrong with it.
        """
        if content.lstrip()[:1] == b"<":
            raise ValueError("it is a web page, not JSON")
        try:
            taxonomy = cls.of(json.loads(content))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"it is no JSON, or cut short: {error}") from error
        fault = taxonomy._unlike_published() if published else ""
        if fault:
            raise ValueError(fault)
        return taxonomy

    @classmethod
    def of(cls, categories: Any) -> Taxonomy:
        """Reads what `categories.json` and the `categories` of the annotations hold.

        Raises:
            ValueError: With what is wrong with it.
        """
        if not isinstance(categories, list) or not categories:
            raise ValueError("it is no list of categories")
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
                f"its ids are not 0 to {len(categories) - 1}, each once: there is no {missing[0]}"
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
        """Whether these are the made-up names of the competition: most species lack their genus."""
        pairs = zip(self.names["species"], self.names["genus"], strict=True)
        return 2 * sum(species.startswith(genus) for species, genus in pairs) < len(self)

    def identity(self) -> str:
        """Returns a hash of the names, whichever way the file is formatted."""
        return hashlib.sha256(json.dumps(self.names, sort_keys=True).encode()).hexdigest()

    def sorted_labels(self, level: Level) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Returns the different names of a level, sorted, and which one each category has, (K,)."""
        names, labels = np.unique(np.array(self.names[level]), return_inverse=True)
        return tuple(names.tolist()), labels.astype(np.int64)

    def to_json(self) -> bytes:
        """Returns what `parse` reads."""
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
                return f"it has {found:,} {what}, iNaturalist 2018 has {count:,}"
        return ""
