"""The licences that a new package may be put under."""

from __future__ import annotations

LICENCES = {"mit": "MIT", "apache-2.0": "Apache-2.0", "bsd-3-clause": "BSD-3-Clause"}
"""As the user types them, and their SPDX identifiers; `templates/licences` has their texts."""
