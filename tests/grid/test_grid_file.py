from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ltbench.config.resolve import resolve
from ltbench.errors import ConfigError
from ltbench.grid.grid_file import Grid, read_grid
from ltbench.registry.registry import Registry

Read = Callable[[str], Grid]
ROOT = Path(__file__).parents[2]
GRIDS = sorted((ROOT / "plugins" / "ltbench_plugins" / "grids").rglob("*.toml"))


@pytest.fixture
def read(registry: Registry, tmp_path: Path) -> Read:
    def reading(text: str) -> Grid:
        path = tmp_path / "some.toml"
        path.write_text(text, encoding="utf-8")
        return read_grid(path, registry, tmp_path / "data")

    return reading


def chosen(grid: Grid, *keys: str) -> list[tuple[Any, ...]]:
    """Returns what each run sets, in order."""
    return [tuple(run.settings.get(key) for key in keys) for run in grid.runs]


def faults(read: Read, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert caught.value.exit_code == 2
    return f"{caught.value.message}\n{caught.value.hint}"


def test_lists_are_axes_and_the_defaults_change_fastest(read: Read) -> None:
    grid = read("""
        [defaults]
        seed = [0, 1]
        [[include]]
        method = ["full", "lora"]
        loss = ["ce", "ldam"]
    """)
    assert chosen(grid, "method", "loss", "seed") == [
        (method, loss, seed) for method in ("full", "lora") for loss in ("ce", "ldam")
        for seed in (0, 1)
    ]  # fmt: skip
    assert [cell.label for cell in grid.cells] == [
        *("full, ce", "full, ldam", "lora, ce", "lora, ldam"),
    ]
    assert grid.name == "some"


def test_the_defaults_alone_are_a_grid(read: Read) -> None:
    grid = read('name = "seeds"\n[defaults]\nseed = [3, 1]\n')
    assert (grid.name, chosen(grid, "seed")) == ("seeds", [(3,), (1,)])
    assert [cell.label for cell in grid.cells] == ["lift_plus"]


def test_an_entry_overrules_the_defaults(read: Read) -> None:
    grid = read("""
        [defaults]
        method = "lora"
        "method.dim" = 4
        train.lr = 0.01
        [[include]]
        [[include]]
        method = ["full", "bitfit"]
        train = { lr = 0.1, epochs = 2 }
    """)
    assert chosen(grid, "method", "method.dim", "train.lr", "train.epochs") == [
        ("lora", 4, 0.01, None),
        ("full", None, 0.1, 2),  # another method has no dim
        ("bitfit", None, 0.1, 2),
    ]
    assert [cell.label for cell in grid.cells] == [
        "lora, method.dim=4, train.lr=0.01",
        "full, train.lr=0.1, train.epochs=2",
        "bitfit, train.lr=0.1, train.epochs=2",
    ]


def test_options_are_written_like_other_settings(read: Read) -> None:
    """Dotted keys, keys in quotes and tables of a component are the same."""
    written = (
        'method = "lora"\nmethod.dim = [1, 4]',
        'method = "lora"\n"method.dim" = [1, 4]',
        'method.dim = [1, 4]\nmethod = "lora"',
        'method = "lora"\n[defaults.method]\ndim = [1, 4]',
    )
    for text in written:
        grid = read(f"[defaults]\n{text}\n")
        assert [cell.label for cell in grid.cells] == ["method.dim=1", "method.dim=4"]
        assert chosen(grid, "method", "method.dim") == [("lora", 1), ("lora", 4)]
    (run,) = read('include = [{ method = "lora", method.dim = 2, train.lr = 0.1 }]').runs
    assert run.resolved.spec.method.options["dim"] == 2


def test_every_fault_names_its_line(read: Read) -> None:
    said = faults(
        read,
        """[defaults]
        seed = [0, -1]
        dataset = "digitslt"
        train.epochs = "many"
        [[include]]
        method = ["lora", "fulll"]
        method.dimm = 4
        [[include]]
        loss = "cee"
        [[include]]
        inference.x = 1
        sed = 1
        """,
    )
    for fault, line in (
        ("defaults: there is no dataset 'digitslt'", 3),
        ("defaults: seed: expected", 2),
        ("include 1: there is no method 'fulll'", 6),
        ("include 1: method.dimm: is not an option", 7),
        ("include 2: there is no loss 'cee'", 9),
        ("defaults: train.epochs: expected", 4),
        ("include 3: inference.x: is not an option", 11),
        ("include 3: sed: there is no such key", 12),
    ):
        (found,) = [one for one in said.splitlines() if fault in one]
        assert found.endswith(f"(line {line})"), found


def test_a_method_that_does_not_train_ignores_the_training(read: Read) -> None:
    grid = read("""
        [defaults]
        train.epochs = 3
        train.lr = [0.1, 0.2]
        [[include]]
        method = ["zero_shot", "ncm", "lora"]
        [[include]]
        method = "zero_shot"
        refinement = "crt"
        train.epochs = 0
    """)
    assert chosen(grid, "method", "train.epochs", "train.lr") == [
        ("zero_shot", None, None),
        ("ncm", None, None),
        ("lora", 3, 0.1),
        ("lora", 3, 0.2),
        ("zero_shot", 0, 0.1),  # its second stage trains
        ("zero_shot", 0, 0.2),
    ]
    (note,) = grid.notes
    assert note == (
        "include 1: train.epochs, train.lr: ignored for zero_shot, ncm, which do not train"
    )
    said = faults(read, '[defaults]\nmethod = "zero_shot"\nrefinement = "crt"\ntrain.epochs = 2')
    assert "train.epochs: method 'zero_shot' has train.epochs=0, which cannot be changed" in said


def test_quick_looks_are_cells_of_their_own(read: Read) -> None:
    grid = read('[defaults]\nmethod = "lora"\nlimit = ["none", 5]\nfast = [false, true]\n')
    assert [cell.label for cell in grid.cells] == [
        *("limit=none, fast=false", "limit=none, fast=true", "limit=5, fast=false"),
        "limit=5, fast=true",
    ]
    assert [run.resolved.spec.comparable for run in grid.runs] == [True, False, False, False]
    assert (
        grid.runs[0].resolved.spec.hash
        == read('[defaults]\nmethod = "lora"').runs[0].resolved.spec.hash
    )
    assert grid.notes[0].startswith("3 of 4 runs are quick looks")


def test_what_no_seed_changes_is_executed_once(read: Read, registry: Registry) -> None:
    grid = read("""
        [defaults]
        seed = [3, 4]
        [[include]]
        method = ["zero_shot", "lora", "ncm"]
    """)
    assert chosen(grid, "method", "seed") == [
        *(("zero_shot", 0), ("lora", 3), ("lora", 4), ("ncm", 3), ("ncm", 4)),
    ]
    plain = resolve(registry, {"method": "zero_shot"}, Path("data"))
    assert grid.runs[0].resolved.spec.hash == plain.spec.hash
    (note,) = grid.notes
    assert note == "include 1: zero_shot: no seed changes the result; executed once, with seed 0"
    random = 'backbone = "open_clip"\nbackbone.tag = "none"'
    assert len(read(f'[defaults]\nmethod = "zero_shot"\nseed = [0, 1]\n{random}').runs) == 2


def test_a_value_that_is_a_list_is_a_list_in_a_list(read: Read) -> None:
    grid = read("""
        [defaults]
        method = "full"
        "method.layers" = [2, [0, 1], "all"]
    """)
    layers = [run.resolved.spec.method.options["layers"] for run in grid.runs]
    assert layers == [2, [0, 1], "all"]
    said = faults(read, '[defaults]\n"inference.scales" = [1.0, 1.5]\ninference = "multi_scale"')
    assert "inference.scales: expected list of numbers" in said
    assert "a value that is a list is written [[0, 1]]" in said


def test_a_cell_is_what_differs_in_the_seed_alone(read: Read) -> None:
    grid = read("[defaults]\ndata_seed = [4, 7]\nseed = [0, 1]\n")
    assert [cell.label for cell in grid.cells] == ["data_seed=4", "data_seed=7"]
    specs = [[run.resolved.spec.seed for run in cell.runs] for cell in grid.cells]
    assert specs == [[0, 1], [0, 1]]


def test_none_is_a_word(read: Read) -> None:
    (run,) = read('[defaults]\nmethod = "lora"\n"method.dim" = "none"\n').runs
    assert run.resolved.spec.method.options["dim"] is None


def test_excluded_is_what_has_all_of_a_pattern(read: Read) -> None:
    grid = read("""
        [defaults]
        seed = [0, 1, 2]
        [[include]]
        method = ["full", "zero_shot"]
        [[exclude]]
        method = "zero_shot"
        seed = [1, 2]
        [[exclude]]
        train.lr = 0.001    # the recipe of full says so
        seed = 2
    """)
    assert chosen(grid, "method", "seed") == [("full", 0), ("full", 1), ("zero_shot", 0)]


def test_what_is_excluded_need_not_make_sense(read: Read) -> None:
    grid = read("""
        [[include]]
        method = ["lora", "full"]
        "method.dim" = 4
        [[exclude]]
        method = "full"
    """)
    assert chosen(grid, "method") == [("lora",)]


def test_the_same_run_is_run_once_and_told(read: Read) -> None:
    grid = read("""
        [[include]]
        method = ["full", "lora"]
        [[include]]
        method = ["lora", "bitfit"]
        loss = "logit_adjusted"    # the default
    """)
    assert chosen(grid, "method") == [("full",), ("lora",), ("bitfit",)]
    (note,) = grid.notes
    assert note.startswith("include 2: 1 of its 2 runs are included already (by include 1)")


def test_all_faults_of_all_entries_are_shown_together(read: Read) -> None:
    said = faults(
        read,
        """
        [defaults]
        seed = [0, -1]
        [[include]]
        method = ["lift_pluss", "full"]
        [[include]]
        method = "lora"
        "method.dimm" = 4
        train.epochs = "many"
        [[exclude]]
        methd = "full"
        [[exclude]]
        method = "bitfit"
        """,
    )
    for fault in (
        "include 1: there is no method 'lift_pluss'",
        "defaults: seed: expected whole number >= 0 and <= 4294967295, got -1",
        "include 2: method.dimm: is not an option of method 'lora'; did you mean 'dim'?",
        "include 2: train.epochs: expected whole number",
        "exclude 1: no run has 'methd'; did you mean 'method'",
        "exclude 2: no run matches",
        "did you mean 'lift_plus'?",
    ):
        assert fault in said
    assert said.count("include 1: there is no method 'lift_pluss'") == 1  # for both seeds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected [defaults] or [[include]], got neither"),
        ("method = 'full'", "there is no key 'method'"),
        ("defualts = {}", "did you mean 'defaults'?"),
        ("name = 3\n[defaults]\nseed = 0", "name: expected a string"),
        ("[include]\nmethod = 'full'", "expected [[include]], with two brackets"),
        ("defaults = 3", "defaults: expected a table of settings"),
        ("[defaults]\nseed = []", "got an empty list"),
        (
            "[defaults]\ntrain.lr = 1\n'train.lr' = 1",
            "line 3: defaults.train.lr is set twice, first in line 2",
        ),
        ("[defaults]\nexecutor = 'local'", "executor: there is no such key"),
        ("[defaults\n", "is not TOML: line 1: "),
        ("[defaults]\nseed = 1\nseed = 2\n", "line 3: defaults.seed is set twice, first in line 2"),
        ("[defaults]\nseed = 1 2\n", "is not TOML: line 2: "),
        ("[defaults]\nseed = 1\n[[exclude]]\nseed = 1", "all of its runs are excluded"),
        ("[defaults]\nselect = 'test'", "selection on the test set is not offered"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(read: Read, text: str, said: str) -> None:
    assert said in faults(read, text)


def test_a_file_that_is_not_there_is_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_grid(tmp_path / "none.toml", registry, tmp_path)


def test_without_its_data_a_grid_is_checked_all_the_same(read: Read) -> None:
    grid = read('[defaults]\ndataset = "imagenet_lt"\nmethod = ["full", "lora"]\n')
    assert len(grid.cells) == 2
    assert all("imagenet_lt" in str(run.missing) for run in grid.runs)
    assert "there is no loss" in faults(read, '[defaults]\ndataset = "imagenet_lt"\nloss = "cee"\n')


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_grids_that_come_along_make_sense(
    path: Path, registry: Registry, tmp_path: Path
) -> None:
    """Names, options and types, without the data; and each says what it is and what it costs."""
    grid = read_grid(path, registry, tmp_path)
    assert len(grid.runs) > 1
    (comment, *_) = path.read_text(encoding="utf-8").split("\n\n")
    assert all(line.startswith("#") for line in comment.splitlines())
    for said in (f"ltbench grid run {path.parent.name}/{path.stem}", "Cost: ", "Published: "):
        assert said in comment, f"it does not say `{said}`"


def test_the_example_of_the_documentation_is_right(read: Read) -> None:
    page = (ROOT / "docs/grids.md").read_text(encoding="utf-8")
    grid = read(page.split("```toml\n")[1].split("```")[0])
    assert grid.name == "light against full"
    assert [(cell.label, len(cell.runs)) for cell in grid.cells] == [
        ("lora, method.dim=1", 3),
        ("lora, method.dim=4", 3),
        ("adaptformer, method.dim=1", 3),
        ("adaptformer, method.dim=4", 3),
        ("full, train.lr=0.001, train.epochs=5", 1),
        ("full, train.lr=0.005, train.epochs=5", 3),
        ("full, method.layers=[4, 5]", 1),
    ]
