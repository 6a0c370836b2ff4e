"""Files, locks, checksums and cached arrays on the disk."""

from __future__ import annotations
