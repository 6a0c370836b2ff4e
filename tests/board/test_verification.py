from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltbench.board.verification import CheckedPack, PackVerifier
from ltbench.config.runspec import hash_of
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from ltbench.storage.tags import write_tags
from tests.board.packs import absent_pack, changed_pack, real_pack
from tests.storage.test_unpacking import written

Files = dict[str, bytes]


@pytest.fixture
def verifier(registry: Registry, tmp_path: Path) -> PackVerifier:
    (tmp_path / "store").mkdir()
    return PackVerifier(registry, tmp_path / "data", tmp_path / "store")


@pytest.fixture
def members(tmp_path: Path) -> Files:
    with zipfile.ZipFile(real_pack(tmp_path / "real.zip", "lora", [0])) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def refusal(checked: CheckedPack) -> str:
    (one,) = checked.refusals
    assert len(one.reason) < 500
    assert "store/" not in one.reason
    return one.reason


def stored(tmp_path: Path) -> Iterator[str]:
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file() and path.suffix != ".lock":
            yield path.name


def test_real_runs_are_accepted(verifier: PackVerifier, tmp_path: Path) -> None:
    checked = verifier.verify(real_pack(tmp_path / "a.zip", "lora", [0, 1]), "ada")
    assert (checked.name, checked.refusals) == ("ada/a.zip", ())
    assert [run.data for run in checked.runs] == ["identity and labels"] * 2
    assert checked.runs[0].command.line.startswith("ltbench run --dataset digits_lt")
    assert {run.folder for run in checked.runs} == {
        f"digits_lt/clip_tiny/lora/{run.hash}" for run in checked.runs
    }


def test_tags_are_not_taken(verifier: PackVerifier, tmp_path: Path) -> None:
    def tag(copy: Path) -> None:
        write_tags(copy, {"note": "mine"})

    archive = changed_pack(tmp_path / "a.zip", "lora", 0, tag, work=tmp_path / "work")
    assert verifier.verify(archive, "ada").refusals == ()
    assert "tags.json" not in set(stored(tmp_path))
    assert "result.json" in set(stored(tmp_path))


def test_one_fault_refuses_the_whole_pack(
    verifier: PackVerifier, members: Files, tmp_path: Path
) -> None:
    with zipfile.ZipFile(real_pack(tmp_path / "two.zip", "bitfit", [0])) as zipped:
        good = {name: zipped.read(name) for name in zipped.namelist()}
    lists = [json.loads(each["manifest.json"]) for each in (good, members)]
    manifest = {**lists[0], "runs": [run for each in lists for run in each["runs"]]}
    (result,) = (name for name in members if name.endswith("/result.json"))
    changed = json.loads(members[result])
    changed["metrics"]["accuracy"] += 0.5
    both = {**good, **members, result: json.dumps(changed).encode()}
    both["manifest.json"] = json.dumps(manifest).encode()
    checked = verifier.verify(written(both, tmp_path / "bad.zip"), "eve")
    assert len(checked.runs) == 1
    assert "its predictions and its result contradict each other: accuracy 98.31 %" in refusal(
        checked
    )
    assert list(stored(tmp_path)) == []
    # The good run of the refused pack is free for another one.
    assert verifier.verify(tmp_path / "two.zip", "ada").refusals == ()


def test_a_run_is_listed_once(verifier: PackVerifier, tmp_path: Path) -> None:
    first = real_pack(tmp_path / "first.zip", "lora", [0, 1])
    assert verifier.verify(first, "ada").refusals == ()
    again = real_pack(tmp_path / "again.zip", "lora", [1, 2])
    for who in ("eve", "ada"):
        told = refusal(verifier.verify(again, who))
        assert told.startswith("ada/first.zip has it already, as digits_lt/clip_tiny/lora/")
    assert verifier.verify(real_pack(tmp_path / "b.zip", "lora", [2]), "eve").refusals == ()


def test_copied_predictions_under_another_name_are_refused(
    verifier: PackVerifier, members: Files, tmp_path: Path
) -> None:
    assert verifier.verify(written(members, tmp_path / "a.zip"), "ada").refusals == ()

    def renamed(copy: Path) -> None:
        """Gives a run another seed, with a hash that agrees, and its predictions as they were."""
        found = find_runs([copy]).runs[0]
        predictions = found.predictions()
        for name in ("result.json", "spec.json"):
            content = json.loads((copy / name).read_text())
            content["run"]["seed"] = 77
            content["hash"] = hash_of(content["run"])
            (copy / name).write_text(json.dumps(content))
        about = {**predictions.about, "hash": content["hash"]}
        predictions.write(copy / "predictions-tte.parquet", about)

    archive = changed_pack(tmp_path / "b.zip", "lora", 0, renamed, work=tmp_path / "work")
    assert "ada/a.zip has it already" in refusal(verifier.verify(archive, "eve"))
    assert verifier.verify(archive, "ada").refusals == ()  # one person may have equal runs


