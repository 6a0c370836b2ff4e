"""The model of a finished run, stored so that it can be rebuilt without the data set.

`learned.safetensors` holds the learned weights, `frozen.safetensors` every other tensor that is not
an unchanged one of the pretrained backbone. Pretrained tensors are not stored: the backbone is
built again, and the checksum of those tensors is compared with that of the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ltbench.config.options import parse_options, path_options
from ltbench.config.resolve import Resolved, resolve, settings_of
from ltbench.config.runspec import RunSpec
from ltbench.contexts import BuildContext, DataContext
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.build_model import (
    TrainingClasses,
    build_backbone,
    build_context,
    build_model,
)
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.placeholder_features import PlaceholderFeatures
from ltbench.engine.model.checksums import Pretrained, checksum, named_tensors
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.devices import choose_device
from ltbench.engine.model.precision import PrecisionPolicy, choose_precision
from ltbench.engine.training.checkpoint import load_learned, load_tensors, save_tensors
from ltbench.errors import ConfigError, DataError
from ltbench.io.json_text import parse_json
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.run_directory import RunDirectory

_FIRST_WITH_FROZEN = 3
"""Schema of the first runs that have `frozen.safetensors`."""

_MODEL_KINDS = ("backbone", "method", "head")
_RUN_KINDS = ("dataset", *_MODEL_KINDS, "init")


@dataclass(frozen=True)
class StoredModel:
    """The trained model of a run, in evaluation mode on its device.

    Args:
        classifier: Backbone and head.
        class_names: K names, by class id.
        policy: Precision of the forward pass: that of the run.
        context: Facts that the components of the run are built from.
        added: Names, in the backbone, of the parameters and buffers that the method added.
    """

    classifier: Classifier
    class_names: tuple[str, ...]
    policy: PrecisionPolicy
    context: BuildContext
    added: tuple[str, ...]

    @property
    def resolution(self) -> int:
        """Side of the images that the model takes, in pixels."""
        return self.classifier.backbone.resolution

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self.classifier.backbone.mean.device

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tensor:
        """Returns the logits of images, (B, K) float32, on the model's device.

        Args:
            pixels: (B, 3, R, R) uint8 images; the model normalises them itself.

        Raises:
            ConfigError: The pixels have another shape or dtype.
        """
        side = self.resolution
        expected = isinstance(pixels, Tensor) and pixels.dtype == torch.uint8 and pixels.ndim == 4
        if not expected or pixels.shape[1:] != (3, side, side) or not len(pixels):
            found = _layout(pixels) if isinstance(pixels, Tensor) else type(pixels).__name__
            raise ConfigError(
                f"pixels: expected torch.uint8 (B, 3, {side}, {side}), got {found}",
                hint="resize the images, and give their pixels from 0 to 255",
            )
        with self.policy.autocast():
            logits: Tensor = self.classifier(pixels.to(self.device))
        return logits


def save_frozen(built: BuiltRun, path: Path, run: str) -> None:
    """Writes the tensors of a model that are neither learned nor the pretrained backbone's.

    Args:
        built: Built parts of the run, after the training.
        path: File to write.
        run: Hash of the run.
    """
    backbone = built.model.backbone
    tensors: dict[str, Tensor] = {}
    unchanged: dict[str, int] = {}
    for name, tensor in _not_learned(built.model).items():
        if name in built.pretrained and checksum(tensor) == built.pretrained[name]:
            unchanged[name] = built.pretrained[name]
        else:  # cloned: the format refuses tensors that share memory
            tensors[name] = tensor.detach().clone(memory_format=torch.contiguous_format)
    about = {
        "pretrained": _joint_checksum(unchanged),
        "resolution": backbone.resolution,
        "mean": backbone.mean.flatten().tolist(),
        "std": backbone.std.flatten().tolist(),
    }
    save_tensors(tensors, path, {"hash": run, "model": json.dumps(about)})


def load_model(
    path: Path,
    device: str = "auto",
    settings: Settings | None = None,
    data_root: Path = Path("data"),
) -> StoredModel:
    """Returns the trained model of a finished run.

    The data set is not needed, unless an older version of ltbench stored the run.

    Args:
        path: Run directory.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        settings: New paths of files that have moved, such as "backbone.path".
        data_root: Folder of the data sets, for runs of older versions.

    Raises:
        DataError: The run is not finished, or its weights or the backbone's are missing, damaged or
            of another definition.
        ConfigError: There is no such device, component or setting.
    """
    directory, registry, changes = RunDirectory(path), load_plugins(), dict(settings or {})
    spec, classes, torch_device = directory.spec(), _classes(directory), choose_device(device)
    if _needs_dataset(directory):
        return _load_older(directory, registry, torch_device, changes, data_root)
    resolved = _resolve_model(spec, registry, changes)
    expect_same_definitions(resolved, spec, _MODEL_KINDS)
    with _random_state_kept(torch_device), attribute_errors(*resolved.components.values()):
        backbone = build_backbone(resolved, torch_device)
        pretrained = Pretrained.of(backbone)
        policy = choose_precision(directory.resumed_precision() or spec.precision, backbone)
        context = build_context(resolved, classes, backbone, torch_device, stored=True)
        placeholders = PlaceholderFeatures.of(context)
        built = build_model(resolved, context, backbone, placeholders, initialise=False)
        model = built.classifier
        known = pretrained.in_model(model)
        _load_weights(model, known, directory)
    return _stored_model(model, policy, built.context, known)


def rebuild_run(
    resolved: Resolved,
    directory: RunDirectory,
    loader_config: LoaderConfig,
    progress: ProgressReporter = SILENT,
    evaluated: str | None = None,
) -> BuiltRun:
    """Returns the built parts of a finished run with its trained model, to evaluate it.

    Training images are read only where they are evaluated, or where an older version of ltbench
    stored the run.

    Args:
        resolved: Choices of the run; its inference may be another one.
        directory: Run directory.
        loader_config: Device, and how images reach it.
        progress: Reporter of what is built.
        evaluated: Split that is evaluated; None: that of the run.

    Raises:
        DataError: Weights are missing or damaged, or a component has another definition now.
    """
    expect_same_definitions(resolved, directory.spec(), _RUN_KINDS)
    precision = directory.resumed_precision()
    if _needs_dataset(directory):
        built = build_run(resolved, loader_config, precision, progress, evaluated=evaluated)
        load_learned(built.model, directory.learned, directory.hashes())
        return built
    classes = _classes(directory)
    built = build_run(resolved, loader_config, precision, progress, classes, evaluated)
    _load_weights(built.model, built.pretrained, directory)
    return built


def expect_same_definitions(resolved: Resolved, stored: RunSpec, kinds: tuple[str, ...]) -> None:
    """Checks that the components of a stored model have the definitions that they had.

    Raises:
        DataError: One has another definition: the stored weights belong to another model.
    """
    for kind in kinds:
        version, choice = resolved.components[kind].spec.version, stored.choices()[kind]
        if version != choice.version:
            raise DataError(
                f"{kind} '{choice.name}' has changed since the run: expected version "
                f"{choice.version} of its definition, got {version}",
                hint="start the run again: it is another one now, with another hash",
            )


def _needs_dataset(directory: RunDirectory) -> bool:
    """Returns whether a run is of an older version, which stored no frozen tensors."""
    return not directory.frozen.exists() and directory.written_schema() < _FIRST_WITH_FROZEN


def _classes(directory: RunDirectory) -> TrainingClasses:
    """Returns the classes that a finished run was trained on."""
    result = directory.result()
    if result is None:
        raise DataError(
            f"{directory.path} is not finished", hint="run the same `ltbench run` command again"
        )
    return TrainingClasses(tuple(result.classes.names), tuple(result.classes.trained_on))


def _resolve_model(spec: RunSpec, registry: Registry, changes: Settings) -> Resolved:
    """Returns the components of a stored model; other kinds need not be registered."""
    choices = {kind: spec.choices()[kind] for kind in _MODEL_KINDS}
    components = {kind: registry.find(kind, choice.name) for kind, choice in choices.items()}
    allowed = {f"backbone.{name}" for name in path_options(components["backbone"].spec.config)}
    faults = [
        f"{key}: not a path of backbone '{spec.backbone.name}'" for key in changes.keys() - allowed
    ]
    configs: dict[str, Any] = {}
    for kind, choice in choices.items():
        changed = {k.partition(".")[2]: v for k, v in changes.items() if k.startswith(f"{kind}.")}
        values = {**choice.options, **choice.paths, **changed}
        owner = f"{kind} '{choice.name}'"
        with attribute_errors(components[kind]):
            configs[kind], wrong = parse_options(components[kind].spec.config, values, kind, owner)
        faults += wrong
    if faults:
        paths = ", ".join(sorted(allowed)) or "none"
        raise ConfigError.from_faults(faults, hint=f"settings of this stored model: {paths}")
    return Resolved(spec, components, configs, DataContext(Path(), spec.data_seed), {})


def _load_older(
    directory: RunDirectory,
    registry: Registry,
    device: torch.device,
    changes: Settings,
    data_root: Path,
) -> StoredModel:
    """Returns the model of a run without `frozen.safetensors`, whose head needs the data set."""
    settings = {**settings_of(directory.spec()), **changes}
    resolved = resolve(registry, settings, data_root, identify=False)
    try:
        with _random_state_kept(device), attribute_errors(*resolved.components.values()):
            built = rebuild_run(resolved, directory, LoaderConfig(device, 0, False))
    except DataError as error:
        raise DataError(
            f"{directory.path} was stored by an older version of ltbench, and its model needs the "
            f"data set: {error.message}",
            hint=error.hint,
        ) from error
    return _stored_model(built.model, built.policy, built.context, built.pretrained)


def _stored_model(
    model: Classifier,
    policy: PrecisionPolicy,
    context: BuildContext,
    pretrained: Mapping[str, int],
) -> StoredModel:
    """Returns a classifier with its weights as a stored model.

    Args:
        model: Classifier.
        policy: Precision of the run.
        context: Facts that the components of the run are built from.
        pretrained: Checksums of the pretrained backbone's tensors, by name in the model.
    """
    names = [name for name, _ in named_tensors(model.backbone)]
    added = tuple(name for name in names if f"backbone.{name}" not in pretrained)
    model.eval().requires_grad_(False)
    return StoredModel(model, context.class_names, policy, context, added)


def _load_weights(
    model: Classifier, pretrained: Mapping[str, int], directory: RunDirectory
) -> None:
    """Reads the stored tensors into a model that is built as the run built its own.

    Args:
        model: Classifier of the run, with the pretrained backbone's tensors.
        pretrained: Checksums of these tensors, by name in the model.
        directory: Run directory.

    Raises:
        DataError: The files are damaged or do not fit the model, or the backbone is another one.
    """
    again = "run it again with --overwrite always"
    load_learned(model, directory.learned, directory.hashes())
    stored, about = load_tensors(directory.frozen, directory.hashes())
    tensors = _not_learned(model)
    unchanged = {n: pretrained[n] for n in tensors if n in pretrained and n not in stored}
    expected = {name: _layout(one) for name, one in tensors.items() if name not in unchanged}
    found = {name: _layout(one) for name, one in stored.items()}
    if found != expected:
        name = min(n for n in found | expected if found.get(n) != expected.get(n))
        raise DataError(
            f"{directory.frozen} does not fit the model: {name}: expected {expected.get(name)}, "
            f"got {found.get(name)}",
            hint=f"a plugin or a library has changed: {again}",
        )
    if _recorded_checksum(about) != _joint_checksum(unchanged):
        raise DataError(
            f"{directory.path}: the weights of the backbone are not those that the run used",
            hint="give the run's weights; if a plugin or a library has changed, " + again,
        )
    with torch.no_grad():
        for name, tensor in stored.items():
            tensors[name].copy_(tensor)


def _random_state_kept(device: torch.device) -> AbstractContextManager[None]:
    """Returns a context after which PyTorch's random generators are as before it."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


def _not_learned(model: Classifier) -> dict[str, Tensor]:
    """Returns the parameters and buffers of a model that are not learned, by name."""
    learned = model.learned()
    return {name: tensor for name, tensor in named_tensors(model) if name not in learned}


def _layout(tensor: Tensor) -> str:
    """Returns dtype and shape of a tensor as text."""
    return f"{tensor.dtype} {tuple(tensor.shape)}"


def _recorded_checksum(about: Mapping[str, str]) -> str | None:
    """Returns the joint checksum of the pretrained tensors of a run; None if it has none."""
    try:
        model = parse_json(about.get("model", "").encode())
    except ValueError:
        return None
    return model.get("pretrained") if isinstance(model, dict) else None


def _joint_checksum(checksums: Mapping[str, int]) -> str:
    """Returns one digest of the checksums of several tensors and their names."""
    listed = "".join(f"{name} {value}\n" for name, value in sorted(checksums.items()))
    return hashlib.sha256(listed.encode()).hexdigest()
