from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ltbench_plugins
from ltbench.errors import PluginError
from ltbench.late import LateSpec, late_specs
from ltbench.registry.component import PluginInfo
from ltbench.registry.components import Components
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS, ComponentSpec
from tests.registry.test_registry import Folder, folder

__all__ = ["folder"]  # a fixture

MODULE = """
from ltbench import LossSpec
LISTED = [LossSpec(name="mine", summary="a loss", build=lambda config, ctx: None)]
NOT_A_LOSS = 3
"""
PLUGIN = """
from ltbench import hookimpl, late_specs

@hookimpl
def ltbench_register_losses():
    return late_specs("strange_package", "mine")
"""
INFO = PluginInfo("strange", "strange_package", "strange", "1")


@pytest.fixture
def losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Components]:
    package = tmp_path / "strange_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "mine.py").write_text(MODULE)
    (package / "broken.py").write_text("\n1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    components = Components("loss")
    yield components
    for name in ("strange_package", "strange_package.mine"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def register(losses: Components, *names: str, default: str = "") -> None:
    for late in late_specs("strange_package", *names, default=default):
        losses.register(late, INFO)


def test_a_name_is_known_before_the_import(losses: Components) -> None:
    register(losses, "broken", "mine")
    assert (list(losses), len(losses), "mine" in losses) == (["broken", "mine"], 2, True)
    assert losses["mine"].spec.summary == "a loss"
    assert losses["mine"] is losses["mine"]


def test_a_copy_is_changed_alone(losses: Components) -> None:
    register(losses, "mine", default="mine")
    copied = losses.copy()
    register(copied, "other")
    assert (list(losses), list(copied), copied.default) == (["mine"], ["mine", "other"], "mine")


@pytest.mark.parametrize(
    ("late", "fault"),
    [
        (LateSpec("broken", "strange_package.broken"), "cannot be imported: ZeroDivisionError"),
        (LateSpec("other", "strange_package.mine"), "strange_package.mine has no such spec"),
        (LateSpec("mine", "strange_package.mine", True), "disagree on the default"),
        (LateSpec("mine", "strange_package.none"), "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_an_error_names_component_and_plugin(
    losses: Components, late: LateSpec, fault: str
) -> None:
    losses.register(late, INFO)
    with pytest.raises(PluginError) as caught:
        losses[late.name]
    assert caught.value.message.startswith(f"loss '{late.name}' of plugin {INFO}")
    assert fault in caught.value.message


def test_a_name_and_a_default_are_taken_once(losses: Components) -> None:
    register(losses, "mine", default="mine")
    with pytest.raises(PluginError, match="'mine' is already registered by strange"):
        register(losses, "mine")
    with pytest.raises(PluginError, match="declared as the default, and so is 'mine' of strange"):
        register(losses, "other", default="other")
    losses.drop(INFO)
    assert (losses == {}, losses.default) == (True, "")


def test_modules_of_another_package_are_imported_while_it_is_guarded(
    losses: Components, folder: Folder
) -> None:
    assert folder.load(late=PLUGIN).find("loss", "mine").plugin.name == "late"
    (failure,) = folder.load(later=PLUGIN.replace('"mine"', '"broken"')).failures
    assert "loss 'broken'" in failure.error
    assert "ZeroDivisionError" in failure.error


def test_every_spec_of_ours_is_registered(registry: Registry) -> None:
    found = set()
    for kind in KINDS.values():
        package = importlib.import_module(f"{ltbench_plugins.__name__}.{kind.plural}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for value in vars(importlib.import_module(module.name)).values():
                for spec in value if isinstance(value, list | tuple) else (value,):
                    if isinstance(spec, ComponentSpec):
                        found.add((spec.kind, spec.name))
    registered = {(kind, name) for kind, named in registry.components.items() for name in named}
    assert found == registered
