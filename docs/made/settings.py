"""The reference page of configuration keys."""

from __future__ import annotations

from dataclasses import fields

from docs.made.markup import cell, table
from ltbench.config.options import as_typed, describe_options
from ltbench.config.runspec import RunConfig, TrainConfig
from ltbench.grid import grid_tables
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS, SPECS

_INTRODUCTION = """# Configuration keys

A setting is a dotted key and a value: `--set KEY=VALUE` on the command line, `KEY = VALUE` in a
grid file. Values are written as in TOML; texts need no quotes on the command line, and `none`
means no value. [How ltbench is built](../design.md#settings-and-the-hash) has the order of
defaults, recipes and settings; `ltbench run --dry-run` prints the origin of each setting of a run.
Made from the code by `make docs`: do not edit.
"""
_GRID = {
    "name": "text; default: the file's name",
    "defaults": "table of settings of every run; a list is an axis",
    "include": "tables `[[include]]`: all combinations of their axes and those of the defaults",
    "exclude": "tables `[[exclude]]`: patterns of excluded runs; a list means any of its values",
    "executor": "table `[executor]`: name and options of the executor (`ltbench docs cluster`)",
}
_VARIABLES = {
    "LTBENCH_DATA": "folder of the data sets, if `--data-root` is not given",
    "LTBENCH_LISTS": "folder or mirror of split lists, if `--lists` is not given",
    "LTBENCH_DISABLE_PLUGINS": "entry points that are not loaded, separated by commas",
    "LTBENCH_CONFIG": "the user's configuration file (`ltbench config`)",
    "LTBENCH_CACHE_DIR": "folder of the features and images of runs, if `--cache-dir` is not given",
    "LTBENCH_CACHE": "folder of digests of images and of verdicts on plugins",
    "HF_HUB_OFFLINE": "1: no weights are downloaded",
    "OMP_NUM_THREADS": "threads of each run on a CPU; another number changes the last bits",
}


def settings_page(registry: Registry) -> str:
    """Returns the page of all keys that are not options of a component."""
    assert _GRID.keys() == set(grid_tables.KEYS)
    kinds = [
        (f"`{kind}`", cell(_summary(kind)), f"[{spec.plural}](../components.md#{spec.plural})")
        for kind, spec in SPECS.items()
    ]
    others = [
        (f"`{kind}`", cell(_summary(kind)), f"[{spec.plural}](../components.md#{spec.plural})")
        for kind, spec in KINDS.items()
        if kind not in SPECS
    ]
    parts = [
        _INTRODUCTION,
        "## Components of a run\n\nThe name of a component; its options are `KIND.OPTION`.\n",
        table(("key", "", "names and options"), kinds),
        "\nNot part of a run or of a hash:\n",
        table(("kind", "", "names and options"), others),
        "\n## The run\n",
        _keys(RunConfig, ""),
        "\n## The training\n",
        _keys(TrainConfig, "train."),
        "\n## Grid files\n\n[Grids](../grids.md) has an example and the rules.\n",
        table(("key", ""), [(f"`{key}`", about) for key, about in _GRID.items()]),
        "\n## Environment variables\n",
        table(("variable", ""), [(f"`{key}`", about) for key, about in _VARIABLES.items()]),
    ]
    return "\n".join(parts) + "\n"


def _summary(kind: str) -> str:
    return (KINDS[kind].__doc__ or "").split(" `build")[0].splitlines()[0]


def _keys(config: type, prefix: str) -> str:
    assert fields(config)
    rows = [
        (
            f"`{prefix}{one.name}`",
            cell(one.type),
            f"`{as_typed(one.default)}`",
            cell(one.help),
        )
        for one in describe_options(config)
    ]
    return table(("key", "value", "default", ""), rows)
