"""Specs that plugins return: one frozen dataclass for each kind of component.

The module of a spec must not import torch: `build` does, when a run needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Gt

if TYPE_CHECKING:
    from pathlib import Path

    from ltbench.contexts import DataContext
    from ltbench.data.preparation.prepare import Preparation

Layers = Literal["all"] | Annotated[int, Gt(0)] | tuple[int, ...]
"""Blocks of the backbone that a method works on: all, the last k, or a list of them (from 0)."""

Settings = Mapping[str, Any]
"""Dotted keys and their values, as in `--set`: `{"loss": "ce", "train.epochs": 10}`."""


def option(
    default: Any, help: str, *, added: bool = False, label: bool = False, formerly: str = ""
) -> Any:
    """Returns a field of a component's config.

    Args:
        default: Value where the user sets none.
        help: Effect of the option, which `ltbench show` prints.
        added: Whether the component had stored runs before it had this option. A run's description
            and its hash then leave the option out at its default, so that their hashes stay.
        label: Whether the option is a text that changes no number, such as a title. Like a path, it
            is stored with a run and is in no hash.
        formerly: Earlier name of the option. Settings and stored runs with this name are read, and
            a run's hash has it still.
    """
    about = {"help": help, "added": added, "label": label, "formerly": formerly}
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class NoOptions:
    """Config of a component without options."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings that a component recommends.

    The defaults are overruled by the backbone's recipe, that by the method's, that by the data
    set's, that by the method's for this data set, and all of them by the user.

    Args:
        settings: Settings for every data set.
        by_dataset: Settings for one data set, by its name (methods only).
    """

    settings: Settings = field(default_factory=dict)
    by_dataset: Mapping[str, Settings] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """Fields of the specs of all kinds.

    A kind without fields of its own is no dataclass again: it inherits all that one would have.

    Args:
        name: Name in snake_case, unique among its kind.
        summary: One line for `ltbench list`.
        config: Frozen dataclass with defaults, types and help of the options.
        build: Function `(config, context) -> component`, which imports torch when it is called.
        reference: The paper, as `arXiv:...` or a citation.
        default: Whether the component is the default of its kind; at most one is.
        examples: Options that the conformance checks try, each without a download; empty where
            a component needs data of the user's.
        libraries: Modules besides torch that `build` imports and that take long, such as
            "sklearn.linear_model". A grid imports them once for all of its runs. Importing them
            must start no thread and use no device.
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
        """Prefix of the names of its options: "method" of `--set method.dim=4`."""
        return self.kind


def _no_identity(config: Any, ctx: DataContext) -> str:
    return ""


def _no_check(config: Any, ctx: DataContext) -> None:
    """Checks nothing: all files are in the package."""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(ComponentSpec):
    """A data set. `build(config, DataContext)` returns an `ltbench.data.Dataset`.

    Args:
        recipe: Settings that suit the data set.
        identity: Function `(config, DataContext) -> str` that identifies its images and labels, for
            the run's hash: a digest of every image, or of published lists. It imports no torch.
            `ltbench.data.file_digests` reads files once and stores their digests, so that the next
            call reads their status alone. Empty where name and options identify them.
        label_set: Name of the label set, such as "imagenet_1k": the engine warns where the
            backbone was trained with these labels. Empty for labels of the data set's own.
        check: Function `(config, DataContext)` that checks a few of the files that `build` reads,
            and raises a `DataError` with a hint where they are missing or wrong.
        list_settings: Function `(file, root) -> settings` of a data set that reads a CSV file with
            the columns `path`, `label` and `split`; `root` is the folder of the relative paths,
            None for the file's own. `ltbench data new` prints a command with these settings. None
            for other data sets.
        prepare: Function `(config, ltbench.data.Preparation)` that puts files in place for
            `ltbench data prepare`, and raises a `DataError` that names the files to be downloaded
            by hand; None where no files are needed.
    """

    kind = "dataset"
    plural = "datasets"
    recipe: Recipe = field(default_factory=Recipe)
    identity: Callable[[Any, DataContext], str] = _no_identity
    label_set: str = ""
    check: Callable[[Any, DataContext], None] = _no_check
    prepare: Callable[[Any, Preparation], None] | None = None
    list_settings: Callable[[Path, Path | None], Settings] | None = None


def _no_label_sets(config: Any) -> tuple[str, ...]:
    return ()


def _no_random_weights(config: Any) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class BackboneSpec(ComponentSpec):
    """A pretrained model. `build(config, BackboneContext)` returns an `ltbench.backbone.Backbone`.

    Args:
        recipe: Settings that suit the backbone, such as its head initialisation.
        identity: Function `config -> str` that identifies the weights, for the run's hash. It
            imports no torch.
        label_sets: Function `config -> names` of the label sets that its weights were trained with,
            such as "imagenet_1k"; empty for weights trained with texts or without labels.
        without_labels: Advice for the warning: weights that did not see these labels.
        random_weights: Function `config -> bool`: whether weights start at random, by the seed.
    """

    kind = "backbone"
    plural = "backbones"
    recipe: Recipe = field(default_factory=Recipe)
    identity: Callable[[Any], str]
    label_sets: Callable[[Any], tuple[str, ...]] = _no_label_sets
    without_labels: str = ""
    random_weights: Callable[[Any], bool] = _no_random_weights


