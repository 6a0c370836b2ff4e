"""From a resolved run to its built and checked components."""

from __future__ import annotations