@pytest.mark.parametrize("settings", [{"limit": 3}, {"fast": True}])
def test_quick_looks_are_refused(
    verifier: PackVerifier, registry: Registry, tmp_path: Path, settings: dict[str, Any]
) -> None:
    archive = absent_pack(tmp_path / "a.zip", registry, [{}, settings], tmp_path / "work")
    checked = verifier.verify(archive, "ada")
    assert len(checked.runs) == 1
    assert refusal(checked).startswith("it is a quick look (")


def test_runs_on_data_that_are_not_here_are_accepted(
    verifier: PackVerifier, registry: Registry, tmp_path: Path
) -> None:
    archive = absent_pack(tmp_path / "a.zip", registry, [{}], tmp_path / "work")
    checked = verifier.verify(archive, "ada")
    assert [run.data for run in checked.runs] == ["not checked"]


def empty(members: Files) -> Files:
    manifest = {**json.loads(members["manifest.json"]), "runs": []}
    return {"manifest.json": json.dumps(manifest).encode()}


def unlisted(members: Files) -> Files:
    return {**members, "digits_lt/clip_tiny/lora/000000000000/result.json": b"{}"}


def outside(members: Files) -> Files:
    return {**members, "../../evil.json": b"{}"}


def marked_up(members: Files) -> Files:
    return {**members, "<script>alert(1)</script>/x.json": b"{}"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (empty, "holds no run"),
        (unlisted, "it is not in manifest.json"),
        (outside, "is outside the destination"),
        (marked_up, "it is not in manifest.json"),
        (lambda members: {"manifest.json": b"[" * 100_000}, "is not a pack of runs"),
        (lambda members: {"x": b""}, "no manifest.json"),
    ],
)
def test_hostile_packs_are_refused(
    verifier: PackVerifier,
    members: Files,
    tmp_path: Path,
    change: Callable[[Files], Files],
    told: str,
) -> None:
    archive = written(change(members), tmp_path / "bad.zip", signed=False)
    assert told in refusal(verifier.verify(archive, "eve"))
    assert not (tmp_path / "evil.json").exists()
    assert list(stored(tmp_path)) == []


def test_files_that_are_no_archives_are_refused(verifier: PackVerifier, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    (tmp_path / "folder.zip").mkdir()
    for name in ("text.zip", "folder.zip", "missing.zip"):
        assert verifier.verify(tmp_path / name, "eve").refusals


@pytest.mark.full
def test_bombs_are_refused(verifier: PackVerifier, members: Files, tmp_path: Path) -> None:
    """300 MB of zeros, and a member whose header promises more than it has."""
    bomb = tmp_path / "bomb.zip"
    written(members, bomb)
    with (
        zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as zipped,
        zipped.open("x/zeros.json", "w", force_zip64=True) as file,
    ):
        for _ in range(300):
            file.write(bytes(2**20))
    assert "unpacks to more than" in refusal(verifier.verify(bomb, "eve"))
    link = tmp_path / "link.zip"
    with zipfile.ZipFile(link, "w") as zipped:
        member = zipfile.ZipInfo("manifest.json")
        member.external_attr = 0o120777 << 16
        zipped.writestr(member, "/etc/passwd")
    assert refusal(verifier.verify(link, "eve"))
    lying = bytearray(bomb.read_bytes()[: 2**16])
    lying[22:26] = struct.pack("<I", 2**32 - 2)
    (tmp_path / "lying.zip").write_bytes(bytes(lying))
    assert refusal(verifier.verify(tmp_path / "lying.zip", "eve"))
    assert list(stored(tmp_path)) == []


def test_equal_packs_of_one_run_are_equal(tmp_path: Path) -> None:
    """The helpers of these tests pack what the command packs."""
    first = real_pack(tmp_path / "a.zip", "lora", [0])
    second = changed_pack(tmp_path / "b.zip", "lora", 0, lambda copy: None, work=tmp_path / "work")
    assert first.read_bytes() == second.read_bytes()
