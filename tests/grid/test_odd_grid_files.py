"""Grid files that no person writes: one short error each, and soon."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ltbench.errors import ConfigError
from ltbench.grid.grid_file import read_grid
from ltbench.grid.grid_tables import MAX_FILE_BYTES
from ltbench.registry.registry import Registry

LONG = "x" * 1_000_000
MANY = ", ".join(map(str, range(1, 3001)))


def refused(registry: Registry, path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_grid(path, registry, path.parent)
    said = f"{caught.value.message}\n{caught.value.hint}"
    assert len(said) < 1_900
    assert path.name in said
    return said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[defaults]\nmethod = 3", "method: expected a name, got 3"),
        ("[defaults]\nmethod = true", "method: expected a name, got True"),
        ("[defaults]\ndataset = 2020-01-01", "dataset: expected a name, got datetime.date"),
        ("[defaults]\nloss = [['ce']]", "loss: expected a name, got ['ce']"),
        ("[defaults]\ntrain.lr = [nan, inf]", "expected a finite number, got inf"),
        ("[defaults]\nseed = 10:00:00", "seed: expected whole number"),
        (f"[defaults]\nseed = {'9' * 5000}", "too many digits"),
        (f"[defaults]\nseed = 0x{'f' * 5000}", "got a whole number of too many digits"),
        (f"[defaults]\ntrain.lr = 0x{'f' * 5000}", "train.lr: expected"),
        (f"[defaults]\nmethod = '{LONG}'", "(1,000,000 characters)"),
        (f"[defaults]\n{LONG} = 1", "there is no such key"),
        (f"[defaults]\nmethod = 'lora'\n'method.{LONG}' = 1", "is not an option of method 'lora'"),
        (f"[defaults]\nmethod = 'lora'\n'method.dim' = '{LONG}'", "method.dim: expected"),
        ("[defaults]\n'' = 1", '"": there is no such key'),
        ("name = '\\u001b'\n[defaults]\nseed = 1".replace("'", '"'), "name: expected a string of"),
        (f"[defaults]\nmethod = 'loraa'\ntrain.lr = [{MANY}]", "2,000 runs were not checked"),
        (f"[defaults]\nmethod = [{MANY}]", "its other 2,980 runs were not checked"),
        (f"[defaults]\nseed = [{MANY}]\ntrain.lr = [{MANY}]", "it has 9,000,000 runs"),
        ("[defaults]\nseed = 1\n" + "[[exclude]]\nseed = 2\n" * 1001, "at most 1,000 patterns"),
        ("[defaults]\ndataset = 'csv'\n'dataset.path' = \"a\\u0000\"", "dataset.path: expected"),
    ],
)
def test_odd_values_end_in_one_short_error(
    text: str, said: str, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "odd.toml").write_text(text)
    assert said in refused(registry, tmp_path / "odd.toml")


def test_a_file_that_is_none_is_not_opened(registry: Registry, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.toml")
    assert "Not a regular file" in refused(registry, tmp_path / "fifo.toml")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "larger than" in refused(registry, tmp_path / "huge.toml")
    assert "cannot be read" in refused(registry, tmp_path / ("n" * 300 + ".toml"))


def test_a_byte_order_mark_and_line_ends_of_windows_are_read(
    registry: Registry, tmp_path: Path
) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes(b'\xef\xbb\xbf[defaults]\r\nmethod = "lora"\r\nseed = [1, 2]\r\n')
    assert len(read_grid(path, registry, tmp_path).runs) == 2


def test_runs_without_their_data_differ_by_its_path(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text("[defaults]\ndataset = 'csv'\n'dataset.path' = ['a.csv', 'b.csv']\n")
    assert len(read_grid(path, registry, tmp_path).cells) == 2
