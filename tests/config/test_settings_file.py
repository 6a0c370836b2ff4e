from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltbench.config.resolve import resolve
from ltbench.config.settings_file import SettingsFile, as_settings_file, read_settings_file
from ltbench.config.text import Text, from_toml, to_toml
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry


def written(tmp_path: Path, text: str) -> SettingsFile:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings_file(path)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "lora", "method.targets": ["q"], "method.dim": 4, "seed": 3, "train.lr": 1e-05},
        {"method": "zero_shot", "select": "val"},
        {"method": "crt", "loss": "ldam", "split": "val", "optimizer": "adamw"},
        {"method": "vpt", "schedule": "linear", "augmentation": "randaugment"},
        {"method": "linear_probe", "precision": "bf16", "init": "random"},
        {"method": "full", "method.layers": [0, 1], "init.template": 'a "big" \\ {} é\t\x7f😀'},
        {"backbone": "timm", "backbone.model": "test_vit", "init": "random"},
    ],
    ids=lambda settings: settings.get("method", "default"),
)
def test_a_printed_file_makes_the_same_run(
    registry: Registry, tmp_path: Path, settings: dict[str, Any]
) -> None:
    identify = "backbone" not in settings
    first = resolve(registry, settings, tmp_path, identify=identify)
    text = as_settings_file(first)
    file = written(tmp_path, text)
    second = resolve(registry, file.settings, tmp_path, identify=identify)
    assert second.spec == first.spec
    assert second.spec.hash == first.spec.hash
    assert f"# Run {first.spec.hash}" in text
    assert as_settings_file(second).count("# user") > 20


def test_tables_and_dotted_keys_are_the_same(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'method = "lora"\nmethod.dim = 4\ntrain.lr = 0.1\nloss.table = { b = "none" }\n'
        '[schedule.inner]\na = 1\n[tracker.csv]\npath = "x"\n[method]\nalpha = 2\n',
    )
    assert file.settings == {
        "method": "lora",
        "method.dim": 4,
        "train.lr": 0.1,
        "loss.table": {"b": "none"},
        "schedule.inner.a": 1,
        "tracker.csv.path": "x",
        "method.alpha": 2,
    }
    assert isinstance(file.settings["loss.table"]["b"], Text)


def test_a_key_that_is_set_twice_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 3: train\.lr is set twice, first in line 1"):
        written(tmp_path, '"train.lr" = 1\n[train]\nlr = 2\n')


def test_the_table_of_a_component_stands_below_its_name(tmp_path: Path) -> None:
    file = written(tmp_path, 'method = "lora"\n[method]\ndim = 2\n')
    assert file.settings == {"method": "lora", "method.dim": 2}


def test_settings_on_top_replace_those_of_the_file() -> None:
    file = SettingsFile(
        Path("f"),
        {
            "method": "lora",
            "method.dim": 4,
            "loss": "ce",
            "schedule.a": {"b": 1},
            "schedule.a.c": 2,
        },
    )
    assert file.under({"loss": "ce", "seed": 1}) == {**file.settings, "seed": 1}
    assert file.under({"method": "full"}).keys() == {
        *("method", "loss", "schedule.a", "schedule.a.c")
    }
    assert file.under({"method.dim": Text("8")})["method.dim"] == "8"
    assert "schedule.a.c" not in file.under({"schedule.a": {}})


def test_faults_of_the_file_name_it(registry: Registry, tmp_path: Path) -> None:
    file = written(
        tmp_path, 'method = "lora"\n"method.dum" = 4\nseed = -1\nloss = "see"\nfoo.bar = 1\n'
    )
    given = {"train.lr": Text("x"), "seed": Text("y")}
    with pytest.raises(ConfigError) as error, file.naming_faults(given):
        resolve(registry, file.under(given), tmp_path, ["--set z: fault"])
    faults = error.value.faults
    assert len(faults) == 6
    named = {fault.partition(f" ({file.path}, ")[::2] for fault in faults if "run.toml" in fault}
    assert {(fault.partition(":")[0], line) for fault, line in named} == {
        ("method.dum", "line 2)"),
        ("there is no loss 'see'", "line 4)"),
        ("foo.bar", "line 5)"),
    }
    assert not any("run.toml" in fault for fault in faults if fault.startswith(("seed", "train")))


@pytest.mark.parametrize(
    "content",
    [None, b"a = ", b"\xff", b"x = [" * 200, b"a = 1\na = 2\n"],
    ids=["missing", "syntax", "encoding", "depth", "twice"],
)
def test_a_file_that_is_no_toml_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.toml (cannot be read|is not TOML)"):
        read_settings_file(path)


def test_no_file_has_no_settings(registry: Registry, tmp_path: Path) -> None:
    file = read_settings_file(None)
    assert file.under({"seed": 1}) == {"seed": 1}
    with pytest.raises(ConfigError, match="there is no such key"), file.naming_faults({}):
        resolve(registry, {"nix": 1}, tmp_path)


@pytest.mark.parametrize(
    "value", ["", 'a"b\\c', "\x00\x1f\x7f\x80\u2028", "😀é", [1, ["x"]], {"a b": {"c": 0.5}}, True]
)
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    assert from_toml(to_toml(value)) == value
