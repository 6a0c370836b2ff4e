"""Builds what a spec names, trains it, evaluates it. Loads torch: import it late."""

from __future__ import annotations
