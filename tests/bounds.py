"""Lower bounds of the dependencies: `python -m tests.bounds` lists them as exact versions.

A resolver that is asked for the lowest versions prefers them only: where one conflicts with the
newest release of something else, it takes a higher one without a word. As constraints the bounds
are all there, or there is an error.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def requirements() -> Iterator[Requirement]:
    """Yields the direct dependencies, those of extras included."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    for text in [*project["dependencies"], *(text for extra in extras for text in extra)]:
        requirement = Requirement(text)
        if requirement.name != project["name"]:
            yield requirement


def lower_bound(requirement: Requirement) -> str:
    """Returns the lowest version that a requirement allows.

    Raises:
        ValueError: It has no lower bound, or several.
    """
    lowest = [one.version for one in requirement.specifier if one.operator == ">="]
    if len(lowest) != 1:
        raise ValueError(f"{requirement}: expected one lower bound, got {len(lowest)}")
    return lowest[0]


def main() -> None:
    """Writes the bounds to stdout, in the form of a constraints file."""
    bounds = {requirement.name: lower_bound(requirement) for requirement in requirements()}
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in sorted(bounds.items()))


if __name__ == "__main__":
    main()
