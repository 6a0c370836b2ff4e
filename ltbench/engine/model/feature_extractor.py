"""Features of a frozen encoder: computed once for all epochs, trainings and runs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
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
from ltbench.engine.model.encoder_parts import EncoderPart, ModelOutput, WholeEncoder
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

_MAX_SHARE_OF_ACTIVATIONS = 0.5  # of the cache's size: features and decoded images stay in it

EncoderState = Literal["pretrained", "frozen", "learned"]
"""State of an encoder: as it was loaded; changed by a method that learns nothing in it; learned."""

PLAIN_VIEWS: Mapping[str, Any] = {"views": "centre"}
"""Key of the views of images resized to the resolution, centre crop."""


@dataclass(frozen=True)
class FeatureExtractor:
    """Computes features of views, and caches those that other runs would compute alike.

    Instead of the features, the outputs of a part of the encoder may be cached, from which the
    features are computed each time.

    Args:
        backbone: Encoder on its device.
        loader_config: Device of the images, and the cache.
        policy: Precision of the forward pass.
        key: Values that features depend on, besides weights, views and images.
        progress: Reporter of what is computed.
        fingerprint: Function that returns the fingerprint of the encoder's weights.
        state: State of the encoder; features of a learned one are never cached.
        part: Part of the encoder whose outputs are cached; None: the whole encoder.
    """

    backbone: Backbone
    loader_config: LoaderConfig
    policy: PrecisionPolicy
    key: Mapping[str, Any]
    progress: ProgressReporter
    fingerprint: Callable[[], str]
    state: EncoderState = "pretrained"
    part: EncoderPart | None = None
    _digests: dict[int, str | None] = field(default_factory=dict)
    _noted: set[str] = field(default_factory=set)

    def adapted(
        self, method: Mapping[str, Any], *, learned: bool, unchanged: bool = False
    ) -> FeatureExtractor:
        """Returns the extractor of the same encoder after a method has changed it.

        Args:
            method: Name, options and plugin of the method.
            learned: Whether the encoder is trained.
            unchanged: Whether the encoder is still the pretrained one, which methods share.
        """
        if unchanged and not learned:
            return self
        state: EncoderState = "learned" if learned else "frozen"
        return replace(self, state=state, key={**self.key, "method": method})

    def of_part(self, part: EncoderPart, fingerprint: Callable[[], str]) -> FeatureExtractor:
        """Returns the extractor that caches the outputs of a frozen part of the encoder.

        Args:
            part: Part of the encoder in which the method has changed nothing.
            fingerprint: Function that returns the fingerprint of the weights: as long as the part
                is unchanged, that of the pretrained encoder.
        """
        return replace(self, part=part, fingerprint=fingerprint)

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
        size = len(batches.split)
        every = np.arange(size)
        computed = SplitFeatures(
            batches,
            epoch,
            every if indices is None else indices,
            max(1, self.views_per_pass // num_views),
            self.encode,
            self._rest,
        )
        images = self._digest(batches)
        if images is None:
            return computed
        key = {
            **self.key,
            "what": self._part.name,
            "weights": self.fingerprint(),
            "projected": self.backbone.projected and self.part is None,
            "state": self.state,
            "images": images,
            "views": views,
        }
        held = every
        if indices is not None and len(indices) < size and not self._kept(key, num_views, size):
            key["of"] = hashlib.sha256(indices.tobytes()).hexdigest()
            held = indices

        def source() -> SplitFeatures:
            before = self._unprojected()
            if before is None:
                return replace(computed, indices=held, rest=None)
            only = held if "of" in key else None
            return before.features(batches, views, num_views=num_views, epoch=epoch, indices=only)

        layout = self._layout(len(held), num_views)
        return replace(computed, cached=self._cached(key, layout, source), held=held)

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
        return self.features(batches, PLAIN_VIEWS, indices=indices)

    @torch.inference_mode()
    def encode(self, batch: Batch) -> Tensor:
        """Returns the outputs of the encoder, or of its part, for a batch's views, (B, V, ...).

        Those of the whole encoder are its features, (B, V, width) float32.
        """
        with self.policy.autocast():
            pixels = self.backbone.normalize(batch.views.flatten(0, 1))
            outputs = self._part.encode(pixels)
        views: Tensor = outputs.to(self._part.dtype).unflatten(0, batch.views.shape[:2])
        return views

    @property
    def _part(self) -> EncoderPart:
        return self.part or WholeEncoder(self.backbone)

    @property
    def _rest(self) -> Callable[[Tensor], Tensor] | None:
        """Function from outputs of the part (B, V, ...) to features; None for the identity."""
        return None if self.part is None else self._finish

    @torch.inference_mode()
    def _finish(self, outputs: Tensor) -> Tensor:
        """Returns the features (B, V, width), float32, for outputs of the part (B, V, ...)."""
        with self.policy.autocast():
            features = self._part.rest(outputs.flatten(0, 1))
        views: Tensor = features.float().unflatten(0, outputs.shape[:2])
        return views

    def _layout(self, images: int, num_views: int) -> Layout:
        """Returns the layout of the outputs of some images, (M, V, ...)."""
        # NumPy has no bfloat16.
        dtype = {torch.float32: "float32", torch.float16: "float16"}.get(self._part.dtype, "int16")
        return {"features": ((images, num_views, *self._part.shape), dtype)}

    def _kept(self, key: Mapping[str, Any], num_views: int, images: int) -> bool:
        """Returns whether the outputs for all images of a split are in the cache already."""
        alone = self.loader_config.group.size == 1  # the decision must be that of all processes
        layout = self._layout(images, num_views)
        return alone and self.loader_config.cache.find(key, layout) is not None

    def _unprojected(self) -> FeatureExtractor | None:
        """Returns the extractor of the features before the projection into the joint space.

        Methods with and without the projection share the pass over the images. None where there is
        no projection, or where several processes share the pass out.
        """
        apart = self.part is None and self.state == "pretrained" and self.backbone.projected
        if not apart or self.loader_config.group.size > 1:
            return None
        part = ModelOutput.of(self.backbone)
        return None if part is None else replace(self, part=part)

    def _cached(
        self, key: Mapping[str, Any], layout: Layout, source: Callable[[], SplitFeatures]
    ) -> Tensor | None:
        """Returns the cache's outputs, (M, V, ...), or None where it has no room for them.

        Args:
            key: Key of the outputs.
            layout: Their layout.
            source: Function that returns the outputs to be cached; called on a cache miss.
        """
        cache, found = self.loader_config.cache, True
        group, name = self.loader_config.group, self._part.name

        def fill(arrays: Arrays) -> None:
            nonlocal found
            found = False
            group.broadcast("compute")
            try:
                self._write(source(), arrays["features"])
            except OSError as error:
                if group.size == 1:
                    raise
                # It would count as a fault of the cache, while the others are in a pass.
                raise RunError(
                    f"the features cannot be computed: {error}",
                    hint="the same command starts again, or resumes after its last epoch",
                ) from error

        if not group.leads:
            return self._followed(key, layout, source)
        try:
            self._expect_fair_share(layout)
            arrays = cache.get(key, layout, fill)
        except NoRoomError as error:
            group.broadcast("nothing")
            self._note(f"{name} are computed each time: {error}")
            return None
        group.broadcast("cached")
        size = in_words(arrays["features"].nbytes)
        self._note(
            f"{name} of {len(arrays['features']):,} images ({size}): "
            + (f"found in {cache.folder}" if found else "computed once")
        )
        features = torch.from_numpy(arrays["features"])
        if features.dtype != self._part.dtype:
            features = features.view(self._part.dtype)
        features = features.to(self.backbone.mean.device)
        if group.some(False):  # another machine does not see this cache
            group.synchronise([features])
        return features

    def _expect_fair_share(self, layout: Layout) -> None:
        """Checks that activations leave room for what other runs need.

        Raises:
            NoRoomError: They would fill most of the cache.
        """
        if self.part is None:
            return
        shape, dtype = layout["features"]
        size = math.prod(shape) * np.dtype(dtype).itemsize
        most = _MAX_SHARE_OF_ACTIVATIONS * self.loader_config.cache.limit
        if size > most:
            raise NoRoomError(
                f"expected at most {in_words(int(most))}, half of the cache, got {in_words(size)}"
            )

    def _followed(
        self, key: Mapping[str, Any], layout: Layout, source: Callable[[], SplitFeatures]
    ) -> Tensor | None:
        """Returns the features that the leading process has cached; None where it has none."""
        group, device = self.loader_config.group, self.backbone.mean.device
        said = group.broadcast("")
        if said == "compute":
            self.backbone.eval()
            for _ in source():  # a share of the work
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

    def _write(self, computed: SplitFeatures, features: NDArray[Any]) -> None:
        """Computes features and writes them into an array of the cache.

        Raises:
            NoRoomError: An image is corrupt, so that the array cannot be filled.
        """
        self.backbone.eval()
        images = len(computed.indices)
        self.progress.start("encoding" if computed.cached is None else "projecting", images)
        done = 0
        for batch in computed:
            count = len(batch.labels)
            found = batch.features.cpu()
            features[done : done + count] = (
                found.view(torch.int16) if found.dtype == torch.bfloat16 else found
            ).numpy()
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
