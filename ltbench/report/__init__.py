"""Reports: one HTML page of a set of stored runs, and its figures and tables for papers."""

from __future__ import annotations
