"""Builds what features are made of: a run's data set, its backbone, and the feature extractor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from ltbench.config.resolve import Resolved
from ltbench.config.runspec import Precision
from ltbench.data import Dataset
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.agreement import expect_same_dataset
from ltbench.engine.building.build_dataset import build_dataset
from ltbench.engine.building.build_model import build_backbone
from ltbench.engine.building.built_run import described
from ltbench.engine.building.loaders import prepare_loading
from ltbench.engine.model.checksums import Pretrained
from ltbench.engine.model.devices import device_name
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.fingerprint import CurrentFingerprint
from ltbench.engine.model.precision import PrecisionPolicy, choose_precision
from ltbench.engine.model.throughput import seconds_per_image
from ltbench.progress import ProgressReporter


@dataclass(frozen=True)
class BuiltEncoder:
    """The pretrained encoder of a run, and its images.

    Args:
        dataset: Data set of the run, with decoded images where there is room.
        extractor: Feature extractor of the pretrained backbone, with the number of loader workers.
        parameters: Number of weights of the image encoder.
        fingerprint: Fingerprint of the backbone's weights.
        pretrained: Checksums of the backbone's tensors.
    """

    dataset: Dataset
    extractor: FeatureExtractor
    parameters: int
    fingerprint: str
    pretrained: Pretrained


def build_encoder(
    resolved: Resolved,
    loader_config: LoaderConfig,
    precision: Precision | None,
    progress: ProgressReporter,
    *,
    training: bool,
    evaluated: str,
) -> BuiltEncoder:
    """Builds data set and backbone, before head and method.

    Args:
        resolved: Choices of the run.
        loader_config: Device, and how images reach it.
        precision: Precision that "auto" was resolved to before; None: the run's own.
        progress: Reporter of what is built.
        training: Whether the model is trained.
        evaluated: Split that is evaluated.

    Raises:
        LTBenchError: The data, the weights or a plugin are wrong.
    """
    spec, device = resolved.spec, loader_config.device
    dataset = build_dataset(resolved, progress)
    backbone = build_backbone(resolved, device)
    parameters = backbone.num_parameters()
    fingerprint = CurrentFingerprint(backbone)
    pretrained, weights = Pretrained.of(backbone), fingerprint()
    policy = choose_precision(precision or spec.precision, backbone)
    name, reason = loader_config.group.broadcast((policy.name, policy.reason))
    policy = PrecisionPolicy(name, reason, device.type)
    key = {
        "backbone": described(spec.backbone),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "precision": policy.name,
    }
    progress.note(f"device: {key['device']}; precision: {policy.name} ({policy.reason})")
    learning = partial(seconds_per_image, backbone, policy, dict(key), loader_config.cache)
    dataset, loader_config = prepare_loading(
        dataset,
        spec,
        loader_config,
        backbone.resolution,
        learning,
        progress,
        training=training,
        evaluated=evaluated,
    )
    expect_same_dataset(dataset, loader_config.group)  # without what this process cannot read
    extractor = FeatureExtractor(backbone, loader_config, policy, key, progress, fingerprint)
    return BuiltEncoder(dataset, extractor, parameters, weights, pretrained)
