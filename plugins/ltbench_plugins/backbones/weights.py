"""Loading of weights from a library's hub or from a local file, with readable errors."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten

from ltbench.errors import DataError, MissingPathError
from ltbench_plugins.hub import hub_or_cache

_WRAPPERS = ("module.", "_orig_mod.", "model.", "backbone.")
"""Prefixes that wrappers for parallel, compiled or self-supervised training add to names."""

_OFFLINE = "with HF_HUB_OFFLINE=1 the network is not used"


def file_identity(path: Path) -> str:
    """Returns the hash of a weights file.

    Raises:
        MissingPathError: The file does not exist.
    """
    if not path.is_file():
        raise MissingPathError(
            f"the weights file {path} does not exist",
            hint="set backbone.weights to an existing file",
        )
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def explain_weights(model: str, weights: Path | None, *, from_hub: bool) -> Iterator[None]:
    """Turns errors of fetching or loading weights into a `DataError`.

    Args:
        model: Name of the model for messages.
        weights: Local weights file, or None. Its name must end with `.safetensors`, so that no
            library unpickles it.
        from_hub: Whether weights are fetched, where there is no file.

    Raises:
        DataError: The library failed to fetch or load the weights.
    """
    if weights is not None and weights.suffix != ".safetensors":
        raise DataError(
            f"{weights} does not hold weights of {model}: expected a safetensors file",
            hint="choose a file whose name ends with .safetensors: loading others may run code",
        )
    if weights is not None:
        with _explain_file(model, weights):
            yield
        return
    with hub_or_cache(from_hub) as silence, _silent():
        try:
            yield
        except Exception as error:  # libraries raise errors of any kind
            raise DataError(
                f"the weights of {model} cannot be fetched: {silence or _reason(error)}",
                hint=f"run once with access to the hub, to fill the cache {_cache()}, or set a "
                "local file with --set backbone.weights=FILE (safetensors of this model and tag, "
                f"as on the hub); {_OFFLINE}",
            ) from error


@contextmanager
def _explain_file(model: str, weights: Path) -> Iterator[None]:
    """Turns errors of loading a file into a `DataError`."""
    try:
        _expect_floats(weights)
        with _silent():
            yield
    except Exception as error:  # libraries raise errors of any kind
        _expect_plain_names(weights, model, error)
        raise DataError(
            f"{weights} does not hold weights of {model}: {_reason(error)}",
            hint="choose a safetensors file of exactly this model",
        ) from error


@contextmanager
def explain_tokenizer(model: str, folder: Path | None, *, from_hub: bool) -> Iterator[None]:
    """Turns errors of fetching or loading a tokenizer into a `DataError`.

    Args:
        model: Name of the model for messages.
        folder: Folder of the local weights file, or None.
        from_hub: Whether the tokenizer is fetched, and not one of the library's own.

    Raises:
        DataError: The library failed to fetch or load the tokenizer.
    """
    with hub_or_cache(from_hub) as silence, _silent():
        try:
            yield
        except ImportError as error:
            raise DataError(
                f"the tokenizer of {model} needs a package: {_reason(error)}",
                hint='pip install "ltbench[siglip]"',
            ) from error
        except Exception as error:  # libraries raise errors of any kind
            where = folder or "the folder of --set backbone.weights=FILE"
            raise DataError(
                f"the tokenizer of {model} cannot be fetched: {silence or _reason(error)}",
                hint=f"put the hub's tokenizer.json and tokenizer_config.json into {where}, or run "
                f"once with access to the hub, to fill the cache {_cache()}; {_OFFLINE}",
            ) from error


def _expect_floats(weights: Path) -> None:
    """Checks the header of a file: a library may load other weights if it finds no tensor.

    Raises:
        ValueError: The file has no tensors, or quantised ones.
    """
    from safetensors import safe_open

    with safe_open(weights, "np") as file:
        types = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    quantised = types - {"F64", "F32", "F16", "BF16", "I64", "I32", "BOOL"}
    if not types or quantised:
        raise ValueError(f"it holds {' and '.join(sorted(quantised)) or 'no'} tensors")


def _expect_plain_names(weights: Path, model: str, error: Exception) -> None:
    """Raises a `DataError` if the names in a misfitting file begin with a wrapper's prefix."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "np") as file:
            names = list(file.keys())
    except (OSError, SafetensorError):  # the original error is reported
        return
    prefix = ""
    while True:
        inner = next((one for one in _WRAPPERS if _most_have_prefix(names, prefix + one)), None)
        if inner is None:
            break
        prefix += inner
    if prefix:
        begin = sum(name.startswith(prefix) for name in names)
        raise DataError(
            f"{weights} does not hold weights of {model}: {begin:,} of its {len(names):,} names "
            f"begin with '{prefix}', the prefix of a wrapper of the model",
            hint="store them without it: safetensors.torch.save_file({name.removeprefix("
            f"'{prefix}'): tensor for name, tensor in safetensors.torch.load_file(FILE).items()}}, "
            "NEW)",
        ) from error


def _most_have_prefix(names: list[str], prefix: str) -> bool:
    return 2 * sum(name.startswith(prefix) for name in names) > len(names)


@contextmanager
def _silent() -> Iterator[None]:
    """Suppresses the libraries' log of each failed try: one error reports them."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _reason(error: Exception) -> str:
    """Returns the first two lines of a message: torch lists the wrong weights in the second."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shorten(" ".join(lines[:2]), 300, placeholder=" ...") or type(error).__name__


def _cache() -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    return str(HF_HUB_CACHE)
