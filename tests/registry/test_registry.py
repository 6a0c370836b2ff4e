from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ltbench.errors import UnknownNameError
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component, PluginInfo
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS

GOOD = """
from ltbench import LossSpec, hookimpl

@hookimpl
def ltbench_register_losses():
    return [LossSpec(name="good_loss", summary="a loss", build=lambda config, ctx: None)]
"""
BROKEN = {
    "raises_at_import": ("1 / 0", "ZeroDivisionError"),
    "raises_in_hook": (GOOD.replace("return [", "raise ValueError('no') or ["), "ValueError: no"),
    "exits_at_import": ("raise SystemExit(0)", "SystemExit: 0"),
    "misspelt_hook": (
        GOOD.replace("register_losses", "register_loses"),
        "did you mean 'ltbench_register_losses'",
    ),
    "unmarked_hook": (GOOD.replace("@hookimpl\n", ""), "implements no hook"),
    "summary_is_no_text": (GOOD.replace('"a loss"', "None"), "one line of text"),
    "wrong_return": (GOOD.replace("[LossSpec", "['x'] or [LossSpec"), "not a component spec"),
    "bad_name": (GOOD.replace("good_loss", "Good-Loss"), "not snake_case"),
    "config_is_no_dataclass": (
        GOOD.replace("build=", "config=dict, build="),
        "not a frozen dataclass",
    ),
    "taken_name": (GOOD.replace("good_loss", "ce"), "already registered by builtin_losses"),
    "second_default": (
        GOOD.replace("build=", "default=True, build="),
        "declared as the default",
    ),
    "libraries": (GOOD.replace("build=", "libraries='timm', build="), "not a tuple of names"),
}


PUBLISHED = """
from ltbench import PublishedResult, hookimpl

@hookimpl
def ltbench_published_results():
    return [
        PublishedResult(
            dataset="digits_lt", backbone="clip_tiny", method="lift_plus",
            metrics={"accuracy": 61.5, "few": 40}, source="Doe, 2025", settings={"loss": "ce"},
        )
    ]
"""
BROKEN_PUBLISHED = {
    "unknown_metric": (("few", "fewest"), "metrics: expected one of accuracy, mean_class, many"),
    "above_100": (("61.5", "615"), "accuracy: expected 0 to 100 percent, got 615"),
    "below_0": (("61.5", "-1"), "accuracy: expected 0 to 100 percent, got -1"),
    "not_a_number": (("61.5", "float('nan')"), "accuracy: expected 0 to 100 percent, got nan"),
    "text_for_a_number": (("61.5", "'61.5'"), "accuracy: expected 0 to 100 percent, got '61.5'"),
    "truth_for_a_number": (("61.5", "True"), "accuracy: expected 0 to 100 percent, got True"),
    "no_metrics": (('{"accuracy": 61.5, "few": 40}', "{}"), "expected percent by name, got {}"),
    "no_source": (('"Doe, 2025"', '" "'), "source: expected one line of text, got ' '"),
    "no_method": (('"lift_plus"', "None"), "method: expected one line of text, got None"),
    "settings_are_none": (('{"loss": "ce"}', "None"), "expected values by dotted key, got None"),
    "settings_repeat": (('{"loss"', '{"method"'), "settings: 'method' is a field of its own"),
    "settings_have_a_seed": (('{"loss"', '{"seed"'), "settings: 'seed' is not part of a published"),
    "no_result": (("[\n", "['x'] + [\n"), "a hook returned 'x', which is not a PublishedResult"),
    "broken_late": (("    ]\n", "    ] + [1]\n"), "a hook returned 1"),
}


@dataclass
class Folder:
    path: Path

    def load(self, environ: dict[str, str] | None = None, **sources: str) -> Registry:
        from importlib.metadata import entry_points

        points = list(entry_points(group="ltbench"))
        for name, source in sources.items():
            (self.path / f"{name}_module.py").write_text(source)
            points.append(EntryPoint(name, f"{name}_module", "ltbench"))
        return load_plugins(points, environ or {})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.syspath_prepend(tmp_path)
    return Folder(tmp_path)


def test_built_ins_come_through_entry_points(registry: Registry) -> None:
    assert registry.failures == []
    assert {plugin.distribution for plugin in registry.plugins} == {"ltbench"}
    assert all(registry.components[kind] for kind in KINDS)
    # A run that nobody follows has no tracker.
    assert all(registry.default(kind) for kind in KINDS if kind != "tracker")


