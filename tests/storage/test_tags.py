from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltbench.errors import ConfigError, DataError, RunError
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from ltbench.storage.run_filter import RunFilter
from ltbench.storage.tagging import change_tags
from ltbench.storage.tags import parse_tags, read_tags, write_tags
from tests.runs import spec_of, store


@pytest.fixture
def run(registry: Registry, tmp_path: Path) -> Path:
    return store(tmp_path / "runs", spec_of(registry))


def test_tags_are_stored_beside_the_run(run: Path) -> None:
    assert read_tags(run) == {}
    write_tags(run, {"paper": "table 3", "author": "Zoë"})
    assert read_tags(run) == {"author": "Zoë", "paper": "table 3"}
    (found,) = find_runs([run]).runs
    assert found.tags == {"author": "Zoë", "paper": "table 3"}
    assert found.hash == run.name


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"tags": {}}',
        '{"schema": 3, "tags": {"A": "x"}}',
        '{"schema": 3, "tags": {"a": "x\\ny"}}',
        '{"schema": 3, "tags": {"a": 3}}',
        '{"schema": 3, "tags": {"a": "%s"}}' % ("x" * 201),
        '{"schema": 3, "tags": {}, "more": 1}',
        '{"schema": 99, "tags": {}}',
        json.dumps({"schema": 3, "tags": {f"a{i}": "x" for i in range(101)}}),
    ],
)
def test_unreadable_tags_leave_the_run_usable(run: Path, content: str) -> None:
    (run / "tags.json").write_text(content)
    with pytest.raises(DataError, match=r"tags\.json"):
        read_tags(run)
    found = find_runs([run])
    (one,) = found.runs
    assert one.tags == {}
    assert "tags.json" in one.tags_fault
    assert RunFilter.from_texts(["seed=0"]).keep(found).runs == (one,)
    with pytest.raises(DataError, match=r"tags of no run can be read.*tags\.json"):
        RunFilter.from_texts(["tag.a=x"]).keep(found)


def test_a_run_with_unreadable_tags_is_skipped_by_name(run: Path, registry: Registry) -> None:
    other = store(run.parents[3], spec_of(registry, seed=1))
    write_tags(other, {"a": "x"})
    (run / "tags.json").write_text("{")
    kept = RunFilter.from_texts(["tag.a=x"]).keep(find_runs([run.parents[3]]))
    assert [one.path for one in kept.runs] == [other]
    assert [one.path for one in kept.skipped] == [run]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paper", "expected NAME=VALUE"),
        ("Paper=x", "lower-case letters"),
        ("a-b=x", "lower-case letters"),
        ("a=", "--remove a removes"),
        ("a=x\ny", "printable"),
        ("a=\x1b[2J", "printable"),
        ("a=" + "x" * 201, "at most 200 characters, got 201"),
        ("a" * 61 + "=x", "at most 60"),
    ],
)
def test_faulty_tags_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_tags([text])


def test_a_tag_has_one_value() -> None:
    assert parse_tags(["a=x", "a=x", "b = y=z"]) == {"a": "x", "b": "y=z"}
    with pytest.raises(ConfigError, match="a: set to x and to y"):
        parse_tags(["a=x", "a=y"])


def test_tags_are_set_and_removed(run: Path) -> None:
    store_ = run.parents[3]
    assert change_tags(run, store_, {"a": "x", "b": "y"}, []) == {"a": "x", "b": "y"}
    assert change_tags(run, store_, {"b": "z"}, ["a"]) == {"b": "z"}
    assert change_tags(run, store_, {}, ["papr"]) == {"b": "z"}
    assert read_tags(run) == {"b": "z"}


def test_a_linked_directory_is_not_written_to(run: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(run)
    with pytest.raises(RunError, match="is a link"):
        change_tags(link, tmp_path, {"a": "x"}, [])
    assert read_tags(run) == {}


def test_a_run_has_at_most_a_hundred_tags(run: Path) -> None:
    with pytest.raises(ConfigError, match="at most 100 tags, got 101"):
        write_tags(run, {f"a{i}": "x" for i in range(101)})
