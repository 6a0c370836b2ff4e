"""What backbones share that take their weights from a library's hub or from a file."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten

from ltbench.errors import DataError

_WRAPPERS = ("module.", "_orig_mod.", "model.", "backbone.")
"""What wrappers for parallel, compiled or self-supervised training put before a model's names."""

_OFFLINE = "with HF_HUB_OFFLINE=1 nothing is asked of the network"


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
    """Turns what goes wrong in fetching or loading weights into a `DataError`.

    Args:
        model: For messages.
        weights: The local file, if it is one; by its name it must be a safetensors file, so that
            no library unpickles it.

    Raises:
        DataError: Instead of whatever the library raises.
    """
    if weights is not None and weights.suffix != ".safetensors":
        raise DataError(
            f"{weights} does not hold weights of {model}: it is no safetensors file",
            hint="give a file whose name ends with .safetensors: others may run code when they are "
            "loaded",
        )
    try:
        if weights is not None:
            _expect_floats(weights)
        with _silent():
            yield
    except Exception as error:  # libraries raise whatever they like here
        if weights is not None:
            _expect_plain_names(weights, model, error)
            raise DataError(
                f"{weights} does not hold weights of {model}: {_reason(error)}",
                hint="give a safetensors file of exactly this model",
            ) from error
        raise DataError(
            f"the weights of {model} cannot be fetched: {_reason(error)}",
            hint=f"run once where the hub can be reached, to fill the cache {_cache()}, or give a "
            "local file with --set backbone.weights=FILE (safetensors of this model and tag, as "
            f"the hub has it); {_OFFLINE}",
        ) from error


@contextmanager
def explain_tokenizer(model: str, folder: Path | None) -> Iterator[None]:
    """Turns what goes wrong in fetching or loading a tokenizer into a `DataError`.

    Args:
        model: For messages.
        folder: Of the local weights file, if there is one.

    Raises:
        DataError: Instead of whatever the library raises.
    """
    try:
        with _silent():
            yield
    except ImportError as error:
        raise DataError(
            f"the tokenizer of {model} needs a package: {_reason(error)}",
            hint='pip install "ltbench[siglip]"',
        ) from error
    except Exception as error:  # libraries raise whatever they like here
        where = folder or "the folder of --set backbone.weights=FILE"
        raise DataError(
            f"the tokenizer of {model} cannot be fetched: {_reason(error)}",
            hint=f"put the hub's tokenizer.json and tokenizer_config.json into {where}, or run "
            f"once where the hub can be reached, to fill the cache {_cache()}; {_OFFLINE}",
        ) from error


def _expect_floats(weights: Path) -> None:
    """Looks into the head of a file: a library may take other weights for what it finds nothing of.

    Raises:
        ValueError: It has no tensors, or some whose numbers are coded.
    """
    from safetensors import safe_open

    with safe_open(weights, "np") as file:
        types = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    coded = types - {"F64", "F32", "F16", "BF16", "I64", "I32", "BOOL"}
    if not types or coded:
        raise ValueError(f"it holds {' and '.join(sorted(coded)) or 'no'} tensors")


def _expect_plain_names(weights: Path, model: str, error: Exception) -> None:
    """Raises a `DataError` where the names in a file that did not fit begin as a wrapper's do."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "np") as file:
            names = list(file.keys())
    except (OSError, SafetensorError):  # the error that there is says it
        return
    prefix = ""
    while True:
        inner = next((one for one in _WRAPPERS if _most_begin(names, prefix + one)), None)
        if inner is None:
            break
        prefix += inner
    if prefix:
        begin = sum(name.startswith(prefix) for name in names)
        raise DataError(
            f"{weights} does not hold weights of {model}: {begin:,} of its {len(names):,} names "
            f"begin with '{prefix}', which is the name of what the model was wrapped in",
            hint="store them without it: safetensors.torch.save_file({name.removeprefix("
            f"'{prefix}'): tensor for name, tensor in safetensors.torch.load_file(FILE).items()}}, "
            "NEW)",
        ) from error


def _most_begin(names: list[str], prefix: str) -> bool:
    return 2 * sum(name.startswith(prefix) for name in names) > len(names)


@contextmanager
def _silent() -> Iterator[None]:
    """Keeps libraries from logging each failed try: one error says it all."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _reason(error: Exception) -> str:
    """Returns the first two lines of a message: torch names the wrong weights in the second."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shorten(" ".join(lines[:2]), 300, placeholder=" ...") or type(error).__name__


def _cache() -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    return str(HF_HUB_CACHE)
