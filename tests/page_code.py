"""Code blocks of a page of the documentation, executed as a reader would type them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def python_blocks(page: Path) -> list[str]:
    """Returns the blocks of Python code of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def execute_page(page: Path, smaller: Mapping[str, str]) -> dict[str, Any]:
    """Executes all code of a page, one block after the other, and returns its variables.

    Args:
        page: Page of the documentation.
        smaller: Parts of the code and what takes their place, so that runs take seconds; each part
            must be there.
    """
    code = "\n".join(python_blocks(page))
    for part, other in smaller.items():
        assert part in code, f"{page.name} has no {part}"
        code = code.replace(part, other)
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(code, page.name, "exec"), names)
    return names
