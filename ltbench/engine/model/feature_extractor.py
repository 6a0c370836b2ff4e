"""Features of a frozen encoder: computed once for all epochs, trainings and runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.data import Dataset
from ltbench.data.image_digests import source_digest
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig
from ltbench.engine.model.blank_images import blank_images
from ltbench.engine.model.classifier import training_mode
from ltbench.engine.model.fingerprint import CurrentFingerprint
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.engine.model.split_features import SplitFeatures
from ltbench.errors import RunError
from ltbench.io.array_cache import Arrays, Layout, NoRoomError
from ltbench.io.interrupts import check
from ltbench.io.sizes import in_words
from ltbench.progress import ProgressReporter
from ltbench.views import Views, center_square, one_view

_MAX_VIEWS_PER_PASS = 256
# On a CPU: glibc gives blocks above 32 MB back to the system, and fresh pages are slow.
_MAX_PIXELS_PER_PASS = 16 * 224**2

EncoderState = Literal["pretrained", "frozen", "learned"]
"""State of an encoder: as it was loaded; changed by a method that learns nothing in it; learned."""


@dataclass(frozen=True)
class FeatureExtractor:
    """Computes features of views, and caches those that other runs would compute alike.

    Args:
        backbone: Encoder on its device.
        loader_config: Device of the images, and the cache.
        policy: Precision of the forward pass.
        key: Values that features depend on, besides weights, views and images.
        progress: Reporter of what is computed.
        fingerprint: Fingerprint of the encoder's weights.
        state: State of the encoder; features of a learned one are never cached.
    """

    backbone: Backbone
    loader_config: LoaderConfig
    policy: PrecisionPolicy
    key: Mapping[str, Any]
    progress: ProgressReporter
    fingerprint: CurrentFingerprint
    state: EncoderState = "pretrained"
    _digests: dict[int, str | None] = field(default_factory=dict)
    _noted: set[str] = field(default_factory=set)

    def adapted(self, method: Mapping[str, Any], *, learned: bool) -> FeatureExtractor:
        """Returns the extractor of the same encoder after a method has changed it.

        Args:
            method: Name, options and plugin of the method.
            learned: Whether the encoder is trained.
        """
        state: EncoderState = "learned" if learned else "frozen"
        return replace(self, state=state, key={**self.key, "method": method})

    @property
    def views_per_pass(self) -> int:
        """Number of views that go through the encoder at the same time."""
        if self.loader_config.device.type == "cuda":
            return _MAX_VIEWS_PER_PASS
        most = _MAX_PIXELS_PER_PASS // self.backbone.resolution**2
        return max(1, min(_MAX_VIEWS_PER_PASS, most))

    @property
    def same_in_training(self) -> bool:
        """Whether the encoder computes the same features in training as in evaluation."""
        images = blank_images(self.backbone, 2)
        with torch.inference_mode():
            training_mode(self.backbone)
            trained = self.backbone(images)
            return torch.equal(trained, self.backbone.eval()(images))

    def features(
        self,
        batches: Batches,
        views: Mapping[str, Any],
        *,
        num_views: int = 1,
        epoch: int = 0,
        indices: NDArray[np.int64] | None = None,
    ) -> SplitFeatures:
        """Returns the features of the views of some images of a split.

        They are read from the cache, or computed now and cached. Where they cannot be cached, they
        are computed each time they are read: the cache has no room, the encoder is trained, or an
        image is corrupt. On CPUs the bits are the same in any case.

        Args:
            batches: Views of the split's images.
            views: Values that the views depend on, as JSON has them.
            num_views: V, the views of an image.
            epoch: Epoch that the views belong to.
            indices: (M,) indices of the images; None: all images of the split.
        """
        computed = SplitFeatures(
            batches,
            epoch,
            np.arange(len(batches.split)) if indices is None else indices,
            max(1, self.views_per_pass // num_views),
            self.encode,
        )
        images = self._digest(batches)
        if images is None:
            return computed
        key = {
            **self.key,
            "what": "features",
            "weights": self.fingerprint(),
            "projected": self.backbone.projected,
            "state": self.state,
            "images": images,
            "of": None if indices is None else hashlib.sha256(indices.tobytes()).hexdigest(),
            "views": views,
        }
        shape = (len(computed.indices), num_views, self.backbone.width)
        return replace(computed, cached=self._cached(key, shape, computed))

    def plain_features(
        self, dataset: Dataset, split: str, indices: NDArray[np.int64]
    ) -> SplitFeatures:
        """Returns the features of plain views: images resized to the resolution, centre crop.

        Args:
            dataset: Data set.
            split: Name of the split.
            indices: (M,) indices of the images.
        """
        batches = Batches(
            dataset,
            split,
            lambda sizes, epoch, draws: one_view(Views(center_square(sizes))),
            self.backbone.resolution,
            self.loader_config,
        )
        self.backbone.eval()
        return self.features(batches, {"views": "centre"}, indices=indices)

    @torch.inference_mode()
    def encode(self, batch: Batch) -> Tensor:
        """Returns the features of a batch's views, (B, V, width) float32."""
        with self.policy.autocast():
            pixels = self.backbone.normalize(batch.views.flatten(0, 1))
            features: Tensor = self.backbone(pixels)
        views: Tensor = features.float().unflatten(0, batch.views.shape[:2])
        return views

    def _cached(
        self, key: Mapping[str, Any], shape: tuple[int, ...], computed: SplitFeatures
    ) -> Tensor | None:
        """Returns the cache's features, (M, V, width), or None where it has no room for them."""
        cache, found = self.loader_config.cache, True
        layout: Layout = {"features": (shape, "float32")}
        group = self.loader_config.group

        def fill(arrays: Arrays) -> None:
            nonlocal found
            found = False
            group.broadcast("compute")
            try:
                self._write(computed, arrays["features"])
            except OSError as error:
                if group.size == 1:
                    raise
                # It would count as a fault of the cache, while the others are in a pass.
                raise RunError(
                    f"the features cannot be computed: {error}",
                    hint="the same command starts again, or resumes after its last epoch",
                ) from error

        if not group.leads:
            return self._followed(key, layout, computed)
        try:
            arrays = cache.get(key, layout, fill)
        except NoRoomError as error:
            group.broadcast("nothing")
            self._note(f"features are computed each time: {error}")
            return None
        group.broadcast("cached")
        size = in_words(arrays["features"].nbytes)
        self._note(
            f"features of {shape[0]:,} images ({size}): "
            + (f"found in {cache.folder}" if found else "computed once")
        )
        features = torch.from_numpy(arrays["features"]).to(self.backbone.mean.device)
        if group.some(False):  # another machine does not see this cache
            group.synchronise([features])
        return features

    def _followed(
        self, key: Mapping[str, Any], layout: Layout, computed: SplitFeatures
    ) -> Tensor | None:
        """Returns the features that the leading process has cached; None where it has none."""
        group, device = self.loader_config.group, self.backbone.mean.device
        said = group.broadcast("")
        if said == "compute":
            self.backbone.eval()
            for _ in computed:  # a share of the work
                check()
            said = group.broadcast("")
        if said == "nothing":
            return None
        arrays = self.loader_config.cache.find(key, layout)
        shape, _ = layout["features"]
        features = (
            torch.empty(shape) if arrays is None else torch.from_numpy(arrays["features"])
        ).to(device)
        if group.some(arrays is None):
            group.synchronise([features])
        return features

    def _write(self, computed: SplitFeatures, features: NDArray[np.float32]) -> None:
        """Computes features and writes them into an array of the cache.

        Raises:
            NoRoomError: An image is corrupt, so that the array cannot be filled.
        """
        self.backbone.eval()
        images = len(computed.indices)
        self.progress.start("encoding", images)
        done = 0
        for batch in computed:
            count = len(batch.labels)
            features[done : done + count] = batch.features.cpu().numpy()
            done += count
            self.progress.advance(count)
        self.progress.stop()
        if done < images:
            raise NoRoomError(f"{images - done} images cannot be decoded")

    def _digest(self, batches: Batches) -> str | None:
        """Returns the digest of a split's images; None where nothing of them is to be cached."""
        if self.state == "learned" or not self.loader_config.cache.limit:
            return None
        images = batches.split.images
        if id(images) not in self._digests:
            self._digests[id(images)] = source_digest(images)
        return self._digests[id(images)]

    def _note(self, text: str) -> None:
        """Reports a text unless it has been reported before."""
        if text not in self._noted:
            self._noted.add(text)
            self.progress.note(text)
