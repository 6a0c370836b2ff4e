from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.config.user_file import UserConfig, user_file
from ltbench.errors import ConfigError

TEXT = """# my cluster
[executor]
name = "slurm"   # of the institute
partition = "gpu"
setup = '''
module load cuda
'''
"""


def test_the_file_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_file().name == "no-config.toml"
    monkeypatch.setenv("LTBENCH_CONFIG", "~/mine.toml")
    assert user_file() == Path.home() / "mine.toml"
    monkeypatch.delenv("LTBENCH_CONFIG")
    assert user_file().name == "config.toml"


def test_other_lines_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert UserConfig.read(path).executor == {}
    config = UserConfig.read(path).with_executor("name", "slurm").with_executor("cpus", 8)
    assert config.text == '[executor]\ncpus = 8\nname = "slurm"\n'
    path.write_text(TEXT)
    config = UserConfig.read(path)
    assert config.executor["setup"] == "module load cuda\n"
    changed = config.with_executor("partition", "long").with_executor("time", "1-0")
    assert changed.text == TEXT.replace('"gpu"', '"long"').replace(
        "[executor]\n", '[executor]\ntime = "1-0"\n'
    )
    with pytest.raises(ConfigError, match=r"executor\.setup cannot be changed in its line") as no:
        config.with_executor("setup", "true")
    assert no.value.hint == f"edit {path}, line 5"


def test_a_key_is_removed_with_its_line(tmp_path: Path) -> None:
    config = UserConfig.parsed(tmp_path / "config.toml", TEXT)
    assert config.without_executor("partition").text == TEXT.replace('partition = "gpu"\n', "")
    with pytest.raises(ConfigError, match=r"executor\.setup cannot be changed in its line"):
        config.without_executor("setup")
    with pytest.raises(ConfigError, match=r"there is no key 'executor\.partitoin'") as no:
        config.without_executor("partitoin")
    assert "partition" in no.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "is not TOML"),
        ("[executer]\n", "there is no key 'executer'"),
        ("executor = 'slurm'\n", "executor: expected a table"),
    ],
)
def test_faults_name_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        UserConfig.read(path)
    assert str(path) in caught.value.message
    with pytest.raises(ConfigError, match="cannot be read"):
        UserConfig.read(tmp_path)
