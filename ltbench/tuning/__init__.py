"""Hyper-parameter search: trials of methods on the validation split, and the record of a search."""

from __future__ import annotations
