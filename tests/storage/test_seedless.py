from __future__ import annotations

from pathlib import Path

from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs, group
from tests.runs import UNTRAINED, spec_of, store


def test_one_run_of_zero_shot_is_all_of_it(registry: Registry, tmp_path: Path) -> None:
    store(tmp_path, spec_of(registry, method="zero_shot", seed=3), changed=UNTRAINED)
    (cell,) = find_runs([tmp_path]).cells()
    assert cell.seedless
    assert (cell.seeds, cell.repeats) == ((3,), ())


def test_equal_results_of_several_seeds_are_shown_as_one(
    registry: Registry, tmp_path: Path
) -> None:
    for seed in (2, 0, 1):
        spec = spec_of(registry, method="zero_shot", seed=seed)
        store(tmp_path, spec, changed=UNTRAINED, noise_seed=0)
    found = find_runs([tmp_path])
    (cell,) = found.cells()
    assert len(found.runs) == 3
    assert cell.seedless
    assert cell.seeds == (0,)
    assert [run.seed for run in cell.repeats] == [1, 2]
    assert group(cell.repeats)[0].seedless


def test_other_runs_are_those_of_their_seeds(registry: Registry, tmp_path: Path) -> None:
    random = {"backbone": "open_clip", "backbone__model": "ViT-S-32-alt", "backbone__tag": None}
    for number, settings in enumerate(
        ({"method": "tip_adapter"}, {"method": "zero_shot", **random}, {"method": "lora"})
    ):
        out = tmp_path / str(number)
        for seed in range(2):
            changed = None if settings["method"] == "lora" else UNTRAINED
            store(out, spec_of(registry, **settings, seed=seed), changed=changed)
        (cell,) = find_runs([out]).cells()
        assert not cell.seedless
        assert cell.seeds == (0, 1)
        assert not group(cell.runs[:1])[0].seedless
