"""Functions for scripts and notebooks: what `ltbench` exports besides the plugin contract."""

from __future__ import annotations
