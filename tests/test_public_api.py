"""The public API changes on purpose or not at all."""

from __future__ import annotations

import difflib
import inspect

import pluggy
import pytest

import ltbench
from ltbench import hookspecs
from ltbench.registry import api_version as api
from ltbench.registry import registry as plugins
from ltbench.registry.inspect_source import private_imports
from ltbench.registry.load import load_plugins
from ltbench.testing import installed_plugin
from tests.broken import LOSS
from tests.public_api import LISTING, listing

CHANGED = """the public API is not what it was:

{changes}

If that is meant: write it again with `make api`, and tell plugin authors in the section
"Plugin API" of CHANGELOG.md. If something went away or changed its meaning, `VERSION` of
`ltbench.registry.api_version` goes up."""


def test_the_public_api_is_what_it_was() -> None:
    before, after = LISTING.read_text(encoding="utf-8"), listing()
    changes = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "now", n=2)
    assert before == after, CHANGED.format(changes="\n".join(changes))


def test_the_version_is_a_number() -> None:
    assert ltbench.api_version == api.VERSION >= api.OLDEST >= 1


@pytest.mark.parametrize("declared", [None, api.OLDEST, api.VERSION])
def test_versions_that_work(declared: object) -> None:
    assert api.refusal(declared) == ""


@pytest.mark.parametrize("declared", [api.OLDEST - 1, api.VERSION + 1, "1", 1.0, True])
def test_versions_that_do_not(declared: object) -> None:
    assert str(declared) in api.refusal(declared)


@pytest.mark.parametrize(
    "line", ["LTBENCH_API = 99", "LTBENCH_API: int = 99", "locals()['LTBENCH_' + 'API'] = 99"]
)
def test_an_incompatible_plugin_is_refused_before_a_hook_is_called(line: str) -> None:
    source = LOSS.replace("LTBENCH_API = 1", line).replace(
        "    return [", "    1 / 0\n    return ["
    )
    with installed_plugin("later", source):
        (failure,) = load_plugins().failures
    assert "built for version 99" in failure.error


def test_an_import_error_of_an_incompatible_plugin_names_both_facts() -> None:
    source = "LTBENCH_API = 99\nfrom ltbench import NoSuchSpec\n"
    with installed_plugin("later", source) as file:
        (failure,) = load_plugins().failures
    assert "built for version 99" in failure.error
    assert "cannot import name 'NoSuchSpec'" in failure.error
    assert failure.place == f"{file}:2"


def test_an_import_error_before_the_version_is_declared_is_named_alone() -> None:
    source = "from ltbench import NoSuchSpec\nLTBENCH_API = 99\n"
    with installed_plugin("later", source):
        (failure,) = load_plugins().failures
    assert failure.error.startswith("ImportError: cannot import name 'NoSuchSpec'")


@pytest.mark.parametrize(
    ("line", "private"),
    [
        ("import ltbench.storage.run_directory", "ltbench.storage.run_directory"),
        ("import ltbench.storage.run_directory as data", "ltbench.storage.run_directory"),
        ("from ltbench.specs import option", "ltbench.specs"),
        ("from ltbench.storage import run_directory", "ltbench.storage.run_directory"),
        ("from ltbench.data.loading import batches", "ltbench.data.loading.batches"),
        ("def late():\n    from ltbench.engine.run import execute", "ltbench.engine.run"),
        ("from ltbench_plugins.losses import ce", "ltbench_plugins.losses.ce"),
        ("from ltbench.views import _thing", "ltbench.views._thing"),
        ("from ltbench.testing.bench import Bench", "ltbench.testing.bench"),
        ("from ltbench.data import Dataset", ""),
        ("from ltbench import option, __version__, data", ""),
        ("import ltbench.protocols as store", ""),
        ("from ltbench.testing import check_plugin", ""),
        ("from .ltbench import store", ""),
        ("import ltbenchmark.store", ""),
    ],
)
def test_imports_of_what_is_private_are_found(line: str, private: str) -> None:
    with installed_plugin("curious", line) as file:
        found = list(private_imports("curious_plugin"))
    assert [one.name for one in found] == [private] * bool(private)
    assert all(one.place.startswith(f"{file}:") for one in found)


specify = pluggy.HookspecMarker(hookspecs.PROJECT)


class Deprecated:
    """How a hook, and an argument of a hook, go away: the next version still calls them."""

    @specify(warn_on_impl=DeprecationWarning("ltbench_old goes away: implement ltbench_new"))
    def ltbench_old(self) -> None: ...

    @specify(warn_on_impl_args={"extra": DeprecationWarning("extra goes away: it is in run")})
    def ltbench_on_something(self, run: object, extra: object) -> None: ...


@pytest.fixture
def deprecated(monkeypatch: pytest.MonkeyPatch) -> None:
    class Manager(pluggy.PluginManager):
        def __init__(self, project: str) -> None:
            super().__init__(project)
            self.add_hookspecs(Deprecated)

    monkeypatch.setattr(plugins.pluggy, "PluginManager", Manager)


@pytest.mark.usefixtures("deprecated")
@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("ltbench_old()", "ltbench_old goes away: implement ltbench_new"),
        ("ltbench_on_something(run, extra)", "extra goes away: it is in run"),
        ("ltbench_on_something(run)", ""),
    ],
)
def test_deprecated_hooks_work_and_are_named_with_their_place(hook: str, said: str) -> None:
    with installed_plugin("old", f"{LOSS}\n\n@hookimpl\ndef {hook}:\n    pass\n") as file:
        registry = load_plugins()
    assert registry.find("loss", "new_loss")
    assert [one.plugin.name for one in registry.warnings] == ["old"] * bool(said)
    line = file.parent / file.name
    assert all(said in one.text and f"{line}:" in one.text for one in registry.warnings)


def test_hooks_are_documented() -> None:
    hooks = [hook for name, hook in vars(hookspecs).items() if name.startswith("ltbench_")]
    assert all(inspect.getdoc(hook) for hook in hooks)
