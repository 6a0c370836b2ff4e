"""Text that a notebook shows below a cell and replaces while the cell runs."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from ltbench.io.text import html_text

_MIN_SECONDS = 0.25  # between two updates, which every open page of the notebook receives


class NotebookText:
    """Text below the running cell of a notebook.

    It is one output of the cell, whatever is shown: rich's own bars would be one output a line, and
    need ipywidgets.

    Args:
        display: `IPython.display.display`.
    """

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None
        self._text: Callable[[], str] = str
        self._shown = ""
        self._shown_at = 0.0

    def show(self, text: Callable[[], str]) -> None:
        """Replaces the text, unless it was replaced a moment ago.

        Args:
            text: Function that returns the text; it is called where the text is shown.
        """
        self._text = text
        if time.monotonic() - self._shown_at >= _MIN_SECONDS:
            self._update()

    def close(self) -> None:
        """Shows the last text that `show` was given."""
        self._update()

    def _update(self) -> None:
        text = self._text()
        self._shown_at = time.monotonic()
        if text == self._shown:
            return
        self._shown = text
        content = {"text/plain": text, "text/html": f"<pre>{html_text(text)}</pre>"}
        if self._handle is None:
            self._handle = self._display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def notebook_text() -> NotebookText:
    """Returns a text below the running cell; only where `Console.is_jupyter`."""
    from IPython.display import display

    return NotebookText(display)


def import_tqdm_quietly() -> None:
    """Imports tqdm in a notebook without its warning that ipywidgets is missing.

    Libraries that load backbones import it, and show none of its bars.
    """
    if "ipykernel" in sys.modules and "tqdm.auto" not in sys.modules:
        with warnings.catch_warnings(), suppress(ImportError):
            warnings.simplefilter("ignore")
            import_module("tqdm.auto")
