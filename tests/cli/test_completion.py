from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer

from ltbench.cli import completion


def complete(line: str, shell: str = "bash", **environ: str) -> list[str]:
    """The words that a shell is offered for the last word of a line."""
    variables = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    if shell == "zsh":
        variables = {"_TYPER_COMPLETE_ARGS": line}
    code = "import sys; from ltbench.cli import main; sys.argv[0] = 'ltbench'; main()"
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        env={**os.environ, "_LTBENCH_COMPLETE": f"complete_{shell}", **variables, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    imported = [part.rpartition("|")[2].strip() for part in ended.stderr.splitlines()]
    assert not {"torch", "pandas"} & set(imported)
    other = [part for part in ended.stderr.splitlines() if not part.startswith("import time:")]
    assert other == []
    return ended.stdout.split()


def test_a_shell_is_offered_names_without_torch() -> None:
    assert complete("ltbench run --method li") == ["lift_plus", "lift", "linear_probe"]


@pytest.mark.full
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ltbench run --select ", ["last", "val"]),
        ("ltbench run --dataset digits", ["digits_lt"]),
        ("ltbench show meth", ["method"]),
        ("ltbench show loss foc", ["focal"]),
        ("ltbench show losses foc", ["focal"]),
        ("ltbench list back", ["backbone"]),
        ("ltbench grid run digits/me", ["digits/methods"]),
        ("ltbench tune --methods full,lift_", ["full,lift_plus"]),
        ("ltbench run --method lora --set method.d", ["method.dim="]),
        ("ltbench run --set train.l", ["train.lr="]),
        ("ltbench run --set loss=fo", ["loss=focal"]),
        ("ltbench run --tracker tens", ["tensorboard"]),
        ("ltbench eval x --inference mul", ["multi_scale"]),
        ("ltbench predict x y --inference mul", ["multi_scale"]),
        ("ltbench predict x y --prior u", ["uniform"]),
        ("ltbench export x --to o", ["onnx", "openclip"]),
        ("ltbench tune --methods lora,full --search method.d", ["method.dim="]),
        ("ltbench data prepare elp", ["elpv"]),
        ("ltbench run --method nix", []),
    ],
)
def test_names_are_completed_where_they_are_expected(line: str, expected: list[str]) -> None:
    assert complete(line) == expected


@pytest.mark.full
def test_zsh_is_offered_summaries() -> None:
    offered = "\n".join(complete("ltbench run --loss foc", "zsh"))
    assert '"focal":' in offered


@pytest.mark.full
def test_without_plugins_nothing_is_offered() -> None:
    disabled = {"LTBENCH_DISABLE_PLUGINS": "builtin_methods"}
    assert complete("ltbench run --method li", **disabled) == []


def test_an_error_is_no_completion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        sys.stdout.write("loading")
        raise RuntimeError

    monkeypatch.setattr("ltbench.registry.load.load_plugins", fails)
    assert completion.complete_name_of("method")("li") == []
    assert completion.complete_grid("") == []
    assert capsys.readouterr() == ("", "")


def test_keys_of_a_search_follow_the_name_of_a_method() -> None:
    context = typer.Context(typer.main.get_command(typer.Typer(callback=print)))
    context.params = {"methods": "full,lora"}
    found = completion.complete_search(context, "lora:method.d")
    assert [name for name, _ in found] == ["lora:method.dim="]
    assert completion.complete_search(context, "method.d") == []


def test_a_list_of_names_is_continued() -> None:
    complete_names = completion.complete_name_of("method", many=True)
    assert [name for name, _ in complete_names("full,lora,vp")] == ["full,lora,vpt"]
