"""Features of an encoder that nothing trains: computed once for all epochs, trainings and runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.data.image_digests import digest_of
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig
from ltbench.engine.model.classifier import training_mode
from ltbench.engine.model.fingerprint import weights_fingerprint
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.io.array_cache import Arrays, NoRoomError, in_words
from ltbench.progress import ProgressReporter

_MOST_VIEWS = 256
# Of a pass on a CPU: glibc gives blocks above 32 MB back, and fresh pages cost more than they gain.
_MOST_PIXELS = 16 * 224**2

EncoderState = Literal["pretrained", "frozen", "learned"]
"""Of the encoder: as it was loaded; changed by a method that learns nothing in it; learned."""


@dataclass
class FeatureExtractor:
    """Makes features of views, and keeps those that other runs would compute alike.

    Args:
        backbone: The encoder.
        loader_config: How images reach the device, and where features are kept.
        policy: Precision of the forward pass.
        key: What features depend on, besides weights, views and images.
        progress: Told how it gets on.

    Attributes:
        state: What is known of the encoder's weights.
    """

    backbone: Backbone
    loader_config: LoaderConfig
    policy: PrecisionPolicy
    key: dict[str, Any]
    progress: ProgressReporter
    state: EncoderState = "pretrained"
    _digests: dict[int, str | None] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    @property
    def views_per_pass(self) -> int:
        """How many views go through the encoder at the same time."""
        if self.loader_config.device.type == "cuda":
            return _MOST_VIEWS
        return max(1, min(_MOST_VIEWS, _MOST_PIXELS // self.backbone.resolution**2))

    @property
    def same_in_training(self) -> bool:
        """Whether the encoder makes the same features in training as in evaluation: no dropout."""
        side = self.backbone.resolution
        images = torch.zeros(2, 3, side, side, device=self.backbone.mean.device)
        with torch.inference_mode():
            training_mode(self.backbone)
            trained = self.backbone(images)
            return torch.equal(trained, self.backbone.eval()(images))

    def kept(
        self,
        batches: Batches,
        views: Mapping[str, Any],
        *,
        num_views: int = 1,
        epoch: int = 0,
        of: NDArray[np.int64] | None = None,
    ) -> Tensor | None:
        """Returns the features of some images' views, (M, V, width) float32, on the device.

        On CPUs they equal those of a forward pass of any other images, bit for bit.

        Args:
            batches: Of the split.
            views: What the views depend on, as JSON has it.
            num_views: V.
            epoch: That the views are of.
            of: (M,) indices into the split; None: all.

        Returns:
            None where they cannot be kept, and have to be computed when they are needed: there is
            no room, the encoder is trained, an image is corrupt.
        """
        if self.state == "learned" or not self.loader_config.cache.limit:
            return None
        digest = self._digest(batches)
        if digest is None:
            return None
        indices = np.arange(len(batches.split)) if of is None else of
        key = {
            **self.key,
            "what": "features",
            "weights": weights_fingerprint(self.backbone),
            "projected": self.backbone.projected,
            "state": self.state,
            "images": digest,
            "of": None if of is None else hashlib.sha256(of.tobytes()).hexdigest(),
            "views": views,
        }
        shape = (len(indices), num_views, self.backbone.width)
        found = True

        def fill(arrays: Arrays) -> None:
            nonlocal found
            found = False
            self._encode(batches, epoch, indices, num_views, arrays["features"])

        try:
            arrays = self.loader_config.cache.get(key, {"features": (shape, "float32")}, fill)
        except NoRoomError as error:
            self._tell(f"features are computed each time: {error}")
            return None
        size = in_words(arrays["features"].nbytes)
        self._tell(
            f"features of {len(indices):,} images ({size}): "
            + (f"found in {self.loader_config.cache.folder}" if found else "computed once")
        )
        return torch.from_numpy(arrays["features"]).to(self.backbone.mean.device)

    @torch.inference_mode()
    def of(self, batch: Batch) -> Tensor:
        """Returns the features of a batch's views, (B, V, width) float32."""
        with self.policy.autocast():
            pixels = self.backbone.normalize(batch.views.flatten(0, 1))
            features: Tensor = self.backbone(pixels)
        views: Tensor = features.float().unflatten(0, batch.views.shape[:2])
        return views

    def _encode(
        self,
        batches: Batches,
        epoch: int,
        indices: NDArray[np.int64],
        num_views: int,
        features: NDArray[np.float32],
    ) -> None:
        self.backbone.eval()
        self.progress.start("encoding", len(indices))
        size = max(1, self.views_per_pass // num_views)
        parts = torch.split(torch.from_numpy(indices), size)
        done = 0
        for batch in batches.of((epoch, part.numpy()) for part in parts):
            count = len(batch.labels)
            features[done : done + count] = self.of(batch).cpu().numpy()
            done += count
            self.progress.advance(count)
        self.progress.stop()
        if done < len(indices):
            raise NoRoomError(f"{len(indices) - done} images cannot be decoded")

    def _digest(self, batches: Batches) -> str | None:
        images = batches.split.images
        if id(images) not in self._digests:
            self._digests[id(images)] = digest_of(images)
        return self._digests[id(images)]

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.progress.note(text)
