"""`ltbench predict`: from files to tables, CSV, JSON and Parquet."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests import trees
from tests.conftest import Ended
from tests.prediction.stored import Predictable, predictable_run

Cli = Callable[..., Ended]


@pytest.fixture
def images(predictable: Predictable, tmp_path: Path) -> Path:
    """A copy of the test images, in the working folder."""
    return shutil.copytree(predictable.images, tmp_path / "photos")


@pytest.mark.usefixtures("images")
def test_every_format_has_the_stored_predictions(cli: Cli, predictable: Predictable) -> None:
    files = ("--csv", "new/out.csv", "--parquet", "out.parquet", "--json")
    ended = cli("predict", str(predictable.run.path), "photos", *files, "--workers", "0")
    assert ended.code == 0, ended.err
    stored = predictable.run.predictions()
    margins = stored.logits.astype(np.float64) - stored.log_sum_exp[:, None]
    expected = np.exp(np.minimum(margins, 0)).tolist()
    named = ended.json["predictions"]
    found = [[one["probability"] for one in each["classes"]] for each in named]
    assert found == expected
    assert ended.json["images"] == len(expected)
    assert ended.json["skipped"] == []
    assert ended.json["inference"] == {"name": "center", "options": {}}
    with Path("new/out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["probability"]) for row in rows] == [row[0] for row in expected]
    assert [row["path"] for row in rows] == [each["path"] for each in named]
    assert [int(row["class_id_2"]) for row in rows] == stored.classes[:, 1].tolist()
    table = pq.read_table("out.parquet")
    assert table["probability_3"].to_pylist() == [row[2] for row in expected]
    assert table.schema.metadata[b"hash"].decode() == predictable.run.hash


def test_a_table_shows_the_first_images(cli: Cli, predictable: Predictable, images: Path) -> None:
    for number in range(15):
        shutil.copy(images / "ant/0.jpg", images / f"ant/x{number}.jpg")
    (images / "notes.txt").touch()
    ended = cli("predict", str(predictable.run.path), "photos", "--top", "2", "--workers", "0")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0].split() == ["image", "class", "%", "next"]
    assert lines[1].startswith("photos/ant/0.jpg")
    assert lines[-1] == "15 more images: --csv FILE has them all"
    assert "files ignored, without the file extension of an image: 1" in ended.err
    written = cli("predict", str(predictable.run.path), "photos", "--csv", "out.csv")
    assert written.out.splitlines()[-1] == "15 more images: in the file"


@pytest.mark.usefixtures("images")
def test_a_run_is_named_by_digits_of_its_hash(
    cli: Cli, predictable: Predictable, tmp_path: Path
) -> None:
    shutil.copytree(predictable.run.path, tmp_path / "runs" / predictable.run.hash)
    named = cli("predict", predictable.run.hash[:5], "photos", "--json")
    assert named.json["hash"] == predictable.run.hash
    for verb in (("predict",), ("eval",), ("export", "--to", "torch", "--out", "model")):
        ended = cli(*verb, "ffffffffffff", *(["photos"] if verb == ("predict",) else []))
        assert (ended.code, ended.out) == (2, "")
        assert "beginning of the hash of one of the 1 runs in runs" in ended.err


def test_corrupt_images_are_listed_and_end_with_code_4(
    cli: Cli, predictable: Predictable, images: Path
) -> None:
    (images / "ant/1.jpg").write_bytes(b"")
    Path("list.csv").write_text("path\nphotos\\ant\\0.jpg\nphotos\\ant\\1.jpg\nphotos\\no.jpg\n")
    command = ("predict", str(predictable.run.path), "list.csv", "--json", "--csv", "out.csv")
    ended = cli(*command)
    assert ended.code == 4
    assert "skipped: photos/ant/1.jpg cannot be decoded: it is empty" in ended.err
    assert "error: 2 of 3 images cannot be decoded; all others are predicted" in ended.err
    assert [one["path"] for one in ended.json["skipped"]] == ["photos/ant/1.jpg", "photos/no.jpg"]
    assert len(Path("out.csv").read_text().splitlines()) == 2
    Path("out.csv").unlink()
    assert cli(*command, "--on-corrupt", "skip").code == 0
    none = cli("predict", str(predictable.run.path), "photos/ant/1.jpg", "--csv", "none.csv")
    assert (none.code, none.out) == (4, "")
    assert not Path("none.csv").exists()


@pytest.mark.usefixtures("images")
def test_a_prior_comes_from_a_file(cli: Cli, predictable: Predictable) -> None:
    Path("prior.csv").write_text("class,weight\nant,0\nbee,1\ncat,0\n")
    command = ("predict", str(predictable.run.path), "photos", "--json", "--workers", "0")
    ended = cli(*command, "--prior", "prior.csv")
    assert ended.code == 0, ended.err
    assert ended.json["prior"] == "prior.csv"
    firsts = [each["classes"][0] for each in ended.json["predictions"]]
    assert {(one["class"], one["probability"]) for one in firsts} == {("bee", 1.0)}


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("photos", "nothing"), 2, "nothing does not exist"),
        (("photos/*.gif",), 2, "matches no file"),
        (("photos", "--inference", "tta"), 2, "there is no inference 'tta'"),
        (("photos", "--set", "train.lr=1"), 2, "train.lr: not a path of backbone"),
        (("photos", "--set", "train.lr"), 2, "expected KIND.OPTION=VALUE"),
        (("photos", "--prior", "unifrom"), 2, "prior: unifrom does not exist"),
        (("photos", "--csv", "photos"), 2, "photos exists but is not a file"),
        (("photos", "--csv", "a", "--parquet", "a"), 2, "got the same one twice"),
        (("photos", "--top", "0"), 2, "0 is not in the range"),
        ((), 2, "Missing argument"),
    ],
)
def test_wrong_arguments(
    cli: Cli, predictable: Predictable, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    ended = cli("predict", str(predictable.run.path), *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert expected in ended.err


@pytest.mark.usefixtures("images")
def test_what_is_no_finished_run_is_named(cli: Cli, predictable: Predictable) -> None:
    assert "is not a run directory" in cli("predict", "photos", "photos").err
    copy = shutil.copytree(predictable.run.path, "copy")
    Path(copy, "learned.safetensors").unlink()
    damaged = cli("predict", str(copy), "photos")
    assert (damaged.code, damaged.out) == (4, "")
    assert "learned.safetensors" in damaged.err
    Path(copy, "result.json").unlink()
    unfinished = cli("predict", str(copy), "photos")
    assert unfinished.code == 4
    assert "copy is not finished" in unfinished.err


@pytest.mark.usefixtures("images")
def test_a_store_is_only_read(cli: Cli, predictable: Predictable) -> None:
    copy = Path(shutil.copytree(predictable.run.path, "copy"))
    before = {path.name: path.stat().st_mtime_ns for path in copy.iterdir()}
    copy.chmod(0o555)
    try:
        assert cli("predict", "copy", "photos", "--csv", "out.csv").code == 0
    finally:
        copy.chmod(0o755)
    assert {path.name: path.stat().st_mtime_ns for path in copy.iterdir()} == before


@pytest.mark.full
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_leaves_no_half_written_file(tmp_path: Path, name: str) -> None:
    run = predictable_run(tmp_path, inference="ten_crop")
    trees.class_folders(tmp_path, {"many": {"a": 3000}})
    out = tmp_path / "out"
    out.mkdir()
    (out / "p.csv").write_text("before")
    command = [sys.executable, "-m", "ltbench", "predict", str(run.run.path), "many"]
    options = ["--csv", "out/p.csv", "--parquet", "out/p.parquet", "--workers", "1"]
    process = subprocess.Popen(
        [*command, *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if len(list(out.iterdir())) == 3:  # both files have begun
            break
        time.sleep(0.1)
    os.kill(process.pid, getattr(signal, name))
    _, shown = process.communicate(timeout=120)
    assert process.returncode == 130, shown
    assert "error: interrupted" in shown
    assert "Traceback" not in shown
    assert [path.name for path in out.iterdir()] == ["p.csv"]
    assert (out / "p.csv").read_text() == "before"


@pytest.mark.full
def test_a_run_of_an_older_version_needs_its_data_set(cli: Cli, tmp_path: Path) -> None:
    from tests.engine.test_stored_model import rewrite_as_schema_2

    run = predictable_run(tmp_path)
    trees.class_folders(tmp_path / "set", {"train": {"ant": 8, "bee": 4, "cat": 2}})
    command = ("predict", str(run.run.path), str(run.images), "--json", "--workers", "0")
    before = cli(*command)
    (run.run.path / "frozen.safetensors").unlink()
    rewrite_as_schema_2(run.run.path / "result.json")
    (tmp_path / "set").rename(tmp_path / "moved")
    moved = (*command[:2], str(tmp_path / "moved/test"), *command[3:])
    assert "older version of ltbench, and its model needs the data set" in cli(*moved).err
    ended = cli(*moved, "--set", f"dataset.path={tmp_path / 'moved'}")
    assert ended.code == 0, ended.err
    probabilities = [
        [each["classes"] for each in one.json["predictions"]] for one in (before, ended)
    ]
    assert probabilities[0] == probabilities[1]
