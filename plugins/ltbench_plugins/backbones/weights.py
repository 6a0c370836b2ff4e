"""What backbones share that take their weights from a library's hub or from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltbench.errors import DataError


def file_identity(path: Path) -> str:
    """Returns the hash of a weights file.

    Raises:
        DataError: There is no such file.
    """
    if not path.is_file():
        raise DataError(
            f"there is no weights file {path}", hint="give --set backbone.weights=FILE that exists"
        )
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def explain_weights(model: str, weights: Path | None) -> Iterator[None]:
    """Turns what goes wrong in fetching or loading weights into a `DataError`."""
    try:
        yield
    except Exception as error:  # libraries raise whatever they like here
        if weights is not None:
            raise DataError(
                f"{weights} does not hold weights of {model}: {error}",
                hint="give a safetensors file of exactly this model",
            ) from error
        raise DataError(
            f"the weights of {model} cannot be fetched: {error}",
            hint="run once where the hub can be reached, to fill the cache, or give a local file "
            "with --set backbone.weights=FILE; HF_HUB_OFFLINE=1 looks in the cache only",
        ) from error
