"""Data sets: what they hold, how images are read, and how batches of views are made.

Importing this loads no torch; `ltbench.data.batches` and `ltbench.data.resample` do.
"""

from __future__ import annotations

from ltbench.data.content import (
    DigestRule,
    Digests,
    combined_digest,
    content_digest,
    file_digests,
    file_stamp,
    remembered_digests,
)
from ltbench.data.dataset import Dataset, Split
from ltbench.data.decode import decode
from ltbench.data.digest_table import DIGEST_BYTES
from ltbench.data.lists import git_blob_sha1, list_identity, parse_list, read_list
from ltbench.data.longtail import (
    counts_rule,
    exponential_counts,
    make_lt,
    pareto_counts,
    select_counts,
)
from ltbench.data.prepare import Preparation
from ltbench.data.repeats import RepeatRule, without_repeats
from ltbench.data.sources import ArrayImages, FileImages, ImageSource, Subset, subset

__all__ = [
    "DIGEST_BYTES",
    "ArrayImages",
    "Dataset",
    "DigestRule",
    "Digests",
    "FileImages",
    "ImageSource",
    "Preparation",
    "RepeatRule",
    "Split",
    "Subset",
    "combined_digest",
    "content_digest",
    "counts_rule",
    "decode",
    "exponential_counts",
    "file_digests",
    "file_stamp",
    "git_blob_sha1",
    "list_identity",
    "make_lt",
    "pareto_counts",
    "parse_list",
    "read_list",
    "remembered_digests",
    "select_counts",
    "subset",
    "without_repeats",
]
