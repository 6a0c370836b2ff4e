"""Snapshot of an encoder's modules: which of them compute what they computed before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor, nn

_Item = tuple[str, Any, int]
"""Name of an attribute, its value, and for tensors the number of writes so far."""


class EncoderSnapshot:
    """Submodules, tensors, hooks and other attributes of an encoder's modules.

    It holds all of these objects, so that a new one is none of them.

    Args:
        encoder: The encoder.
    """

    def __init__(self, encoder: nn.Module) -> None:
        self._modules = {id(one): (type(one), list(_items(one))) for one in encoder.modules()}
        self._held = list(encoder.modules())

    def unchanged(self, modules: Iterable[nn.Module]) -> bool:
        """Returns whether modules consist of the same objects, none of them written to since.

        A module that is not in the snapshot counts as changed.
        """
        return all(self._same(module) for module in modules)

    def _same(self, module: nn.Module) -> bool:
        before, items = self._modules.get(id(module), (None, []))
        now = list(_items(module))
        return (
            before is type(module)
            and len(now) == len(items)
            and all(_equal(one, other) for one, other in zip(items, now, strict=True))
        )


def _items(module: nn.Module) -> Iterator[_Item]:
    """Yields the attributes of a module; of containers their elements."""
    for name, value in vars(module).items():
        if name == "training":
            continue
        if isinstance(value, dict):
            yield f"{name} of", len(value), 0
            for key, one in value.items():
                yield from ((f"{name}.key", key, 0), (name, one, _writes(one)))
        elif isinstance(value, list | tuple):
            yield f"{name} of", len(value), 0
            yield from ((name, one, _writes(one)) for one in value)
        else:
            yield name, value, _writes(value)


def _writes(value: Any) -> int:
    """Returns how often a tensor has been written to; 0 for anything else."""
    if not isinstance(value, Tensor) or value.is_inference():
        return 0
    return value._version


def _equal(one: _Item, other: _Item) -> bool:
    simple = isinstance(one[1], bool | int | float | str | bytes | None)
    same = one[1] == other[1] if simple else one[1] is other[1]
    return one[0] == other[0] and same and one[2] == other[2]
