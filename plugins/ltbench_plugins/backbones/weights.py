"""What backbones share that take their weights from a library's hub or from a file."""

from __future__ import annotations

import hashlib
import logging
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
    logging.disable(logging.CRITICAL)  # libraries log each failed try; one error says it all
    try:
        yield
    except Exception as error:  # libraries raise whatever they like here
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if weights is not None:
            raise DataError(
                f"{weights} does not hold weights of {model}: {reason}",
                hint="give a safetensors file of exactly this model",
            ) from error
        raise DataError(
            f"the weights of {model} cannot be fetched: {reason}",
            hint="run once where the hub can be reached, to fill the cache, or give a local file "
            "with --set backbone.weights=FILE (safetensors of this model and tag, as the hub has "
            "it); with HF_HUB_OFFLINE=1 nothing is asked of the network",
        ) from error
    finally:
        logging.disable(logging.NOTSET)
