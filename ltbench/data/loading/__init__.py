"""Loading of batches: decode caches, crops, resizing, worker processes."""

from __future__ import annotations
