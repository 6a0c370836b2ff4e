"""Export of trained models for use without ltbench: programs, library formats, model cards."""

from __future__ import annotations
