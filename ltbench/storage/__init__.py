"""Run directories: their files, the schema of results, and reading them back."""

from __future__ import annotations