def test_a_stranger_s_component_is_found(folder: Folder) -> None:
    component = folder.load(stranger=GOOD).find("loss", "good_loss")
    assert component.plugin.name == "stranger"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_the_rest_works(name: str, folder: Folder) -> None:
    source, expected = BROKEN[name]
    registry = folder.load(**{name: source, "zz_good": GOOD})
    (failure,) = registry.failures
    assert failure.plugin.name == name
    assert expected in failure.error
    assert registry.find("loss", "good_loss").plugin.name == "zz_good"
    assert registry.find("loss", "ce").plugin.name == "builtin_losses"


def test_a_plugin_that_fails_late_leaves_nothing_behind(folder: Folder) -> None:
    source = GOOD.replace("return [", "return [object(), ").replace(
        "[object(), LossSpec", "[LossSpec"
    )
    source = source.replace("lambda config, ctx: None)]", "lambda config, ctx: None), object()]")
    registry = folder.load(half=source)
    assert "good_loss" not in registry.components["loss"]
    assert len(registry.failures) == 1


def test_a_stranger_s_published_result_is_found(folder: Folder, registry: Registry) -> None:
    found = folder.load(numbers=PUBLISHED).published
    assert len(found) == len(registry.published) + 1
    (mine,) = [item for item in found if item.plugin.name == "numbers"]
    assert mine.result.metrics == {"accuracy": 61.5, "few": 40}
    assert mine.result.run_settings == {
        "dataset": "digits_lt",
        "backbone": "clip_tiny",
        "method": "lift_plus",
        "loss": "ce",
    }


@pytest.mark.parametrize("name", BROKEN_PUBLISHED)
def test_a_broken_published_result_is_named_and_the_rest_works(name: str, folder: Folder) -> None:
    (old, new), expected = BROKEN_PUBLISHED[name]
    assert old in PUBLISHED
    source = PUBLISHED.replace(old, new) + GOOD
    registry = folder.load(**{name: source, "zz_numbers": PUBLISHED})
    (failure,) = registry.failures
    assert failure.plugin.name == name
    assert expected in failure.error
    assert name not in {item.plugin.name for item in registry.published}
    assert "zz_numbers" in {item.plugin.name for item in registry.published}
    assert "good_loss" not in registry.components["loss"]


def test_an_unknown_name_is_answered_with_suggestion_and_failures(folder: Folder) -> None:
    registry = folder.load(sick="1 / 0")
    with pytest.raises(UnknownNameError) as caught:
        registry.find("method", "lift_pluss")
    assert "did you mean 'lift_plus'?" in caught.value.hint
    assert "plugin sick failed to load: ZeroDivisionError" in caught.value.hint


def test_plugins_can_be_left_out(folder: Folder) -> None:
    registry = folder.load({"LTBENCH_DISABLE_PLUGINS": "stranger, builtin_heads"}, stranger=GOOD)
    assert "good_loss" not in registry.components["loss"]
    assert registry.components["head"] == {}


