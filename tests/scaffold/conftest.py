from __future__ import annotations

import pytest

from tests.scaffold.packages import Fresh


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    return Fresh.write(tmp_path_factory.mktemp("fresh"))
