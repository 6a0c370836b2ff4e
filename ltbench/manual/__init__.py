"""Manual: the glossary and the pages of the documentation, as the package contains them."""

from __future__ import annotations