@dataclass(frozen=True, kw_only=True)
class MethodSpec(ComponentSpec):
    """The choice of the image encoder's parameters that are learned.

    `build(config, BuildContext)` returns an `ltbench.protocols.Method`: its `apply(backbone)`
    returns parameters or parameter groups.

    Args:
        recipe: Settings of the method's paper.
        fixed: Settings that define the method: nothing overrules them.
        learns_head: Whether the head is learned too.
        joint: Whether features are taken in the space shared with the text tower.
        identity_at_start: Whether the features equal the backbone's before the training.
        token_wise: Whether every module that it adds behind the attention of a block works on each
            token alone. The last block then leaves out the tokens that are not read, which saves
            6 % of the work of twelve blocks.
        seedless: Whether the seed changes no result: the method trains nothing, and neither it nor
            the head and the initialisation that it fixes draw random numbers. A grid runs it once
            for all seeds, and comparisons count no variance of seeds.
    """

    kind = "method"
    plural = "methods"
    recipe: Recipe = field(default_factory=Recipe)
    fixed: Settings = field(default_factory=dict)
    learns_head: bool = True
    joint: bool = False
    identity_at_start: bool = True
    token_wise: bool = False
    seedless: bool = False


class HeadSpec(ComponentSpec):
    """A classifier. `build(config, BuildContext)` returns an `ltbench.protocols.Head`."""

    kind = "head"
    plural = "heads"


def _no_files(config: Any) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class InitSpec(ComponentSpec):
    """The head's first weight.

    `build(config, BuildContext)` returns `(backbone, training features) -> weight (K, width)`;
    see `ltbench.protocols.Init`.

    Args:
        identity: Function `config -> str` that identifies the contents of the files that options
            name, for the run's hash: paths themselves are in no hash. It imports no torch. Empty
            where no file is read.
    """

    kind = "init"
    plural = "inits"
    identity: Callable[[Any], str] = _no_files


def _no_prior_factors(config: Any, counts: Sequence[int]) -> Sequence[float] | None:
    return None


@dataclass(frozen=True, kw_only=True)
class LossSpec(ComponentSpec):
    """A loss. `build(config, BuildContext)` returns `(logits (B, K), labels (B,)) -> scalar`.

    Args:
        prior_factors: Function `(config, counts) -> K factors` of the class prior that the softmax
            of the trained logits has: the frequency of each class among the drawn training images
            times its factor. It is 1 for cross entropy, and 1 / n_k for the balanced softmax.
            `counts` has the K numbers of training images, each at least 1. None where that softmax
            estimates no class probabilities: its predictions cannot be converted to another prior.
    """

    kind = "loss"
    plural = "losses"
    prior_factors: Callable[[Any, Sequence[int]], Sequence[float] | None] = _no_prior_factors


class SamplingSpec(ComponentSpec):
    """The frequency of each class in an epoch.

    `build(config, BuildContext)` returns an `ltbench.protocols.Sampling`.
    """

    kind = "sampling"
    plural = "samplings"


class AugmentationSpec(ComponentSpec):
    """Training crops. `build(config, BuildContext)` returns an `ltbench.protocols.Augmentation`."""

    kind = "augmentation"
    plural = "augmentations"


class InferenceSpec(ComponentSpec):
    """Test views, and the reduction of their logits to one.

    `build(config, BuildContext)` returns an `ltbench.protocols.Inference`.
    """

    kind = "inference"
    plural = "inferences"


class OptimizerSpec(ComponentSpec):
    """The update rule of the learned parameters.

    `build(config, BuildContext)` returns `(groups, lr) -> torch.optim.Optimizer`; see
    `ltbench.protocols.Optimizer`.
    """

    kind = "optimizer"
    plural = "optimizers"


class ScheduleSpec(ComponentSpec):
    """The learning rate in the course of the training.

    `build(config, BuildContext)` returns `(step, steps_per_epoch, epochs) -> factor`; see
    `ltbench.protocols.Schedule`.
    """

    kind = "schedule"
    plural = "schedules"


class RefinementSpec(ComponentSpec):
    """A second stage, which changes the trained model before it is evaluated.

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
"""Specs of the kinds of a run's components, by kind."""


class ExecutorSpec(ComponentSpec):
    """The place where the runs of a grid are run; in no run and no hash.

    `build(config, ExecutorContext)` returns an `ltbench.jobs.Executor`.
    """

    kind = "executor"
    plural = "executors"


class TrackerSpec(ComponentSpec):
    """A receiver of a run's notifications; in no run and no hash.

    `build(config, TrackerContext)` returns an object with any of the notifications
    `ltbench_on_run_start`, `ltbench_on_epoch_end`, `ltbench_on_run_end` and
    `ltbench_on_run_failure` as methods that are marked with `ltbench.hookimpl`. It imports the
    library that it needs, raises a `ConfigError` where that is missing, and writes no files, for
    the run may not begin. Everything else belongs into `ltbench_on_run_start`.
    """

    kind = "tracker"
    plural = "trackers"

    @property
    def section(self) -> str:
        """Prefix of the names of its options: a run may have several trackers."""
        return f"{self.kind}.{self.name}"


KINDS: dict[str, type[ComponentSpec]] = {
    **SPECS,
    ExecutorSpec.kind: ExecutorSpec,
    TrackerSpec.kind: TrackerSpec,
}
"""Specs of all kinds that plugins may register, by kind."""
