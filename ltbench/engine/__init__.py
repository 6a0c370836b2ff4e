"""Engine: a run from its choices to its result; imports torch."""

from __future__ import annotations
