"""What plugins return: one frozen dataclass for each kind of component, and what `build` is given.

A spec is cheap to make: its module must not import torch. `build` does, when a run needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Gt

from ltbench.progress import SILENT, ProgressReporter

if TYPE_CHECKING:
    from ltbench.data.preparation.prepare import Preparation
    from ltbench.protocols import ForkServer

Layers = Literal["all"] | Annotated[int, Gt(0)] | tuple[int, ...]
"""Which blocks of the backbone a method works on: all, the last k, or these (from 0)."""

Settings = Mapping[str, Any]
"""Dotted keys and their values, as in `--set`: `{"loss": "ce", "train.epochs": 10}`."""


def option(default: Any, help: str) -> Any:
    """A field of a component's config, with the help that `ltbench show` prints."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class NoOptions:
    """The config of a component that has nothing to set."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings that a component recommends.

    The defaults are overruled by the backbone's recipe, that by the method's, that by the data
    set's, that by the method's for this very data set, and all of them by the user.

    Args:
        settings: Recommended everywhere.
        by_dataset: Recommended on a data set, by its name (methods only).
    """

    settings: Settings = field(default_factory=dict)
    by_dataset: Mapping[str, Settings] = field(default_factory=dict)


@dataclass(frozen=True)
class DataContext:
    """What a data set is built from.

    Args:
        root: Folder that holds the data sets (`--data-root`).
        data_seed: Chooses the long-tailed subset where the data set is not long-tailed by itself.
        progress: Shows the progress of what takes long, such as reading all images once.
    """

    root: Path
    data_seed: int
    progress: ProgressReporter = field(default=SILENT, repr=False, compare=False)


@dataclass(frozen=True)
class BackboneContext:
    """What a backbone is built from.

    Args:
        seed: For weights that start at random.
    """

    seed: int


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """What every other component may know of the run when it is built.

    Args:
        num_classes: K.
        class_counts: Training images of each class, by class id.
        class_names: Names of the classes, by class id.
        width: Length of a feature vector.
        resolution: Side of the images that the backbone takes, in pixels.
        logit_scale: The backbone's own factor for cosine logits, if it has one.
        head_scale: The head's factor for its logits (its attribute `scale`), 1 where it has none
            and while the head itself is built.
        epochs: Epochs of training.
        seed: The run's seed.
        device: Where the model lives: "cpu", "cuda", "cuda:1", ...
    """

    num_classes: int
    class_counts: tuple[int, ...]
    class_names: tuple[str, ...]
    width: int
    resolution: int
    logit_scale: float | None
    epochs: int
    seed: int
    device: str
    head_scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ExecutorContext:
    """Arguments for building an executor.

    Args:
        jobs: Number of runs at the same time (`--jobs`); None lets the executor choose.
        device: Device of the runs (`--device`): "auto", "cpu", "cuda", "cuda:1", ...
        fork_server: Starts a fork server that imports the libraries of the grid's runs; its
            argument holds the variables to add to the environment of the server and of all its
            processes. None where forking does not work; the executor then starts jobs by their
            commands.
    """

    jobs: int | None
    device: str
    fork_server: Callable[[Mapping[str, str]], ForkServer] | None = None


@dataclass(frozen=True, kw_only=True)
class TrackerContext:
    """What a tracker is built from.

    Args:
        hash: Of the run: the same when it is resumed, or run again.
        cell: Names what it shares with the runs that differ from it in the seed alone:
            "digits_lt/clip_tiny/lift_plus/0c37d0e4c5b6".
        settings: The resolved run as dotted keys, as JSON has them: "method", "method.dim",
            "train.lr", "seed", ...
        directory: Of the run's files; what a tracker writes there goes into a folder of its name.
    """

    hash: str
    cell: str
    settings: Settings
    directory: Path


@dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """What all kinds have in common.

    Args:
        name: Unique among its kind, in snake_case.
        summary: One line for `ltbench list`.
        config: A frozen dataclass: defaults, types and help of the options.
        build: `(config, context) -> component`. Imports torch inside.
        reference: The paper, as `arXiv:...` or a citation.
        default: Whether it is taken where nobody chooses; at most one of a kind.
        examples: Options that the conformance checks try, each without a download; none where
            there is nothing to try without data of the user's.
        libraries: Modules besides torch that `build` imports and that take long, such as
            "sklearn.datasets". A grid imports them once for all of its runs. They must start no
            thread when they are imported, nor ask for a device.
        version: Number of the component's definition, from 1; raised when the same options give
            other results than before. Part of the run's hash.
    """

    kind: ClassVar[str]
    plural: ClassVar[str]
    name: str
    summary: str
    build: Callable[[Any, Any], Any]
    config: type = NoOptions
    reference: str = ""
    default: bool = False
    examples: tuple[Settings, ...] = ({},)
    libraries: tuple[str, ...] = ()
    version: int = 1

    @property
    def section(self) -> str:
        """What stands before the names of its options: "method" of `--set method.dim=4`."""
        return self.kind


def _no_identity(config: Any, ctx: DataContext) -> str:
    return ""


def _no_check(config: Any, ctx: DataContext) -> None:
    """Nothing lies outside of the package."""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(ComponentSpec):
    """A data set. `build(config, DataContext)` returns an `ltbench.data.Dataset`.

    Args:
        recipe: Settings that suit the data set.
        identity: `(config, DataContext) -> str`: what its images and labels are, for the run's
            hash: a digest of every image, or of what fixes them, such as published lists. No torch.
            `ltbench.data.file_digests` reads files once and remembers them, so that the next call
            costs their status alone. Empty where name and options say it all.
        label_set: Whose classes its labels are, such as "imagenet_1k": the engine warns where the
            backbone was trained with them. Empty where nobody else has them.
        check: `(config, DataContext)`: looks whether the images lie where `build` expects them,
            and raises a `DataError` that says what is wrong and what to do. Cheap: a few files.
        prepare: `(config, ltbench.data.Preparation)`: puts files in place for `ltbench data
            prepare`, and raises a `DataError` that says what has to be downloaded by hand; None
            where there is nothing to do.
    """

    kind = "dataset"
    plural = "datasets"
    recipe: Recipe = field(default_factory=Recipe)
    identity: Callable[[Any, DataContext], str] = _no_identity
    label_set: str = ""
    check: Callable[[Any, DataContext], None] = _no_check
    prepare: Callable[[Any, Preparation], None] | None = None


