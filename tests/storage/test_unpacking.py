"""Archives of runs: what is added, what is refused, and what a hostile one can do."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ltbench.config.runspec import hash_of
from ltbench.errors import BusyError, DataError
from ltbench.registry.registry import Registry
from ltbench.storage.packing import pack
from ltbench.storage.results import find_runs
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.tags import write_tags
from ltbench.storage.unpacking import AddedRun, add_pack
from tests.runs import spec_of, store

OLD = Path(__file__).parent.parent / "data" / "results"
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Files:
    """Members of an archive of two runs, by name."""
    folder = tmp_path_factory.mktemp("packed")
    for seed in range(2):
        path = store(folder / "runs", spec_of(registry, seed=seed))
    write_tags(path, {"paper": "table 3"})
    pack(find_runs([folder / "runs"]).runs, folder / "runs.zip")
    with zipfile.ZipFile(folder / "runs.zip") as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def written(files: Files, archive: Path, *, signed: bool = True) -> Path:
    """Writes an archive; its manifest gets the SHA-256 of the files as they are."""
    files = dict(files)
    if signed:
        manifest = json.loads(files["manifest.json"])
        for run in manifest["runs"]:
            for name in run["files"]:
                content = files.get(f"{run['folder']}/{name}", b"")
                run["files"][name] = hashlib.sha256(content).hexdigest()
        files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return archive


def added(archive: Path, out: Path) -> list[AddedRun]:
    done = list(add_pack(archive, out))
    assert not (out / ".adding").exists()
    assert not list(out.glob(".*.part"))
    return done


def first_folder(files: Files) -> str:
    return str(json.loads(files["manifest.json"])["runs"][0]["folder"])


def changed_json(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(content)
    change(value)
    return json.dumps(value).encode()


def test_runs_are_added_with_their_tags(packed: Files, tmp_path: Path) -> None:
    done = added(written(packed, tmp_path / "a.zip"), tmp_path / "new")
    assert [run.is_new for run in done] == [True, True]
    found = find_runs([tmp_path / "new"])
    assert {run.path for run in found.runs} == {run.path for run in done}
    assert [run.tags for run in found.runs if run.tags] == [{"paper": "table 3"}]
    for run in found.runs:
        assert run.path == RunDirectory.of(tmp_path / "new", run.spec).path
        run.predictions()


def test_present_runs_are_left_as_they_are(packed: Files, tmp_path: Path) -> None:
    archive, out = written(packed, tmp_path / "a.zip"), tmp_path / "new"
    added(archive, out)
    (run, _) = find_runs([out]).runs
    write_tags(run.path, {"mine": "x"})
    again = added(archive, out)
    assert [(run.is_new, run.fault) for run in again] == [(False, ""), (False, "")]
    assert find_runs([run.path]).runs[0].tags == {"mine": "x"}


def test_early_runs_are_packed_and_added(tmp_path: Path) -> None:
    old = find_runs([OLD / "schema-1-first", OLD / "schema-2"])
    pack(old.runs, tmp_path / "a.zip")
    done = added(tmp_path / "a.zip", tmp_path / "new")
    assert [run.fault for run in done] == [""] * len(old.runs)
    new = find_runs([tmp_path / "new"]).runs
    assert {run.hash for run in new} == {run.hash for run in old.runs}
    again = added(tmp_path / "a.zip", tmp_path / "new")
    assert not any(run.is_new or run.fault for run in again)


def _seed(value: dict[str, Any]) -> None:
    value["run"]["seed"] = 7
    value["hash"] = hash_of(value["run"])


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "another seed": ("result.json", _seed, "spec.json describes run"),
    "hash": ("result.json", lambda v: v.update(hash="0" * 12), "another run than its hash"),
    "accuracy": ("result.json", lambda v: v["metrics"].update(accuracy=99.0), "contradict"),
    "macro F1": ("result.json", lambda v: v["metrics"].update(macro_f1=99.0), "macro_f1 in"),
    "harmonic": ("result.json", lambda v: v["metrics"].update(harmonic=99.0), "harmonic in"),
    "interval": (
        "result.json",
        lambda v: v["metrics"]["intervals"].update(few=[97.0, 99.0]),
        "intervals in",
    ),
    "no interval": (
        "result.json",
        lambda v: v["metrics"]["intervals"].update(few=None),
        "intervals in",
    ),
    "group": ("result.json", lambda v: v["metrics"]["group_classes"].update(few=3), "group_cl"),
    "images": ("result.json", lambda v: v["metrics"].update(test_images=3), "expected 3"),
    "rule": ("result.json", lambda v: v["metrics"].update(shot_rule="mine"), "shot rule mine"),
    "key": ("result.json", lambda v: v.update(more=1), "more: the key is unknown"),
    "spec": ("spec.json", lambda v: v.update(more=1), "more: the key is unknown"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_run_is_refused_and_the_other_one_added(
    packed: Files, tmp_path: Path, what: str
) -> None:
    name, change, fault = CHANGES[what]
    member = f"{first_folder(packed)}/{name}"
    files = {**packed, member: changed_json(packed[member], change)}
    done = added(written(files, tmp_path / "a.zip"), tmp_path / "new")
    assert [run.is_new for run in done] == [False, True]
    assert fault in done[0].fault
    assert ".adding" not in done[0].fault
    assert len(find_runs([tmp_path / "new"]).runs) == 1


def _manifest(packed: Files, **run: Any) -> Files:
    def change(value: dict[str, Any]) -> None:
        value["runs"][0].update(run)

    return {**packed, "manifest.json": changed_json(packed["manifest.json"], change)}


@pytest.mark.parametrize(
    "folder", ["../x", "/etc", "", "digits_lt", "a/b/../" + "0" * 12, "\0", "\ud800", "x" * 999]
)
def test_a_manifest_reaches_nothing_but_its_runs(
    packed: Files, tmp_path: Path, folder: str
) -> None:
    files = _manifest(packed, folder=folder)
    with pytest.raises(DataError, match=r"not a pack of runs: manifest\.json: runs\.0\.folder: "):
        added(written(files, tmp_path / "a.zip", signed=False), tmp_path / "new")


@pytest.mark.parametrize("method", ["lora", "x" * 300])
def test_what_is_listed_is_there_and_the_reverse(
    packed: Files, tmp_path: Path, method: str
) -> None:
    folder = f"digits_lt/clip_tiny/{method}/{'0' * 12}"
    files = _manifest(packed, folder=folder)
    done = added(written(files, tmp_path / "a.zip", signed=False), tmp_path / "new")
    # The run that is not listed any more is named, too.
    assert [bool(run.fault) for run in done] == [True, False, True]
    assert "not in manifest.json" in done[2].fault


def test_files_are_those_of_the_manifest(packed: Files, tmp_path: Path) -> None:
    folder = first_folder(packed)
    archive, out = tmp_path / "a.zip", tmp_path / "new"

    def fault(files: Files, *, signed: bool = True) -> str:
        shutil.rmtree(out, ignore_errors=True)
        return added(written(files, archive, signed=signed), out)[0].fault

    result = f"{folder}/result.json"
    assert "SHA-256 differs" in fault({**packed, result: b"{}"}, signed=False)
    assert "no such file" in fault({**packed, f"{folder}/learned.safetensors": b"x"})
    assert "no such file" in fault({**packed, f"{folder}/more/result.json": b"x"})
    missing = {name: content for name, content in packed.items() if name != result}
    assert "result.json is missing" in fault(missing)
    only = json.loads(packed["manifest.json"])["runs"][0]["files"]
    del only["predictions-tte.parquet"]
    assert "predictions" in fault(_manifest(packed, files=only))
    assert "no finished run" not in fault(packed)


def test_a_run_elsewhere_than_its_choices_say_is_refused(packed: Files, tmp_path: Path) -> None:
    folder = first_folder(packed)
    moved = folder.replace("digits_lt", "other")
    files = {name.replace(folder, moved): content for name, content in packed.items()}
    done = added(written(_manifest(files, folder=moved), tmp_path / "a.zip"), tmp_path / "new")
    assert done[0].fault == f"{moved} holds the run {folder}"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"x": b""}, "no manifest.json"),
        ({"manifest.json": b"{"}, "not JSON"),
        ({"manifest.json": b'{"schema": 3, "made_with": "x"}'}, "runs: the key is missing"),
        ({"manifest.json": b'{"schema": 9, "made_with": "x", "runs": []}'}, "has schema 9"),
        ({"../evil": b""}, "outside the destination"),
        ({"a\x1b[2J": b""}, "control character"),
    ],
)
def test_what_is_no_pack_is_refused(files: Files, fault: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=fault):
        added(written(files, tmp_path / "a.zip", signed=False), tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {".locks"}


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("manifest.json", b"{}")
        zipped.filelist[0].file_size = 2**28 + 1
    with pytest.raises(DataError, match="unpacks to more than 256 MiB"):
        added(tmp_path / "a.zip", tmp_path / "new")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: Not a regular file"):
        added(tmp_path, tmp_path / "new")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        added(tmp_path / "none.zip", tmp_path / "new")


def test_an_unfinished_run_in_its_place_is_kept(packed: Files, tmp_path: Path) -> None:
    out = tmp_path / "new"
    place = out / first_folder(packed)
    place.mkdir(parents=True)
    (place / "spec.json").write_bytes(packed[f"{first_folder(packed)}/spec.json"])
    archive = written(packed, tmp_path / "a.zip")
    assert "exists and is not finished" in added(archive, out)[0].fault
    with RunDirectory(place).lock(out):
        assert "another process is running" in added(archive, out)[0].fault
    assert [path.name for path in place.iterdir()] == ["spec.json"]


def test_one_process_adds_at_a_time(packed: Files, tmp_path: Path) -> None:
    archive, out = written(packed, tmp_path / "a.zip"), tmp_path / "new"
    first = add_pack(archive, out)
    next(first)
    with pytest.raises(BusyError, match="adding runs"):
        next(add_pack(archive, out))
    assert len(list(first)) == 1


def test_leftovers_of_a_killed_process_are_removed(packed: Files, tmp_path: Path) -> None:
    left = tmp_path / "new" / ".adding"
    left.mkdir(parents=True)
    (left / "x").touch()
    assert all(run.is_new for run in added(written(packed, tmp_path / "a.zip"), left.parent))
