from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from ltbench.storage.run_lookup import find_directories, find_run, is_hash, store_of
from tests.runs import spec_of, store

OLD = Path(__file__).parent.parent / "data" / "results" / "schema-1-first"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for seed in range(3):
        store(folder, spec_of(registry, seed=seed))
    (folder / "digits_lt" / "broken").mkdir()
    (folder / "digits_lt" / "broken" / "spec.json").write_text("{")
    return folder


def test_a_run_is_found_by_path_or_digits(out: Path, registry: Registry) -> None:
    spec = spec_of(registry, seed=1)
    path = out / "digits_lt" / "clip_tiny" / "lift_plus" / spec.hash
    assert find_run(str(path), Path("elsewhere")) == path
    assert find_run(spec.hash, out) == path
    assert find_run(spec.hash[:6].upper(), out) == path
    assert find_run(str(out / "digits_lt" / "broken"), out).name == "broken"


def test_digits_of_a_hash_are_no_path() -> None:
    assert is_hash("199f5f1adf86")
    assert is_hash("199F")
    assert not any(map(is_hash, ("", "runs", "./199f", "199f5f1adf86a")))


def test_a_folder_with_one_run_is_the_run(tmp_path: Path, registry: Registry) -> None:
    path = store(tmp_path, spec_of(registry))
    assert find_run(str(tmp_path), tmp_path) == path


def test_what_is_no_run_is_explained(out: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="4 are below it"):
        find_run(str(out), out)
    with pytest.raises(ConfigError, match="0 are below it"):
        find_run(str(tmp_path), out)
    with pytest.raises(ConfigError, match="neither a directory nor the beginning of a run's hash"):
        find_run("../x", out)
    with pytest.raises(ConfigError, match="one of the 4 runs"):
        find_run("ffffffffffff", out)
    with pytest.raises(ConfigError, match="one of the 0 runs"):
        find_run("ff", tmp_path / "nothing")


def test_ambiguous_digits_list_the_runs(tmp_path: Path) -> None:
    for name in ("abc000000000", "abc111111111", "abd000000000"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "spec.json").write_text("{")
    assert find_run("abd", tmp_path).name == "abd000000000"
    with pytest.raises(ConfigError, match=r"beginning of 2 hashes: .*abc000000000, .*abc111111111"):
        find_run("abc", tmp_path)


def test_an_early_run_is_found_by_both_hashes() -> None:
    path = OLD / "zero_shot" / "79b81f1e0d84"
    assert find_run("79b8", OLD) == path
    assert find_run("a686", OLD) == path


def test_folders_and_digits_give_each_directory_once(out: Path, registry: Registry) -> None:
    digits = spec_of(registry, seed=1).hash
    assert len(find_directories([digits, str(out), digits], out)) == 4
    with pytest.raises(ConfigError, match="none is below it"):
        find_directories([str(out / "digits_lt" / "clip_tiny"), str(Path(__file__).parent)], out)


def test_the_store_of_a_run(out: Path, tmp_path: Path, registry: Registry) -> None:
    path = find_run(spec_of(registry).hash, out)
    assert store_of(path, Path("elsewhere")) == out
    broken = out / "digits_lt" / "broken"
    assert store_of(broken, out) == out
    assert store_of(broken, tmp_path) == broken.parent
    moved = tmp_path / "moved"
    shutil.copytree(path, moved)
    assert store_of(moved, out) == tmp_path
