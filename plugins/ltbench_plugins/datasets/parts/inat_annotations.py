"""Split lists from iNaturalist's official annotations (`train2018.json`, `val2018.json`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltbench.data import read_regular
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.inat_taxonomy import Taxonomy

_MAX_BYTES = 1 << 32  # the published file has 0.12 GB
_HINT = "download it again (its .tar.gz from github.com/visipedia/inat_comp, 2018) and unpack it"


@dataclass(frozen=True)
class Annotations:
    """Content of an annotation file.

    Args:
        path: Path of the file.
        content: Content in COCO's format.
    """

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Annotations:
        """Returns the content of a file; some 440,000 images take a few seconds.

        Raises:
            DataError: The file cannot be read, or is not an annotation file.
        """
        try:
            content = json.loads(read_regular(path, _MAX_BYTES))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{path} cannot be read: {error}", hint=_HINT) from error
        for key in ("images", "annotations", "categories"):
            if not isinstance(content, dict) or not isinstance(content.get(key), list):
                raise DataError(f"{path} has no list '{key}'", hint=_HINT)
        return cls(path, content)

    def split_list(self) -> bytes:
        """Returns a split list, one `path label` per line, in the order of the images.

        Raises:
            DataError: An image has no label, or a category has no images.
        """
        try:
            labels = {one["image_id"]: one["category_id"] for one in self.content["annotations"]}
            images = [(one["file_name"], one["id"]) for one in self.content["images"]]
            used = set(labels.values())
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{self.path}: an entry is malformed ({error!r})", hint=_HINT
            ) from error
        bare = next((name for name, image in images if image not in labels), None)
        if bare is not None:
            raise DataError(f"{self.path}: {bare} has no annotation", hint=_HINT)
        differing = used ^ set(range(len(self.taxonomy())))
        if differing:
            what = "is not among its categories" if differing & used else "has no images"
            category = min(differing & used or differing)
            raise DataError(f"{self.path}: category {category} {what}", hint=_HINT)
        return "".join(f"{name} {labels[image]}\n" for name, image in images).encode()

    def taxonomy(self) -> Taxonomy:
        """Returns the taxonomy of its categories.

        Raises:
            DataError: The categories are incomplete.
        """
        try:
            return Taxonomy.of(self.content["categories"])
        except ValueError as error:
            raise DataError(f"{self.path}, categories: {error}", hint=_HINT) from error
