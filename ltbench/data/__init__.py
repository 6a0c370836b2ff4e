"""Data sets: what they hold, how images are read, and how batches of views are made.

Importing this loads no torch; `ltbench.data.batches` and `ltbench.data.resample` do.
"""

from __future__ import annotations

from ltbench.data.dataset import Dataset, Split
from ltbench.data.lists import git_blob_sha1, read_list
from ltbench.data.longtail import exponential_counts, select_counts
from ltbench.data.sources import ArrayImages, FileImages, ImageSource

__all__ = [
    "ArrayImages",
    "Dataset",
    "FileImages",
    "ImageSource",
    "Split",
    "exponential_counts",
    "git_blob_sha1",
    "read_list",
    "select_counts",
]
