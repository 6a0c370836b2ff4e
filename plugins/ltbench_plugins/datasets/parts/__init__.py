"""What the data sets are made of: one idea a module, none of them a component."""

from __future__ import annotations
