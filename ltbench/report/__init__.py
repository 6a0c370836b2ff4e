"""Reports: an HTML page about a set of stored runs, with figures and tables for papers."""

from __future__ import annotations
