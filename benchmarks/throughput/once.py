"""Child process of `process`: runs one measurement and prints its record as JSON."""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    """Runs the measurement that the command line names."""
    _, module, arguments = sys.argv
    found = importlib.import_module(module).run(**json.loads(arguments))
    sys.stdout.flush()
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
