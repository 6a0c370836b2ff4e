"""Survey of a folder of images before it becomes a data set."""

from __future__ import annotations
