"""Annotation files, and small indices of large ones."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data import git_blob_sha1
from ltbench.errors import DataError

_FORM = "use COCO's format for object detection: images, annotations with bbox, categories"
_OUTSIDE = r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\x00-\x1f]"
BOX = ("left", "top", "width", "height")


@dataclass(frozen=True)
class Annotations:
    """Content of an annotation file.

    Args:
        path: Path of the file.
        content: Bytes of the file.
    """

    path: Path
    content: bytes

    @classmethod
    def read(cls, path: Path) -> Annotations:
        """Returns the content of a file.

        Raises:
            DataError: The file cannot be read.
        """
        try:
            return cls(path, path.read_bytes())
        except OSError as error:
            raise DataError(
                f"{path} cannot be read: {error.strerror or error}",
                hint="set dataset.path, .val and .test to annotation files",
            ) from error

    @property
    def sha1(self) -> str:
        """Git blob name of the content."""
        return git_blob_sha1(self.content)

    @property
    def index_name(self) -> str:
        """Name of its index: from the content, so that no index is out of date."""
        return f"{self.sha1}.parquet"

    def index(self) -> bytes:
        """Returns the objects as a Parquet file, which is read much faster than JSON."""
        import pyarrow.parquet as pq

        written = io.BytesIO()
        pq.write_table(self.parse(), written)
        return written.getvalue()

    def objects(self, indices: Path) -> Any:
        """Returns the objects, from the index if it exists.

        Args:
            indices: Folder of the indices.

        Returns:
            Pyarrow table, see `parse`.

        Raises:
            DataError: The annotations or the index are malformed.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        index = indices / self.index_name
        if not index.is_file():
            return self.parse()
        try:
            return pq.read_table(index)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{index} is damaged: {error}",
                hint="rename it and run `ltbench data prepare coco_objects` again",
            ) from error

    def parse(self) -> Any:
        """Returns the objects, without crowds.

        Returns:
            Pyarrow table with one row per object: `file`, `category_id`, `category`, and the box's
            `left`, `top`, `width` and `height`.

        Raises:
            DataError: The annotations are malformed.
        """
        import pyarrow as pa

        images, annotations, categories = self._lists()
        files = dict(zip(self._ids("images", images, "id"), self._files(images), strict=True))
        numbers = self._ids("categories", categories, "id")
        names = dict(zip(numbers, self._names(categories), strict=True))
        single = [one for one in annotations if not one.get("iscrowd")]
        if not single:
            raise DataError(f"{self.path} has no annotations", hint=_FORM)
        shown = self._known("image_id", single, files)
        category = self._known("category_id", single, names)
        boxes = self._boxes(single)
        table = pa.table(
            {
                "file": pa.array([files[one] for one in shown]).dictionary_encode(),
                "category_id": pa.array(category, pa.int64()),
                "category": pa.array([names[one] for one in category]).dictionary_encode(),
                **{name: boxes[:, at] for at, name in enumerate(BOX)},
            }
        )
        return table

    def _lists(self) -> list[list[dict[str, Any]]]:
        try:
            document = json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{self.path} is not JSON: {error}", hint=_FORM) from error
        lists = []
        for key in ("images", "annotations", "categories"):
            items = document.get(key) if isinstance(document, dict) else None
            if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
                raise DataError(f"{self.path} has no list '{key}'", hint=_FORM)
            lists.append(items)
        return lists

    def _ids(self, of: str, items: list[dict[str, Any]], key: str) -> list[int]:
        ids: list[Any] = [one.get(key) for one in items]
        for at, value in enumerate(ids):
            if type(value) is not int:
                raise DataError(f"{self.path}: {of}[{at}].{key} is {value!r}", hint=_FORM)
        if len(set(ids)) < len(ids):
            raise DataError(f"{self.path}: two {of} have the same id", hint="export it again")
        return ids

    def _known(self, key: str, items: list[dict[str, Any]], known: dict[int, str]) -> list[int]:
        values: list[Any] = [one.get(key) for one in items]
        for at, value in enumerate(values):
            if type(value) is not int or value not in known:
                raise DataError(
                    f"{self.path}: annotation {items[at].get('id')} has {key} {value!r}, which is "
                    "not in the file",
                    hint="export it again",
                )
        return values

    def _files(self, images: list[dict[str, Any]]) -> list[str]:
        """Returns the path of each photograph.

        LVIS has only URLs, and COCO's names lack the folder: the end of a URL has both.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        files: list[Any] = [
            "/".join(one["coco_url"].split("/")[-2:])
            if isinstance(one.get("coco_url"), str)
            else one.get("file_name")
            for one in images
        ]
        for at, name in enumerate(files):
            if not isinstance(name, str) or not name:
                raise DataError(f"{self.path}: images[{at}].file_name is {name!r}", hint=_FORM)
        outside = pc.match_substring_regex(pa.array(files, pa.string()), _OUTSIDE)
        at = pc.index(outside, value=True).as_py()
        if at >= 0:
            raise DataError(
                f"{self.path}: {files[at]!r} is not a path below the folder of photographs",
                hint="set dataset.images to this folder",
            )
        return files

    def _names(self, categories: list[dict[str, Any]]) -> list[str]:
        """Returns the names with blanks: LVIS has `alarm_clock`."""
        names = []
        for at, one in enumerate(categories):
            name = one.get("name")
            name = " ".join(name.replace("_", " ").split()) if isinstance(name, str) else ""
            if not name:
                raise DataError(f"{self.path}: categories[{at}] has no name", hint=_FORM)
            if name in names:
                raise DataError(
                    f"{self.path}: two categories have the name '{name}'", hint="rename one of them"
                )
            names.append(name)
        return names

    def _boxes(self, annotations: list[dict[str, Any]]) -> NDArray[np.float64]:
        for one in annotations:
            box = one.get("bbox")
            if not isinstance(box, list) or len(box) != len(BOX) or not all(map(_finite, box)):
                raise DataError(
                    f"{self.path}: annotation {one.get('id')}: expected a bbox [left, top, width, "
                    f"height] in pixels, got {box!r}",
                    hint="export it again",
                )
        return np.array([one["bbox"] for one in annotations], np.float64)


def _finite(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)