HEAVY = ("torch", "timm", "open_clip", "torchvision", "sklearn", "pandas", "scipy")
NOT_STORED = (  # what no run needs whose result is stored
    *HEAVY,
    *("numpy", "filelock", "tarfile", "concurrent.futures", "multiprocessing", "jinja2", "pyarrow"),
    *("ltbench.engine.run", "ltbench.data.dataset", "ltbench.storage.results", "ltbench.cli.tune"),
    *("ltbench_plugins.losses.ce", "ltbench_plugins.datasets.glyphs_lt"),
)


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], (*HEAVY, "numpy", "ltbench.registry.load", "pydantic")),
        (["list"], HEAVY),
        (["show", "method", "lift_plus"], HEAVY),
        (["run", "--dry-run", "--toml"], NOT_STORED),  # which imports what reads and prints results
    ],
)
def test_light_verbs_load_nothing_heavy(arguments: list[str], heavy: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom ltbench.cli import main\n"
        f"sys.argv = ['ltbench', *{arguments}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.exit(','.join(name for name in {heavy} if name in sys.modules) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_list_works_and_is_empty_without_built_ins(registry: Registry) -> None:
    names = ",".join(plugin.name for plugin in registry.plugins)
    ended = subprocess.run(
        [sys.executable, "-m", "ltbench", "list"],
        capture_output=True,
        text=True,
        env={"LTBENCH_DISABLE_PLUGINS": names},
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "no components: no plugin is loaded")


def test_two_plugins_of_one_name_are_told_apart(folder: Folder) -> None:
    (folder.path / "one_module.py").write_text(GOOD)
    (folder.path / "two_module.py").write_text(GOOD.replace("good_loss", "other_loss"))
    points = [EntryPoint("same", f"{name}_module", "ltbench") for name in ("one", "two")]
    registry = load_plugins(points)
    assert list(registry.components["loss"]) == ["good_loss"]
    assert "its name is taken by plugin same (unknown 0, one_module)" in registry.failures[0].error
    assert registry.manager.has_plugin("same")  # its notifications are called still


def test_a_failure_in_a_plugin_s_other_file_names_that_file(folder: Folder) -> None:
    package = folder.path / "parted"
    package.mkdir()
    (package / "__init__.py").write_text("from parted import inner\n")
    (package / "inner.py").write_text("\n\n1 / 0\n")
    (failure,) = load_plugins([EntryPoint("parted", "parted", "ltbench")]).failures
    assert failure.place == f"{package / 'inner.py'}:3"


CULPRITS = {
    "of the module that it was built in": ("methods", ["method"]),
    "of the plugin whose code it is": ("modules", ["method", "loss"]),
    "of nobody": ("elsewhere.modules", []),
}


@pytest.mark.parametrize("case", CULPRITS)
def test_an_error_deep_in_a_run_is_blamed_on_the_plugin_whose_code_raised_it(
    case: str, folder: Folder
) -> None:
    raised_in, kinds = CULPRITS[case]
    source = "def build(config, ctx):\n    1 / 0\n"
    for name in ("strange.methods", "strange.losses", "strange.modules", "elsewhere.modules"):
        path = folder.path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    plugin = PluginInfo("strange", "strange", "strange", "1.0")
    components = [
        Component(
            KINDS[kind](name=f"my_{kind}", summary="s", build=import_module(module).build), plugin
        )
        for kind, module in (("method", "strange.methods"), ("loss", "strange.losses"))
    ]
    name = raised_in if "." in raised_in else f"strange.{raised_in}"
    with (
        pytest.raises(Exception, match="division by zero") as caught,
        attribute_errors(*components),
    ):
        import_module(name).build(None, None)
    if not kinds:
        assert isinstance(caught.value, ZeroDivisionError)
        return
    who = " or ".join(f"{kind} 'my_{kind}'" for kind in kinds)
    assert str(caught.value).startswith(f"{who} of plugin strange (strange 1.0, strange) raised")
    assert str(caught.value).endswith(f"/{name.replace('.', '/')}.py:2)")


GRIDS = """
from pathlib import Path
from ltbench import hookimpl

@hookimpl
def ltbench_grid_folders():
    return [Path(__file__).parent / "grids"]
"""


def grid_at(folder: Folder, name: str) -> Path:
    path = folder.path / "grids" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[defaults]\nseed = 0\n")
    return path


def test_a_stranger_s_grids_are_found_by_name(folder: Folder) -> None:
    path = grid_at(folder, "rates/low")
    grid = folder.load(with_grids=GRIDS).grids["rates/low"]
    assert grid.path == path
    assert grid.plugin.name == "with_grids"


BROKEN_GRIDS = {
    "grids_taken": (GRIDS, "'digits/methods' is already registered by builtin_grids"),
    "grids_missing": (GRIDS.replace('"grids"', '"girds"'), "not the Path of a directory"),
    "grids_text": (GRIDS.replace("[Path", "['x'] or [Path"), "returned 'x', which is not the Path"),
    "grids_none": (GRIDS.replace('"grids"', '"none"'), "none: expected grid files (*.toml)"),
}


@pytest.mark.parametrize("name", BROKEN_GRIDS)
def test_a_plugin_of_wrong_grids_is_named_and_leaves_none(
    name: str, folder: Folder, registry: Registry
) -> None:
    grid_at(folder, "before")
    grid_at(folder, "digits/methods")
    (folder.path / "none").mkdir()
    source, expected = BROKEN_GRIDS[name]
    loaded = folder.load(**{name: source})
    (failure,) = loaded.failures
    assert expected in failure.error
    assert loaded.grids.keys() == registry.grids.keys()
