from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.registry.registry import Registry
from tests.grid.grids import Folder


@pytest.fixture
def folder(tmp_path: Path, registry: Registry) -> Folder:
    return Folder(tmp_path, registry)
