"""Progress bar and list of refusals, which the verbs of `ltbench board` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ltbench.errors import shortened
from ltbench.io.console import console
from ltbench.io.text import line_text

if TYPE_CHECKING:
    from ltbench.board.verification import Refusal
    from ltbench.board.verify_packs import Stage

_MAX_LISTED = 20
_MAX_CHARACTERS = 400  # of a refusal


@contextmanager
def progress_stages() -> Iterator[Stage]:
    """Yields the callbacks of a progress bar on stderr, where that is a terminal."""
    from rich.progress import MofNCompleteColumn, Progress

    from ltbench.board.verify_packs import Stage

    errors = console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("", total=None)
        yield Stage(
            lambda text, total: progress.reset(task, description=text, total=total),
            lambda: progress.advance(task),
        )


def list_refusals(refusals: Sequence[Refusal]) -> None:
    """Lists on stderr the reasons why packs are left out."""
    errors = console(stderr=True)
    for one in refusals[:_MAX_LISTED]:
        run = f": {one.folder}" if one.folder else ""
        told = shortened(line_text(f"refused {one.pack}{run}: {one.reason}"), _MAX_CHARACTERS)
        errors.print(told, markup=False, soft_wrap=True)
    if len(refusals) > _MAX_LISTED:
        errors.print(f"refused for {len(refusals) - _MAX_LISTED:,} more reasons")
