"""Features of a stored run's train and test images, class by class.

Views are plain: the image resized to the resolution of the backbone, and its centre crop. Features
of an encoder that is not trained come from the cache, or are added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.analysis.diagnosis.class_statistics import ClassFeatures
from ltbench.config.resolve import Resolved
from ltbench.data import Dataset
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.build_encoder import build_encoder
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.split_features import SplitFeatures
from ltbench.engine.stored_model import rebuild_run
from ltbench.io.interrupts import check
from ltbench.progress import ProgressReporter
from ltbench.storage.diagnosis_schema import Encoder
from ltbench.storage.run_directory import RunDirectory

Classify = Callable[[Tensor], Tensor]
"""Function from features (B, width) to predicted classes (B,)."""


@dataclass(frozen=True)
class StoredEncoder:
    """Encoder of a stored run with its images, and its classifier.

    Args:
        dataset: Data set of the run.
        split: Evaluated split.
        extractor: Feature extractor of the encoder.
        classify: Classifier of the features; None for a pretrained encoder.
    """

    dataset: Dataset
    split: str
    extractor: FeatureExtractor
    classify: Classify | None

    @classmethod
    def of(
        cls,
        resolved: Resolved,
        directory: RunDirectory,
        loader_config: LoaderConfig,
        encoder: Encoder,
        progress: ProgressReporter,
    ) -> StoredEncoder:
        """Rebuilds the encoder of a finished run.

        Args:
            resolved: Choices of the run.
            directory: Run directory.
            loader_config: Device, and how images reach it.
            encoder: Encoder of the run, or that of its backbone before the run changed it.
            progress: Reporter of what is built and computed.

        Raises:
            DataError: Weights are missing or damaged, or a component has another definition now.
        """
        split = resolved.spec.split
        if encoder == "run":
            built = rebuild_run(resolved, directory, loader_config, progress)
            return cls(built.dataset, split, built.extractor, _classifier(built))
        precision = directory.resumed_precision()
        pretrained = build_encoder(
            resolved, loader_config, precision, progress, training=False, evaluated=split
        )
        return cls(pretrained.dataset, split, pretrained.extractor, None)

    @property
    def width(self) -> int:
        """Length of a feature."""
        return self.extractor.backbone.width

    @torch.inference_mode()
    def by_class(self, skipped: dict[str, int]) -> Iterator[ClassFeatures]:
        """Yields the features of each class; those of one class are in memory at a time.

        Args:
            skipped: Dictionary that receives the number of corrupt images that were skipped, by
                split, at the end.

        Raises:
            CorruptImageError: An image cannot be decoded, and the run does not skip such images.
        """
        progress = self.extractor.progress
        features = {name: self._features(name) for name in ("train", self.split)}
        batches = {name: one.batches for name, one in features.items()}
        progress.start("reading features", sum(len(one.split) for one in batches.values()))
        streams = [self._classes(one) for one in features.values()]
        for number, parts in enumerate(zip(*streams, strict=True)):
            (train, train_predicted), (test, test_predicted) = parts
            yield ClassFeatures(number, train, test, train_predicted, test_predicted)
        progress.stop()
        skipped |= {name: len(one.skipped) for name, one in batches.items()}
        for one in batches.values():
            one.close()

    def _features(self, split: str) -> SplitFeatures:
        """Returns the features of a split in the order of the classes."""
        order = np.argsort(self.dataset.splits[split].labels, kind="stable")
        return self.extractor.plain_features(self.dataset, split, order)

    def _classes(
        self, features: SplitFeatures
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64] | None]]:
        """Yields features and predicted classes of each class, also of one without images."""
        current, rows, predicted = 0, _no_rows(self.width), _no_predictions(self.classify)
        for batch in features:
            check()
            labels, found = batch.labels.cpu().numpy(), batch.features[:, 0]
            guesses = None if self.classify is None else self.classify(found).cpu().numpy()
            values = found.cpu().numpy()
            self.extractor.progress.advance(len(labels))
            for label in np.unique(labels).tolist():
                while current < label:
                    yield np.concatenate(rows), _joined(predicted)
                    rows, predicted = _no_rows(self.width), _no_predictions(self.classify)
                    current += 1
                rows.append(values[labels == label])
                if predicted is not None and guesses is not None:
                    predicted.append(guesses[labels == label])
        while current < self.dataset.num_classes:
            yield np.concatenate(rows), _joined(predicted)
            rows, predicted = _no_rows(self.width), _no_predictions(self.classify)
            current += 1


def _no_rows(width: int) -> list[NDArray[np.float32]]:
    return [np.empty((0, width), dtype=np.float32)]


def _no_predictions(classify: Classify | None) -> list[NDArray[np.int64]] | None:
    return None if classify is None else [np.empty(0, dtype=np.int64)]


def _joined(parts: list[NDArray[np.int64]] | None) -> NDArray[np.int64] | None:
    return None if parts is None else np.concatenate(parts)


def _classifier(built: BuiltRun) -> Classify:
    """Returns the head of a run with what its inference adds to the logits, for one view."""
    views = built.inference.num_views(built.context.resolution)

    def classify(features: Tensor) -> Tensor:
        logits = built.model.classify(features)
        reduced = built.inference.reduce(logits[:, None].expand(-1, views, -1))
        return reduced.argmax(dim=1)

    built.model.eval()
    return classify
