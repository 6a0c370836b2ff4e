"""`python -m ltbench`."""

from __future__ import annotations

from ltbench.cli import main

main()
