from __future__ import annotations

import re

import pytest

from ltbench.analysis.comparison.short_labels import MAX_LABEL_CHARACTERS, short_labels


def labels(*names: str, width: int = MAX_LABEL_CHARACTERS) -> list[str]:
    return list(short_labels(names, width=width).texts.values())


def test_short_names_stay_as_they_are() -> None:
    found = short_labels(["lora", "full (train.lr=0.005)"])
    assert list(found.texts.values()) == ["lora", "full (train.lr=0.005)"]
    assert found.key() == []


def test_prefixes_of_options_go_first() -> None:
    assert labels("lift_plus (train.epochs=3)") == ["lift_plus (epochs=3)"]


def test_prefixes_that_tell_options_apart_stay() -> None:
    names = ["lift_plus (train.rate=3)", "lift_plus (method.rate=3)"]
    assert labels(*names, width=20) == ["lift_plus ¹", "lift_plus ²"]


def test_equal_settings_have_the_same_mark() -> None:
    long = "train.epochs=3, train.lr=0.1, loss=cross_entropy"
    found = short_labels([f"lora ({long})", f"full ({long})", "full (loss=a_very_long_loss_name)"])
    assert list(found.texts.values()) == ["lora ¹", "full ¹", "full ²"]
    assert found.key() == [("¹", long), ("²", "loss=a_very_long_loss_name")]
    assert found.key(["full (loss=a_very_long_loss_name)"]) == [("²", "loss=a_very_long_loss_name")]


def test_long_methods_end_after_a_whole_word() -> None:
    found = short_labels(["arbitrary_lightweight_fine_tuning", "arbitrary_lightweight_fine_tuner"])
    assert list(found.texts.values()) == [
        "arbitrary_lightweight… ¹",
        "arbitrary_lightweight… ²",
    ]
    assert found.key()[0] == ("¹", "arbitrary_lightweight_fine_tuning")
    assert labels("lift_plus on digits_lt with clip_tiny") == ["lift_plus on digits… ¹"]


def test_a_word_is_never_cut() -> None:
    assert labels("x" * 40) == ["x" * 40]
    assert labels("x" * 40 + " (loss=ce)") == ["x" * 40 + " ¹"]


def test_values_with_brackets_and_commas_stay_whole() -> None:
    name = "lora (method.layers=[1, 2, 3], init.template='a (b) of {}.')"
    found = short_labels([name])
    assert found.texts[name] == "lora ¹"
    assert found.key() == [("¹", "method.layers=[1, 2, 3], init.template='a (b) of {}.'")]


def test_settings_after_the_brackets_are_kept() -> None:
    found = short_labels(["lora (rank=8), loss=cross_entropy"])
    assert found.key() == [("¹", "(rank=8), loss=cross_entropy")]


@pytest.mark.parametrize("count", [1, 40, 120])
def test_labels_are_unique_and_short(count: int) -> None:
    names = [f"arbitrary_lightweight (share={i}, loss=cross_entropy)" for i in range(count)]
    names += ["lora", "lora ¹", "lora (" + "x" * 40 + ")"]
    found = short_labels(names)
    assert len(set(found.texts.values())) == len(names)
    assert max(map(len, found.texts.values())) <= MAX_LABEL_CHARACTERS + 4
    assert all(re.match(r"[a-z_]+", name) for name in found.texts.values())
    assert len(found.key()) == count + 1
