"""What the objects that components build must be able to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ltbench.views import Views

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ltbench.backbone import Backbone


class Method(Protocol):
    """What a `MethodSpec` builds."""

    def apply(self, backbone: Backbone) -> Sequence[nn.Parameter]:
        """Changes the backbone as the method needs and returns the parameters to learn.

        Only the engine freezes and unfreezes. New modules become submodules of the blocks that they
        work on; hooks are bound methods of a module, so that `copy.deepcopy` stays right.

        Raises:
            NothingMatchedError: The backbone has none of the modules that the method works on.
        """
        ...


class TrainingFeatures(Protocol):
    """The encoder's features of training images, computed when asked for."""

    def __call__(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class.

        The views are plain: resized to the resolution, centre crop. None takes all images. Of a
        class that has more, the run's seed draws which: always the same in a run.
        """
        ...


class Head(Protocol):
    """What a `HeadSpec` builds: a module from features (B, width) to logits (B, K).

    A parameter `weight` (K, width), where there is one, starts as the init says. An attribute
    `scale` is the factor of its logits. A head that has to see the backbone or the training images
    is a `StartsItself` besides.
    """

    def __call__(self, features: Tensor) -> Tensor:
        """Returns the logits."""
        ...


@runtime_checkable
class StartsItself(Protocol):
    """A head that makes a part of itself from the backbone or the training images."""

    def start(self, backbone: Backbone, features: TrainingFeatures) -> None:
        """Called once, after `weight` got its start and before the method changes the backbone.

        Parameters that the head takes over from the backbone stay frozen; those that it makes are
        learned unless it sets `requires_grad` to False.
        """
        ...


class Init(Protocol):
    """What an `InitSpec` builds."""

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the head's first weight, (K, width)."""
        ...


class Loss(Protocol):
    """What a `LossSpec` builds."""

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the scalar mean loss of logits (B, K), in float32, and labels (B,)."""
        ...


@runtime_checkable
class ScheduledLoss(Loss, Protocol):
    """A loss that changes in the course of the training."""

    def start_epoch(self, progress: float) -> None:
        """Called before each epoch.

        Args:
            progress: epoch / epochs, from 0 to under 1.
        """
        ...


class Sampling(Protocol):
    """What a `SamplingSpec` builds."""

    def weights(self) -> NDArray[np.float64] | None:
        """Returns how often each class is drawn, (K,), in any unit; None: every image once.

        Drawn with replacement; the images of a class share its draws evenly. Weights of classes
        without images are ignored.
        """
        ...


class Augmentation(Protocol):
    """What an `AugmentationSpec` builds.

    Attributes:
        draws: How many uniform random numbers one image takes in one epoch; 0 says that its view is
            the same in every epoch, so that features of a frozen encoder are computed once.
    """

    draws: int

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns one view for each image.

        Args:
            sizes: (N, 2) height and width of the images.
            uniforms: (N, draws) in [0, 1): functions of seed, epoch and image alone.
            progress: epoch / (epochs - 1), from 0 to 1; 0 where there is one epoch.

        Returns:
            Boxes (N, 4) and flips (N,).
        """
        ...


@dataclass(frozen=True)
class Targets:
    """What a batch of training images shows: a label each, or two where images were mixed.

    Args:
        labels: (B,) class ids.
        partners: (B,) class ids of what was mixed in, or None.
        share: Of the loss that the labels get; the partners get the rest.
    """

    labels: Tensor
    partners: Tensor | None = None
    share: float = 1.0


@runtime_checkable
class PixelAugmentation(Augmentation, Protocol):
    """An augmentation that changes the pixels of the views, or mixes images of a batch.

    Mixed images have two labels: the loss is `share` times that of the first plus the rest times
    that of the second, so that every loss can be trained with mixed images.
    """

    def change(
        self, images: Tensor, labels: Tensor, uniforms: NDArray[np.float64]
    ) -> tuple[Tensor, Targets]:
        """Returns the images as the backbone sees them, and what they show.

        Works on the images' device, on all of them at once, and waits for nothing there.

        Args:
            images: (B, 3, R, R) uint8, cut out as `views` said.
            labels: (B,) class ids.
            uniforms: (B, draws) the same numbers that `views` got.

        Returns:
            Images (B, 3, R, R) in 0..255, uint8 or float32, and their targets.
        """
        ...


class RefinementContext(Protocol):
    """What a refinement may ask of the engine.

    Attributes:
        start: The learned parameters before the training, by name; not on the device.
        learned: The learned parameters as they are, by name.
    """

    start: Mapping[str, Tensor]
    learned: Mapping[str, nn.Parameter]

    @property
    def features(self) -> TrainingFeatures:
        """Features of the trained encoder."""
        ...

    def fit(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        epochs: int | None = None,
        lr: float | None = None,
        sampling_weights: NDArray[np.float64] | None = None,
        seed_offset: int = 0,
    ) -> None:
        """Trains some parameters of the model from where they are, as the run trains.

        Args:
            parameters: To learn; all others are frozen meanwhile.
            epochs: The run's where not given.
            lr: The run's where not given.
            sampling_weights: (K,) how often each class is drawn; None: as the run draws.
            seed_offset: Added to the run's seed, for another order and other crops.
        """
        ...


class Refinement(Protocol):
    """What a `RefinementSpec` builds."""

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Called before the training, with what will be learned by name.

        Raises:
            ConfigError: The refinement does not go with the head or the method.
        """
        ...

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Changes the learned parameters in place, after the training."""
        ...


class Inference(Protocol):
    """What an `InferenceSpec` builds."""

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns V views of each image, boxes (N, V, 4), for sizes (N, 2) height and width."""
        ...

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns logits (N, K) from those of the views, (N, V, K)."""
        ...


@dataclass(frozen=True)
class Job:
    """A run of a grid, as an executor gets it: a process to start, anywhere.

    It finds its run in the store as the last try left it, and leaves there what it made of it:
    whether it went well is read from the store. Its exit code is 0 where it did.

    Args:
        name: Unique among the jobs that an executor holds.
        command: Starts the process. With `--leash` after it, the process stops, and can be resumed,
            when its standard input is closed: give it a pipe, and it does not outlive its parent.
        request: What the process is to do, for a fork server, whose processes
            need no time for imports. Empty where the command is all there is.
    """

    name: str
    command: tuple[str, ...]
    request: str = ""


@dataclass(frozen=True)
class Ended:
    """A job that has ended.

    Args:
        job: Its name.
        code: The exit code of its process; None where that is not known.
        reason: What is known of an end that the process itself could not tell of: a signal, memory.
    """

    job: str
    code: int | None
    reason: str = ""


class Executor(Protocol):
    """What an `ExecutorSpec` builds: where jobs are run, so many at a time."""

    @property
    def slots(self) -> int:
        """How many jobs it takes at the same time."""
        ...

    def start(self, job: Job) -> None:
        """Starts a job; it is never asked while `slots` jobs are running.

        Raises:
            RunError: No job can be started here at all.
        """
        ...

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs that have ended since the last call; waits for one, but not longer."""
        ...

    def stop(self) -> None:
        """Ends all jobs, in a way that they can be resumed, and returns when they have ended."""
        ...
