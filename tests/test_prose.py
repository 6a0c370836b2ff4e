"""Prose follows the rules: terms of the field, docstrings that open with a verb or a noun."""

from __future__ import annotations

import pytest

from tests.prose import ROOT, findings, folders

FOLDERS = folders()


@pytest.mark.parametrize("folder", FOLDERS)
def test_prose_follows_the_rules(folder: str) -> None:
    found = [str(one) for path in FOLDERS[folder] for one in findings(path)]
    assert not found, f"{len(found)} places in {folder}:\n" + "\n".join(found)


def test_the_checks_find_what_they_are_for(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("prose")
    monkeypatch.setattr("tests.prose.ROOT", folder)
    module = folder / "bad.py"
    module.write_text(
        '"""What is made.\n\nThe caller is\ntold of it.\n"""\n\n\n'
        "def f(a, b):\n"
        '    """Returns a.\n\n'
        "    Args:\n"
        "        a: Of it.\n"
        "        b: Number of images,\n"
        "            in the order: of the list.\n"
        '    """\n'
        '    return "nobody reads it"\n'
    )
    page = folder / "page.md"
    page.write_text("Fine.\n\n```\nnobody\n```\n\nIt `whom`, whom.\n")
    assert [(one.line, one.text.partition(": ")[0]) for one in findings(module)] == [
        (1, 'docstring opens with "What"'),
        (3, '"is told"'),
        (12, "a"),
        (16, '"nobody"'),
    ]
    assert [one.line for one in findings(page)] == [7]


def test_every_room_is_checked() -> None:
    rooms = {f"ltbench/{path.name}" for path in (ROOT / "ltbench").iterdir() if path.is_dir()}
    assert {room for room in rooms if "__pycache__" not in room} <= set(FOLDERS)
