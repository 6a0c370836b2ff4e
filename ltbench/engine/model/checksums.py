"""Checksums of a model's tensors: which of them are still those of the pretrained backbone."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.fingerprint import tensor_bytes


@dataclass(frozen=True)
class Pretrained:
    """Tensors of a pretrained backbone and their checksums, before a method changes it.

    It holds the tensors, so that none of their ids is given to another one.

    Args:
        tensors: Tensor and checksum, by the tensor's id.
    """

    tensors: Mapping[int, tuple[Tensor, int]]

    @classmethod
    def of(cls, backbone: Backbone) -> Pretrained:
        """Returns the tensors of a backbone as they are now."""
        return cls({id(one): (one, checksum(one)) for _, one in named_tensors(backbone)})

    def in_model(self, model: Classifier) -> dict[str, int]:
        """Returns the checksums of the tensors that a model has from the backbone, by name there.

        A checksum is that of the pretrained values, whatever the method has made of them.
        """
        named = named_tensors(model)
        return {name: self.tensors[id(one)][1] for name, one in named if id(one) in self.tensors}


def named_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yields every parameter and buffer of a model by name, each once, stored or not."""
    yield from model.named_parameters()
    yield from model.named_buffers()


def checksum(tensor: Tensor) -> int:
    """Returns the CRC-32 of a tensor's dtype, shape and bytes."""
    described = f"{tensor.dtype} {tuple(tensor.shape)}".encode()
    return zlib.crc32(tensor_bytes(tensor), zlib.crc32(described))
