"""`python -m ltbench`."""

from __future__ import annotations

import sys

from ltbench.cli import main

sys.argv[0] = "ltbench"  # results record the command, not a path of this machine
main()
