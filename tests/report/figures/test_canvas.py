from __future__ import annotations

from ltbench.report.figures.canvas import Canvas, Key
from ltbench.report.figures.text_size import text_width


def lines(key: Key, width: float) -> list[tuple[float, str]]:
    canvas = Canvas("", width, key.height)
    key.draw(canvas)
    return [(text.get_position()[1], text.get_text()) for text in canvas.axes[0].texts]


def test_short_entries_of_a_key_share_a_line() -> None:
    key = Key([("¹", "loss=ce"), ("²", "train.epochs=3")], 300)
    (first, one), (second, other) = lines(key, 300)
    assert (one, other) == ("¹ loss=ce", "² train.epochs=3")
    assert first == second


def test_long_entries_of_a_key_are_broken_between_settings() -> None:
    settings = ", ".join(f"train.setting_{i}=0.125" for i in range(6))
    drawn = lines(Key([("¹", settings)], 200), 200)
    assert len(drawn) > 2
    assert all(text_width(text, 10) <= 200 for _, text in drawn)
    assert " ".join(text.strip() for _, text in drawn) == f"¹ {settings}"


def test_a_key_without_entries_needs_no_room() -> None:
    assert Key([], 300).height == 0


def test_text_of_others_is_one_line_without_hidden_characters() -> None:
    canvas = Canvas("", 100, 100)
    canvas.hit(0, 0, 10, 10, "first\nsecond\x1b")
    assert canvas.write(0, 0, "first\nsecond\x1b").get_text() == "first second?"
    assert list(canvas.tips.values()) == ["first\nsecond?"]
