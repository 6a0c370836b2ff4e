from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended

Cli = Callable[..., Ended]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "of_user" / "config.toml"
    monkeypatch.setenv("LTBENCH_CONFIG", str(path))
    return path


def test_a_cluster_is_described_once(cli: Cli, path: Path) -> None:
    assert cli("config", "path").out.strip() == str(path)
    assert "empty" in cli("config", "show").out
    for key, value in {"name": "slurm", "partition": "gpu", "cpus": "8", "time": "90"}.items():
        ended = cli("config", "set", f"executor.{key}", value)
        assert ended.code == 0, ended.err
    expected = {"name": "slurm", "partition": "gpu", "cpus": 8, "time": "90"}
    assert cli("config", "show", "--json").json == {"path": str(path), "executor": expected}
    assert 'partition = "gpu"' in cli("config", "show").out
    Path("grid.toml").write_text("[defaults]\nseed = 0\n[executor]\npartitoin = 'long'\n")
    refused = cli("grid", "run", "grid.toml")
    assert refused.code == 2
    assert "executor.partitoin: is not an option of executor 'slurm'" in refused.err
    assert "grid.toml)" in refused.err


def test_options_are_of_one_executor(cli: Cli, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[executor]\nname = 'slurm'\npartition = 'gpu'\ntime = '90'\ncpus = 2\n")
    before = path.read_text()
    Path("grid.toml").write_text("[defaults]\nseed = 0\n")
    ran = cli("grid", "run", "grid.toml", "--executor", "local", "--set", "executor.wrong=1")
    assert "executor.wrong: is not an option of executor 'local'" in ran.err
    assert "partition" not in ran.err  # options of another executor do not count
    for change in (("set", "executor.name", "local"), ("unset", "executor.name")):
        refused = cli("config", *change)
        assert refused.code == 2
        assert "is not an option of executor 'local'" in refused.err
        assert "unset executor.partition executor.time executor.cpus" in refused.err
    assert path.read_text() == before
    removed = cli("config", "unset", *(f"executor.{key}" for key in ("partition", "time", "cpus")))
    assert removed.code == 0, removed.err
    assert path.read_text() == "[executor]\nname = 'slurm'\n"
    assert cli("config", "set", "executor.name", "local").code == 0
    assert cli("config", "unset", "executor.name").code == 0
    assert cli("config", "unset", "executor.name").code == 2
    assert cli("config", "unset", "name").code == 2


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("partition", "gpu", "expected executor.name or executor.OPTION"),
        ("executor.name", "slrum", "slrum"),
        ("executor.partition", "gpu", "is not an option of executor 'local'"),
    ],
)
def test_what_is_set_is_checked(cli: Cli, path: Path, key: str, value: str, said: str) -> None:
    refused = cli("config", "set", key, value)
    assert refused.code == 2
    assert said in refused.err
    assert not path.exists()
