"""The whole state of an optimizer as named tensors and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.errors import DataError, PluginError
from ltbench.io.json_text import parse_json

_TENSOR, _DTYPE, _TUPLE, _TABLE, _FLOAT = "tensor", "dtype", "tuple", "table", "float"


def pack_optimizer(
    optimizer: torch.optim.Optimizer, learned: Mapping[str, nn.Parameter]
) -> tuple[dict[str, Tensor], str]:
    """Returns the tensors of an optimizer's state by name, and all else of it as JSON.

    Args:
        optimizer: The optimizer.
        learned: Its parameters by name.

    Raises:
        PluginError: Its state holds an object that no checkpoint can hold.
    """
    described, names = optimizer.state_dict(), _names(optimizer, learned)
    tensors: dict[str, Tensor] = {}
    state = [
        [key, _pack(value, names[key] if isinstance(key, int) else str(key), tensors)]
        for key, value in described["state"].items()
    ]
    groups = _pack(described["param_groups"], "groups", tensors)
    return tensors, json.dumps({"parameters": names, "state": state, "groups": groups})


def unpack_optimizer(
    optimizer: torch.optim.Optimizer,
    learned: Mapping[str, nn.Parameter],
    tensors: Mapping[str, Tensor],
    packed: str,
) -> None:
    """Puts a packed state into an optimizer of the same parameters.

    Args:
        optimizer: The optimizer.
        learned: Its parameters by name.
        tensors: Tensors of the state by name.
        packed: All else of the state, as `pack_optimizer` returned it.

    Raises:
        DataError: It is the state of an optimizer of other parameters.
    """
    stored = parse_json(packed.encode())
    if stored["parameters"] != _names(optimizer, learned):
        raise DataError(
            "the checkpoint holds the state of an optimizer of other parameters",
            hint="start from the beginning with --overwrite always",
        )
    state = {key: _unpack(value, tensors) for key, value in stored["state"]}
    groups = _unpack(stored["groups"], tensors)
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    # `load_state_dict` moves tensors to their device, but casts them to their parameter's dtype.
    for key, loaded in optimizer.state_dict()["state"].items():
        loaded.update({name: _exact(loaded[name], value) for name, value in state[key].items()})


def _names(optimizer: torch.optim.Optimizer, learned: Mapping[str, nn.Parameter]) -> list[str]:
    """Returns the names of an optimizer's parameters, in the order of its `state_dict()`."""
    known = {id(parameter): name for name, parameter in learned.items()}
    return [known[id(p)] for group in optimizer.param_groups for p in group["params"]]


def _pack(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Returns a value as JSON; its tensors are added to `tensors` and named in it."""
    if isinstance(value, Tensor):
        # A copy: tensors that share memory cannot be written.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        items = [[key, _pack(one, f"{name}/{key}", tensors)] for key, one in value.items()]
        return {_TABLE: items}
    if isinstance(value, list | tuple):
        parts = [_pack(one, f"{name}/{index}", tensors) for index, one in enumerate(value)]
        return {_TUPLE: parts} if isinstance(value, tuple) else parts
    if isinstance(value, torch.dtype):
        return {_DTYPE: str(value).removeprefix("torch.")}
    if isinstance(value, float) and not math.isfinite(value):  # JSON has no such numbers
        return {_FLOAT: repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise PluginError(
        f"the optimizer's state holds a {type(value).__name__} ({name}), which no checkpoint holds",
        hint="keep tensors, numbers and texts, or lists, tuples and dicts of them, in the state",
    )


def _unpack(packed: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(packed, list):
        return [_unpack(one, tensors) for one in packed]
    if not isinstance(packed, dict):
        return packed
    if _TENSOR in packed:
        return tensors[packed[_TENSOR]]
    if _DTYPE in packed:
        dtype = getattr(torch, packed[_DTYPE])
        if not isinstance(dtype, torch.dtype):
            raise ValueError(f"{packed[_DTYPE]} is no dtype")
        return dtype
    if _FLOAT in packed:
        return float(packed[_FLOAT])
    if _TUPLE in packed:
        return tuple(_unpack(one, tensors) for one in packed[_TUPLE])
    return {key: _unpack(one, tensors) for key, one in packed[_TABLE]}


def _exact(loaded: Any, stored: Any) -> Any:
    """Returns a stored value with its tensors on the device where they were loaded to."""
    if isinstance(stored, Tensor):
        return stored.to(loaded.device)
    if isinstance(stored, dict):
        return {key: _exact(loaded[key], value) for key, value in stored.items()}
    if isinstance(stored, list | tuple):
        return type(stored)(_exact(one, other) for one, other in zip(loaded, stored, strict=True))
    return stored
