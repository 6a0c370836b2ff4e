from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.scaffold.names import as_distribution, as_name, name_faults
from tests.strangers import install


@pytest.mark.parametrize("name", ["my_method", "my-method", "m2", "a" * 40])
def test_good_names(name: str, registry: Registry) -> None:
    assert name_faults(name, "method", registry) == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("MyMethod", "not in snake_case, such as my_method"),
        ("my method!", "not in snake_case, such as my_method"),
        ("my__method", "not in snake_case, such as my_method"),
        ("2d", "'2d' is not in snake_case"),
        ("", "'' is not in snake_case"),
        ("../x", "not in snake_case, such as x"),
        ("ümlaut", "not in snake_case"),
        ("a" * 41, "at most 40 characters"),
        ("lambda", "a keyword of Python"),
        ("json", "Python's standard library"),
        ("lora", "method 'lora' already exists in plugin builtin_methods"),
        ("builtin_losses", "plugin 'builtin_losses' already exists"),
        ("torch", "module 'torch' is already installed"),
        ("ltbench", "module 'ltbench' is already installed"),
        ("scikit-learn", "package 'scikit-learn' is already installed"),
    ],
)
def test_bad_names(name: str, fault: str, registry: Registry) -> None:
    (found,) = name_faults(name, "method", registry)
    assert found.startswith("NAME: ")
    assert fault in found


def test_a_name_may_be_that_of_another_kind(registry: Registry) -> None:
    assert name_faults("focal", "method", registry) == []
    assert name_faults("focal", "loss", registry) != []


def test_the_name_of_a_plugin_that_failed_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "fails", "raise RuntimeError")
    (fault,) = name_faults("fails", "method", load_plugins())
    assert "plugin 'fails' already exists" in fault


def test_names_of_modules_and_distributions() -> None:
    assert (as_name("my-method"), as_distribution("my_method")) == ("my_method", "my-method")
