"""Titles of data sets: one for the same images."""

from __future__ import annotations

from ltbench.analysis.dataset_titles import dataset_titles
from ltbench.config.runspec import Choice


def choice(identity: str, title: str = "", **options: object) -> Choice:
    paths = {"title": title, "path": "/a"} if title else {"path": "/a"}
    return Choice("own", options, paths, "p 1", identity)


def test_the_same_images_have_one_title() -> None:
    older, first, second = choice("1"), choice("1", "pets"), choice("1", "My pets")
    assert dataset_titles([older, older, first]) == ["pets"] * 3
    assert dataset_titles([first, second, second]) == ["My pets"] * 3
    assert dataset_titles([first, second]) == ["pets"] * 2
    assert dataset_titles([older, choice("2", "birds")]) == ["own", "birds"]
    assert dataset_titles([first, choice("1", "few", test=5)]) == ["pets", "few"]
    assert first.title == "pets"
    assert older.title == "own"
    assert first.canonical == older.canonical
