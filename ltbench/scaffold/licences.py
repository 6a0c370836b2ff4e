"""Licences of new packages."""

from __future__ import annotations

LICENCES = {"mit": "MIT", "apache-2.0": "Apache-2.0", "bsd-3-clause": "BSD-3-Clause"}
"""Names on the command line and their SPDX identifiers; `templates/licences` has the texts."""
