"""Learned weights and the state of an unfinished training, as safetensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.engine.training.optimizer_state import pack_optimizer, unpack_optimizer
from ltbench.errors import DataError
from ltbench.io.json_text import parse_json
from ltbench.io.reading import expect_regular
from ltbench.storage.files import write_atomically
from ltbench.storage.history import read_rows
from ltbench.storage.parsing import AGAIN

LARGEST = 2**38
"""Size that a file never reaches, in bytes: weights and state of 10 billion parameters."""

_ABOUT = "ltbench"
_WEIGHT, _OPTIMIZER, _KEPT = "weight/", "optimizer/", "kept/"


@dataclass
class TrainState:
    """Everything that training changes besides the learned parameters.

    Attributes:
        optimizer: Optimizer of the learned parameters.
        scaler: Loss scaling.
        history: A row for each epoch that is done.
        kept: Learned parameters of the best epoch so far, by name; empty without selection.
    """

    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    history: list[dict[str, float]] = field(default_factory=list)
    kept: dict[str, Tensor] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Number of epochs that are done."""
        return len(self.history)

    @classmethod
    def start(cls, optimizer: torch.optim.Optimizer, policy: PrecisionPolicy) -> TrainState:
        """Returns the state before the first epoch.

        Args:
            optimizer: Optimizer of the learned parameters.
            policy: Precision of the forward pass.
        """
        scaler = policy.scaler()
        if scaler.is_enabled() and isinstance(optimizer, torch.optim.SGD):
            _allocate_momentum(optimizer)
        return cls(optimizer, scaler)


def _allocate_momentum(optimizer: torch.optim.SGD) -> None:
    """Allocates the buffers of fused SGD before its first step.

    Fused SGD allocates them in that step, uninitialised. A step that overflows is skipped, and they
    would keep the content of the memory. No other fused optimizer of torch does so.
    """
    for group in optimizer.param_groups:
        if group["fused"] and group["momentum"]:
            for parameter in group["params"]:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


def copies(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns copies of parameters in the memory of the CPU."""
    return {name: p.detach().to("cpu", copy=True) for name, p in parameters.items()}


@torch.no_grad()
def put_back(model: Classifier, weights: Mapping[str, Tensor]) -> None:
    """Writes copied values into the learned parameters."""
    for name, parameter in model.learned().items():
        parameter.copy_(weights[name])


def save_learned(model: Classifier, path: Path, run: str = "") -> None:
    """Writes the learned weights.

    Args:
        model: Model with the weights.
        path: File to write.
        run: Hash of the run that learned them.
    """
    tensors = {name: p.detach().contiguous() for name, p in model.learned().items()}
    save_tensors(tensors, path, {"hash": run})


def load_learned(model: Classifier, path: Path, runs: Collection[str] = ()) -> None:
    """Reads the learned weights into a model.

    Args:
        model: Classifier with parameters of the same names and shapes.
        path: File to read. One from before files had a digest is taken as it is.
        runs: Hashes that the run has, or had when the file was written; none: any run's weights.

    Raises:
        DataError: The file is missing or damaged, or belongs to another run or another model.
    """
    tensors, _ = load_tensors(path, runs)
    _copy(tensors, model, path)


def save_tensors(tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, str]) -> None:
    """Writes tensors of a run, with a digest of them and of what the file says about them.

    Args:
        tensors: Contiguous tensors by name.
        path: File to write.
        about: Hash of the run as "hash", and what else there is to say as "model".
    """
    described = {**about, "digest": _digest(tensors, about)}
    # One key: safetensors writes several in any order, and equal runs have equal files.
    write_atomically(path, save(dict(tensors), {_ABOUT: json.dumps(described)}))


def load_tensors(
    path: Path, runs: Collection[str] = ()
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the tensors that `save_tensors` wrote, and what it wrote about them.

    Args:
        path: File to read. One from before files had a digest is taken as it is.
        runs: Hashes that the run has, or had when the file was written; none: any run's tensors.

    Raises:
        DataError: The file is missing, damaged or of another run.
    """
    tensors, metadata = _read(path)
    about: dict[str, str] = {}
    if _ABOUT in metadata:
        about = _texts(metadata[_ABOUT])
        if about.get("digest") != _digest(tensors, about):
            raise DataError(f"{path} is damaged: its digest does not match", hint=AGAIN)
        if runs and about.get("hash") not in runs:
            expected, got = " or ".join(runs), about.get("hash")
            raise DataError(f"{path}: expected weights of run {expected}, got {got}", hint=AGAIN)
    return tensors, about


def save_state(state: TrainState, model: Classifier, path: Path) -> None:
    """Writes a checkpoint that training resumes from bit for bit."""
    learned = model.learned()
    tensors = {_WEIGHT + name: p.detach().contiguous() for name, p in learned.items()}
    tensors |= {_KEPT + name: weight.contiguous() for name, weight in state.kept.items()}
    of_optimizer, optimizer = pack_optimizer(state.optimizer, learned)
    tensors |= {_OPTIMIZER + name: tensor for name, tensor in of_optimizer.items()}
    about = {
        "scaler": json.dumps(state.scaler.state_dict()),
        "history": json.dumps(state.history),
        "optimizer": optimizer,
    }
    write_atomically(path, save(tensors, {**about, "digest": _digest(tensors, about)}))


def load_state(state: TrainState, model: Classifier, path: Path) -> None:
    """Reads a checkpoint into a fresh state and its model.

    Raises:
        DataError: The file is damaged, or belongs to another model or version of ltbench.
    """
    tensors, about = _read(path)
    if about.get("digest") != _digest(tensors, about):
        raise DataError(
            f"{path} is damaged: its digest does not match",
            hint="start from the beginning with --overwrite always",
        )
    if "optimizer" not in about:
        raise DataError(
            f"{path} was written by an earlier version of ltbench",
            hint="start from the beginning with --overwrite always",
        )
    _copy(_section(tensors, _WEIGHT), model, path)
    state.kept = _section(tensors, _KEPT)
    of_optimizer = _section(tensors, _OPTIMIZER)
    try:
        unpack_optimizer(state.optimizer, model.learned(), of_optimizer, about["optimizer"])
        state.scaler.load_state_dict(parse_json(about["scaler"].encode()))
        history = read_rows(parse_json(about["history"].encode()))
        state.history[:] = cast(list[dict[str, float]], history)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise DataError(
            f"{path} is damaged: it holds no state of this training ({error})",
            hint="start from the beginning with --overwrite always",
        ) from error


def _section(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _digest(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> str:
    """Returns a SHA-256 of the tensors and of the texts that numbers depend on."""
    digest = hashlib.sha256()
    for key in ("scaler", "history", "optimizer", "hash", "model"):
        digest.update(about.get(key, "").encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        flat = tensors[name].detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    try:
        expect_regular(path, LARGEST)
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint=AGAIN) from error


def _texts(packed: str) -> dict[str, str]:
    """Returns an object of texts; an empty one if it is something else."""
    try:
        found = parse_json(packed.encode())
    except ValueError:
        return {}
    whole = isinstance(found, dict) and all(isinstance(text, str) for text in found.values())
    return found if whole else {}


def _copy(tensors: Mapping[str, Tensor], model: Classifier, path: Path) -> None:
    learned = model.learned()
    expected = {name: (parameter.shape, parameter.dtype) for name, parameter in learned.items()}
    if {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()} != expected:
        raise DataError(
            f"{path} holds other weights than the run learns",
            hint="another version of a plugin wrote it; run with --overwrite always",
        )
    put_back(model, tensors)