def _no_label_sets(config: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class BackboneSpec(ComponentSpec):
    """A pretrained model. `build(config, BackboneContext)` returns an `ltbench.backbone.Backbone`.

    Args:
        recipe: Settings that suit the backbone, such as its head initialisation.
        identity: `config -> str`: which weights they are, for the run's hash. No torch.
        label_sets: `config -> names`: with whose labels its weights were trained, such as
            "imagenet_1k". Not those of texts or of no labels at all.
        without_labels: Which weights to take that did not see these labels, for the warning.
    """

    kind = "backbone"
    plural = "backbones"
    recipe: Recipe = field(default_factory=Recipe)
    identity: Callable[[Any], str]
    label_sets: Callable[[Any], tuple[str, ...]] = _no_label_sets
    without_labels: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodSpec(ComponentSpec):
    """Which parameters of the image encoder are learned.

    `build(config, BuildContext)` returns an `ltbench.protocols.Method`: its `apply(backbone)`
    returns parameters or parameter groups.

    Args:
        recipe: What the method's paper trains it with.
        fixed: Settings without which it would be another method: nothing overrules them.
        learns_head: Whether the head is learned besides.
        joint: Whether features are taken in the space shared with the text tower.
        identity_at_start: Whether the features are the backbone's own until something is learned.
        token_wise: Whether all that it puts behind the attention of a block works on each token
            alone. The last block then computes what is read of it and little more, which saves
            6 % of the work of twelve blocks.
    """

    kind = "method"
    plural = "methods"
    recipe: Recipe = field(default_factory=Recipe)
    fixed: Settings = field(default_factory=dict)
    learns_head: bool = True
    joint: bool = False
    identity_at_start: bool = True
    token_wise: bool = False


@dataclass(frozen=True, kw_only=True)
class HeadSpec(ComponentSpec):
    """A classifier. `build(config, BuildContext)` returns an `ltbench.protocols.Head`."""

    kind = "head"
    plural = "heads"


@dataclass(frozen=True, kw_only=True)
class InitSpec(ComponentSpec):
    """How the head's weight starts.

    `build(config, BuildContext)` returns `(backbone, training features) -> weight (K, width)`;
    see `ltbench.protocols.Init`.
    """

    kind = "init"
    plural = "inits"


@dataclass(frozen=True, kw_only=True)
class LossSpec(ComponentSpec):
    """A loss. `build(config, BuildContext)` returns `(logits (B, K), labels (B,)) -> scalar`."""

    kind = "loss"
    plural = "losses"


@dataclass(frozen=True, kw_only=True)
class SamplingSpec(ComponentSpec):
    """How often images of a class are seen.

    `build(config, BuildContext)` returns an `ltbench.protocols.Sampling`.
    """

    kind = "sampling"
    plural = "samplings"


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec(ComponentSpec):
    """Training crops. `build(config, BuildContext)` returns an `ltbench.protocols.Augmentation`."""

    kind = "augmentation"
    plural = "augmentations"


@dataclass(frozen=True, kw_only=True)
class InferenceSpec(ComponentSpec):
    """Test views and how their logits become one.

    `build(config, BuildContext)` returns an `ltbench.protocols.Inference`.
    """

    kind = "inference"
    plural = "inferences"


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec(ComponentSpec):
    """The update rule of the learned parameters.

    `build(config, BuildContext)` returns `(groups, lr) -> torch.optim.Optimizer`; see
    `ltbench.protocols.Optimizer`.
    """

    kind = "optimizer"
    plural = "optimizers"


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec(ComponentSpec):
    """The learning rate in the course of the training.

    `build(config, BuildContext)` returns `(step, steps_per_epoch, epochs) -> factor`; see
    `ltbench.protocols.Schedule`.
    """

    kind = "schedule"
    plural = "schedules"


@dataclass(frozen=True, kw_only=True)
class RefinementSpec(ComponentSpec):
    """What is done to the trained model before it is evaluated: a second stage.

    `build(config, BuildContext)` returns an `ltbench.protocols.Refinement`, or None for nothing.
    """

    kind = "refinement"
    plural = "refinements"


SPECS: dict[str, type[ComponentSpec]] = {
    spec.kind: spec
    for spec in (
        DatasetSpec,
        BackboneSpec,
        MethodSpec,
        HeadSpec,
        InitSpec,
        LossSpec,
        SamplingSpec,
        AugmentationSpec,
        OptimizerSpec,
        ScheduleSpec,
        RefinementSpec,
        InferenceSpec,
    )
}
"""Every kind of component of a run and its spec, in the order in which a run builds them."""


@dataclass(frozen=True, kw_only=True)
class ExecutorSpec(ComponentSpec):
    """Where the runs of a grid are run: no part of a run, and of no hash.

    `build(config, ExecutorContext)` returns an `ltbench.protocols.Executor`.
    """

    kind = "executor"
    plural = "executors"


@dataclass(frozen=True, kw_only=True)
class TrackerSpec(ComponentSpec):
    """Who is told how a run gets on: no part of a run, and of no hash.

    `build(config, TrackerContext)` returns an object with any of the notifications
    `ltbench_on_run_start`, `ltbench_on_epoch_end`, `ltbench_on_run_end` and
    `ltbench_on_run_failure` as methods that are marked with `ltbench.hookimpl`. It imports the
    library that it needs, raises a `ConfigError` where that is missing, and leaves nothing behind:
    whether the run begins is not known yet. Everything else belongs into `ltbench_on_run_start`.
    """

    kind = "tracker"
    plural = "trackers"

    @property
    def section(self) -> str:
        """What stands before the names of its options: a run may have several trackers."""
        return f"{self.kind}.{self.name}"


KINDS: dict[str, type[ComponentSpec]] = {
    **SPECS,
    ExecutorSpec.kind: ExecutorSpec,
    TrackerSpec.kind: TrackerSpec,
}
"""Every kind that plugins may register."""
