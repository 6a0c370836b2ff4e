"""The libraries' names of an encoder's tensors: the inverse of joining and replacing parts."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

_CLIP = "text.encoder.clip."
_MAX_KEY_BIAS = 1e-7  # of a bias that the library's attention lacks; zero before the training


def timm_names(tensors: Mapping[str, Tensor], library: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns a backbone's tensors under the names of a timm model.

    Args:
        tensors: Tensors of the backbone, by name.
        library: Tensors of the library's model, by name.
    """
    return _separated({name.removeprefix("model."): one for name, one in tensors.items()}, library)


def open_clip_names(
    tensors: Mapping[str, Tensor], library: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Returns a backbone's tensors under the names of an open_clip model.

    Args:
        tensors: Tensors of the backbone, by name.
        library: Tensors of the library's model, by name.
    """
    named = {}
    for name, tensor in tensors.items():
        if name == "projection":
            named["visual.proj"] = tensor
        elif name.startswith("model."):
            named[f"visual.{name.removeprefix('model.')}"] = tensor
        elif name.startswith(_CLIP):  # a text tower's other names are of the same tensors
            named[name.removeprefix(_CLIP)] = tensor
    return _separated(named, library)


def _separated(tensors: Mapping[str, Tensor], library: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns tensors with those of joined parts taken apart: see `FusedAttention`, `fusing`.

    A tensor for which the library's model has no place keeps its name.
    """
    named: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        parts = {name: tensor} if name in library else _parts(name, tensor)
        fitting = parts.keys() <= library.keys()
        named.update(parts if fitting else _without_key_bias(name, tensor, library))
    return named


def _parts(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """Returns a joined tensor by the names of what was joined; other tensors by their own name."""
    above, _, kind = name.rpartition(".")
    attention, _, part = above.rpartition(".")
    if part == "qkv":
        return {f"{attention}.in_proj_{kind}": tensor}
    if part == "proj":
        return {f"{attention}.out_proj.{kind}": tensor}
    if part == "fc1":
        gate, value = tensor.chunk(2)
        return {f"{attention}.fc1_g.{kind}": gate, f"{attention}.fc1_x.{kind}": value}
    return {name: tensor}


def _without_key_bias(
    name: str, tensor: Tensor, library: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Returns a joined `qkv` as three tensors; of a bias that is zero for the keys only two."""
    above, _, kind = name.rpartition(".")
    attention, _, part = above.rpartition(".")
    if part != "qkv":
        return {name: tensor}
    chunks = dict(zip("qkv", tensor.chunk(3), strict=True))
    for form in (f"{attention}.{{}}_proj.{kind}", f"{attention}.{{}}_{kind}"):
        found = {form.format(one): chunk for one, chunk in chunks.items()}
        lacking = found.keys() - library.keys()
        if not lacking:
            return found
        zero = all(float(found[key].abs().max()) <= _MAX_KEY_BIAS for key in lacking)
        if kind == "bias" and zero and len(lacking) < len(found):
            return {key: chunk for key, chunk in found.items() if key not in lacking}
    return {name: tensor}
