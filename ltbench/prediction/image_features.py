"""Features of the images of a prediction, read and computed as an evaluation does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from ltbench.data import ArrayImages, Dataset, Split
from ltbench.data.images import ImageSource
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig, Order
from ltbench.data.loading.num_workers import choose_workers
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.engine.building.inference_batches import InferenceBatches
from ltbench.engine.building.loaders import loader_cores
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.fingerprint import CurrentFingerprint
from ltbench.engine.model.precision import wait_for
from ltbench.engine.model.split_features import FeatureBatch, SplitFeatures
from ltbench.engine.stored_model import StoredModel
from ltbench.prediction.given_images import Pictures
from ltbench.progress import SILENT, ProgressReporter

_MEASURED_PASSES = 2  # of which the last one counts: the first includes the time of imports


@dataclass
class ImageFeatures:
    """Features of the views of images, pass by pass.

    Args:
        model: The trained model.
        inference: Choice of the views.
        images: N images.
        loader_config: Device of the images; `workers` may be left open.
        batch_size: Images in a pass; None: as in an evaluation, with the same bits.
    """

    model: StoredModel
    inference: CheckedInference
    images: ImageSource
    loader_config: LoaderConfig
    batch_size: int | None
    _loaders: list[Batches] = field(default_factory=list)

    def of_all(self, progress: ProgressReporter = SILENT) -> Iterator[FeatureBatch]:
        """Yields the features of all images that can be decoded, in their order.

        Where the number of loader workers is left open, the main process decodes the first two
        passes, and the number is chosen by the time of the second.

        Args:
            progress: Reporter of the number of loader workers.
        """
        extractor, orders, workers = self._extractor(), self._orders(), self.loader_config.workers
        if isinstance(self.images, ArrayImages | Pictures):  # nothing is decoded from files
            workers = 0
        if workers is None:
            encode = _TimedEncoder(extractor.encode, self.loader_config.device)
            first, seconds = self._features(encode, workers=0), 0.0
            for _, order in zip(range(_MEASURED_PASSES), orders, strict=False):
                start, encode.seconds = time.perf_counter(), 0.0
                found = list(first.of([order]))
                seconds = time.perf_counter() - start
                yield from found
            following = next(orders, None)
            if following is None:
                return
            group = self.loader_config.group
            # Only the leading process has computed these passes.
            seconds, learning = group.broadcast((seconds, encode.seconds))
            reading = max(seconds - learning, 0.0)
            cores = max(1, loader_cores(self.loader_config.device) // group.local_size)
            workers, reason = choose_workers(
                reading / first.images_per_pass, learning / first.images_per_pass, cores
            )
            progress.note(f"workers: {workers} ({reason})")
            orders = _chained(following, orders)
        yield from self._features(extractor.encode, workers).of(orders)

    def take_skipped(self) -> dict[int, str]:
        """Returns messages about images that could not be decoded, by index, each image once."""
        taken: dict[int, str] = {}
        for loader in self._loaders:
            taken |= loader.skipped
            loader.skipped.clear()
        return taken

    def close(self) -> None:
        """Shuts down idle loader workers."""
        for loader in self._loaders:
            loader.close()

    def _extractor(self) -> FeatureExtractor:
        backbone = self.model.classifier.backbone
        return FeatureExtractor(
            backbone,
            self.loader_config,
            self.model.policy,
            {},
            SILENT,
            CurrentFingerprint(backbone),
            "learned",  # nothing is cached
        )

    @property
    def _images_per_pass(self) -> int:
        views = self.inference.num_views(self.model.resolution)
        return self.batch_size or max(1, self._extractor().views_per_pass // views)

    def _orders(self) -> Iterator[Order]:
        """Yields the images of each pass, without an object for each of a million."""
        size, each = len(self.images), self._images_per_pass
        return ((0, np.arange(at, min(at + each, size))) for at in range(0, size, each))

    def _features(self, encode: Callable[[Batch], Tensor], workers: int) -> SplitFeatures:
        split = Split(self.images, np.zeros(len(self.images), np.int64))  # labels are not read
        dataset = Dataset(self.model.class_names, {"train": split, "test": split})
        loader = InferenceBatches(
            dataset,
            "test",
            self.inference,
            self.model.resolution,
            replace(self.loader_config, workers=workers),
            indexed=False,  # an image's prediction does not depend on its place among others
        )
        self._loaders.append(loader)
        every = np.empty(0, np.int64)
        return SplitFeatures(loader, 0, every, self._images_per_pass, encode)


@dataclass
class _TimedEncoder:
    """Feature extractor that measures its time.

    Args:
        encode: Function from a batch of views to their features.
        device: Device of the features.

    Attributes:
        seconds: Seconds of all calls.
    """

    encode: Callable[[Batch], Tensor]
    device: torch.device
    seconds: float = 0.0

    def __call__(self, batch: Batch) -> Tensor:
        """Returns the features of a batch when they are computed."""
        wait_for(self.device)
        start = time.perf_counter()
        features = self.encode(batch)
        wait_for(self.device)
        self.seconds += time.perf_counter() - start
        return features


def _chained(first: Order, others: Iterator[Order]) -> Iterator[Order]:
    yield first
    yield from others
