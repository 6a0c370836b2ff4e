from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from ltbench.analysis.leaderboard.rows import COLUMNS
from ltbench.board.build import Board, build_board
from ltbench.board.contributors import read_contributions
from ltbench.errors import DataError
from ltbench.registry.registry import Registry
from tests.board.packs import absent_pack, real_pack

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def fill(folder: Path, registry: Registry, work: Path) -> Path:
    """A folder of two contributors, with a pack that is refused."""
    real_pack(folder / "ada" / "digits.zip", "lora", [0, 1])
    real_pack(folder / "charles" / "digits.zip", "lora", [2])
    absent_pack(folder / "charles" / "places.zip", registry, [{}], work, skill=2.0)
    (folder / "charles" / "broken.zip").write_text(ATTACK)
    entry = f"who = {json.dumps(ATTACK)}\npaper = 'arXiv:2410.00001'\n"
    (folder / "ada" / "entry.toml").write_text(entry)
    return folder


def built(folder: Path, registry: Registry) -> Board:
    return build_board(read_contributions(folder), registry, folder.parent / "data")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    tmp = tmp_path_factory.mktemp("board")
    return fill(tmp / "packs", registry, tmp / "work")


@pytest.fixture(scope="module")
def board(folder: Path, registry: Registry) -> Board:
    return built(folder, registry)


def page(board: Board, pattern: str) -> str:
    (name,) = (name for name in board.files if re.fullmatch(pattern, name))
    return board.files[name].decode()


def test_links_lead_to_files_of_the_site(board: Board) -> None:
    pages = {name: text.decode() for name, text in board.files.items() if name.endswith(".html")}
    assert len(pages) == 5  # the first page, two data sets, two entries
    linked = {"index.html"}
    for name, text in pages.items():
        for address in re.findall(r'href="([^"#]+)"', text):
            if address.startswith(("https:", "data:")):
                continue
            target = urljoin(name, address)
            assert target in board.files, f"{name}: {address}"
            linked.add(target)
    assert {name for name in board.files if name.endswith((".html", ".csv", ".json"))} - linked <= {
        f"{dataset.folder}/leaderboard.csv" for dataset in board.datasets
    }


def test_text_of_contributors_is_text(board: Board) -> None:
    for name, content in board.files.items():
        if name.endswith(".html"):
            assert b"<script>alert" not in content, name
            assert b"<img" not in content, name
    assert "&lt;script&gt;alert(1)" in page(board, r"digits_lt/lora-\w+\.html")
    assert 'href="https://arxiv.org/abs/2410.00001" rel="external nofollow' in page(
        board, r"digits_lt/lora-\w+\.html"
    )


def test_runs_of_several_people_are_one_entry(board: Board) -> None:
    entry = page(board, r"digits_lt/lora-\w+\.html")
    for seed in range(3):
        assert "ltbench run --dataset digits_lt" in entry
        assert f"--seed {seed}" in entry
    assert entry.count("charles/digits.zip") == 1
    assert "ada, charles" in page(board, r"digits_lt/index\.html")
    assert "other definitions" not in entry
    assert "the run used version" not in entry


def test_published_results_are_marked(board: Board) -> None:
    data = page(board, r"places_lt/index\.html")
    assert "<td" in data
    assert "published" in data
    rows = list(csv.DictReader(io.StringIO(board.files["leaderboard.csv"].decode(), newline="")))
    assert list(rows[0])[:-2] == [column.name for column in COLUMNS]
    assert list(rows[0])[-2:] == ["measured_by", "page"]
    for row in rows:
        is_measured = row["source"] == "measured"
        assert bool(row["measured_by"]) == bool(row["page"]) == is_measured
        assert not is_measured or row["page"] in board.files
    assert {row["source"].partition(":")[0] for row in rows} == {"measured", "published"}


def test_what_is_left_out_is_listed(board: Board) -> None:
    assert board.left_out == ["charles/broken.zip"]
    first = page(board, r"index\.html")
    assert "charles/broken.zip" in first
    assert "not a complete archive" in first


def test_programs_can_read_it(board: Board) -> None:
    described = json.loads(board.files["board.json"])
    assert described["schema"] == 1
    assert [each["name"] for each in described["contributors"]] == ["ada", "charles"]
    (entry,) = described["datasets"][0]["rankings"][0]["entries"]
    assert entry["measured_by"] == ["ada", "charles"]
    assert [run["seed"] for run in entry["runs"]] == [0, 1, 2]
    assert {run["data"] for run in entry["runs"]} == {"identity and labels"}
    assert described["left_out"][0]["pack"] == "charles/broken.zip"


def test_classes_are_a_file(board: Board) -> None:
    text = page(board, r"digits_lt/lora-\w+\.csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["class"] for row in rows][:2] == ["zero", "one"]
    assert set(rows[0]) >= {"accuracy", "accuracy_seed_0", "accuracy_seed_2"}


@pytest.mark.full
def test_the_same_packs_give_the_same_bytes(
    board: Board, registry: Registry, tmp_path: Path
) -> None:
    other = built(fill(tmp_path / "elsewhere" / "x", registry, tmp_path / "work"), registry)
    assert other.files == board.files


def test_no_path_of_this_machine_is_shown(board: Board, folder: Path) -> None:
    for name, content in board.files.items():
        assert b"ltbench-board-" not in content, name
        assert str(folder.parent).encode() not in content, name


def test_without_a_good_pack_there_is_no_site(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "a.zip").write_text("no archive")
    with pytest.raises(DataError, match=r"none of 1 packs is accepted: eve/a\.zip"):
        built(tmp_path, registry)
