"""Data sets: class names and splits, reading of images, and loading of batches of views.

Importing this package loads neither torch nor numpy: its names are imported when they are first
used (PEP 562). The modules of `ltbench.data.loading` load torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltbench.data.class_folders import ClassFolders, ListedFiles, scan_class_folders
    from ltbench.data.content_digests import (
        DigestRule,
        Digests,
        combined_digest,
        content_digest,
        file_digests,
        file_stamp,
        remembered_digests,
    )
    from ltbench.data.dataset import Dataset, Split
    from ltbench.data.decoding.decode import decode
    from ltbench.data.digest_table import DIGEST_BYTES
    from ltbench.data.drawn_splits import DEFAULT_TEST_SHARE, draw_splits
    from ltbench.data.folder_layout import UNDIVIDED
    from ltbench.data.images import (
        IMAGE_EXTENSIONS,
        ArrayImages,
        FileImages,
        ImageSource,
        Subset,
        subset,
    )
    from ltbench.data.limit import limit_images
    from ltbench.data.longtail import (
        counts_rule,
        exponential_counts,
        make_lt,
        pareto_counts,
        select_counts,
    )
    from ltbench.data.preparation.prepare import Preparation
    from ltbench.data.repeats import RepeatRule, handle_repeats
    from ltbench.data.split_lists import git_blob_sha1, list_identity, parse_list, read_list
    from ltbench.io.paths import with_home
    from ltbench.io.reading import read_regular

_NAMES = {
    "data.class_folders": "ClassFolders ListedFiles scan_class_folders",
    "data.content_digests": "DigestRule Digests combined_digest "
    "content_digest file_digests file_stamp remembered_digests",
    "data.dataset": "Dataset Split",
    "data.decoding.decode": "decode",
    "data.digest_table": "DIGEST_BYTES",
    "data.drawn_splits": "DEFAULT_TEST_SHARE draw_splits",
    "data.folder_layout": "UNDIVIDED",
    "data.images": "IMAGE_EXTENSIONS ArrayImages FileImages ImageSource Subset subset",
    "data.limit": "limit_images",
    "data.longtail": "counts_rule exponential_counts make_lt pareto_counts select_counts",
    "data.preparation.prepare": "Preparation",
    "data.repeats": "RepeatRule handle_repeats",
    "data.split_lists": "git_blob_sha1 list_identity parse_list read_list",
    "io.paths": "with_home",
    "io.reading": "read_regular",
}
"""Names of everything public, by their module below `ltbench`."""

_PLACES = {name: f"ltbench.{module}" for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "DEFAULT_TEST_SHARE",
    "DIGEST_BYTES",
    "IMAGE_EXTENSIONS",
    "UNDIVIDED",
    "ArrayImages",
    "ClassFolders",
    "Dataset",
    "DigestRule",
    "Digests",
    "FileImages",
    "ImageSource",
    "ListedFiles",
    "Preparation",
    "RepeatRule",
    "Split",
    "Subset",
    "combined_digest",
    "content_digest",
    "counts_rule",
    "decode",
    "draw_splits",
    "exponential_counts",
    "file_digests",
    "file_stamp",
    "git_blob_sha1",
    "handle_repeats",
    "limit_images",
    "list_identity",
    "make_lt",
    "pareto_counts",
    "parse_list",
    "read_list",
    "read_regular",
    "remembered_digests",
    "scan_class_folders",
    "select_counts",
    "subset",
    "with_home",
]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    own = {"Any", "TYPE_CHECKING", "annotations", "import_module"}  # imports of this module
    return sorted({*globals(), *_PLACES} - own)
