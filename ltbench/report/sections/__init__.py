"""The parts of a report, each made from stored runs."""

from __future__ import annotations
