"""Text below the cell of a notebook, shown by a display that records."""

from __future__ import annotations

from typing import Any

from ltbench.io import notebook
from ltbench.io.notebook import NotebookText


class Display:
    """What IPython's `display` is called with, and the updates of its handle."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []
        self.displays = 0

    def __call__(self, content: dict[str, str], **options: Any) -> Display:
        assert options == {"raw": True, "display_id": True}
        self.displays += 1
        self.shown.append(content)
        return self

    def update(self, content: dict[str, str], raw: bool) -> None:
        assert raw
        self.shown.append(content)


def test_a_text_is_one_output_that_is_replaced() -> None:
    display = Display()
    text = NotebookText(display)
    text.show(lambda: "<b>1")
    for number in range(2, 100):
        text.show(lambda number=number: f"<b>{number}")  # type: ignore[misc]
    text.close()
    assert display.displays == 1
    assert display.shown[0] == {"text/plain": "<b>1", "text/html": "<pre>&lt;b&gt;1</pre>"}
    assert display.shown[-1]["text/plain"] == "<b>99"
    assert len(display.shown) < 10  # not each of them within a moment


def test_the_same_text_is_not_shown_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(notebook, "_MIN_SECONDS", 0.0)
    display = Display()
    text = NotebookText(display)
    for _ in range(3):
        text.show(lambda: "same")
    text.close()
    assert len(display.shown) == 1


def test_nothing_is_shown_where_there_is_no_text() -> None:
    display = Display()
    NotebookText(display).close()
    assert display.shown == []
