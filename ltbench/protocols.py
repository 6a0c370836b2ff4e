"""Protocols of the objects that components build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ltbench.views import Views

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class ParameterGroup:
    """Learned parameters that the optimizer treats apart from the others.

    Args:
        parameters: The parameters.
        lr_factor: Factor of the learning rate, >= 0.
        decays: Whether the optimizer's weight decay applies to them.
    """

    parameters: Sequence[nn.Parameter]
    lr_factor: float = 1.0
    decays: bool = True


class Method(Protocol):
    """Return value of a `MethodSpec`'s `build`."""

    def apply(self, backbone: Backbone) -> Sequence[nn.Parameter | ParameterGroup]:
        """Changes the backbone as the method needs and returns the parameters to learn.

        Parameters with a learning-rate factor of their own, or without weight decay, are returned
        in a `ParameterGroup`.

        Only the engine freezes and unfreezes. New modules become submodules of the blocks that they
        work on; hooks are bound methods of a module, so that `copy.deepcopy` copies them too.

        Raises:
            NothingMatchedError: The backbone has no module that the method works on.
        """
        ...


@runtime_checkable
class MergesItself(Method, Protocol):
    """A method whose trained change of the encoder is linear, in part or as a whole."""

    def merge(self, backbone: Backbone) -> None:
        """Adds what is linear to the encoder's own weights, and removes the modules of the method.

        Called on the trained backbone, in evaluation mode and float32, by `ltbench export`. The
        features stay the same up to rounding. What is not linear stays in place: then the model is
        exported as a traced program only.
        """
        ...


class TrainingFeatures(Protocol):
    """The encoder's features of training images, computed on each call."""

    def __call__(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class.

        The views are plain: resized to the resolution, centre crop. None takes all images. From a
        class with more images the run's seed draws a sample, which is the same in every call.
        """
        ...


class Head(Protocol):
    """Return value of a `HeadSpec`'s `build`: a module from features (B, width) to logits (B, K).

    A parameter `weight` (K, width) is optional; the init gives its first value. An attribute
    `scale` is the factor of its logits. A head that needs the backbone or the training images is a
    `StartsItself` too.
    """

    def __call__(self, features: Tensor) -> Tensor:
        """Returns the logits."""
        ...


@runtime_checkable
class StartsItself(Protocol):
    """A head that is completed from the backbone or the training images."""

    def start(self, backbone: Backbone, features: TrainingFeatures) -> None:
        """Completes the head: called once, when `weight` is set, before the method is applied.

        Everything that depends on the training images is kept in parameters and buffers, whose
        shapes depend on the class counts alone: a stored model is rebuilt without the images, its
        head starts from random features, and the stored tensors take the place of its own.

        Parameters that the head takes over from the backbone stay frozen; new ones are learned
        unless it sets `requires_grad` to False.
        """
        ...


class Init(Protocol):
    """Return value of an `InitSpec`'s `build`."""

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the head's first weight, (K, width)."""
        ...


class Loss(Protocol):
    """Return value of a `LossSpec`'s `build`."""

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the scalar mean loss of logits (B, K), in float32, and labels (B,)."""
        ...


@runtime_checkable
class ScheduledLoss(Loss, Protocol):
    """A loss that changes in the course of the training."""

    def start_epoch(self, progress: float) -> None:
        """Sets the loss up for an epoch: called before each.

        Args:
            progress: Share of the training that is done, epoch / epochs, from 0 to under 1.
        """
        ...


@runtime_checkable
class LossOfExtras(Loss, Protocol):
    """A loss that also reads values that the model computes of each image beside its logits.

    Where several processes share a batch out, each has the values of its own images alone: the
    engine takes them before each call, and sets those of all images.
    """

    def take_extras(self) -> Tensor:
        """Returns the values (B, ...) of the images of the latest forward pass."""
        ...

    def set_extras(self, extras: Tensor) -> None:
        """Sets the values (B, ...) of the images whose loss is computed next."""
        ...


class Sampling(Protocol):
    """Return value of a `SamplingSpec`'s `build`."""

    def weights(self) -> NDArray[np.float64] | None:
        """Returns the frequency of each class, (K,), in any unit; None: every image once.

        Images are drawn with replacement; those of a class share its draws evenly. Weights of
        classes without images are ignored.
        """
        ...


class Augmentation(Protocol):
    """Return value of an `AugmentationSpec`'s `build`.

    Attributes:
        draws: Number of uniform random numbers of an image in an epoch; with 0 its view is the same
            in every epoch, so that features of a frozen encoder are computed once.
    """

    draws: int

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns one view for each image.

        Args:
            sizes: Height and width of the images, in pixels, (N, 2).
            uniforms: Random numbers in [0, 1), functions of seed, epoch and image alone,
                (N, draws).
            progress: Position of the epoch, epoch / (epochs - 1), from 0 to 1; 0 for one epoch.

        Returns:
            Boxes (N, 4) and flips (N,).
        """
        ...


@dataclass(frozen=True)
class Targets:
    """Labels of a batch of training images: one each, or two where images were mixed.

    Args:
        labels: Class ids, (B,).
        partners: Class ids of the images that were mixed in, (B,), or None.
        share: Weight of the labels' loss, from 0 to 1; the partners' loss has the rest.
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
        """Returns the input images of the backbone, and their targets.

        It works on all images at once, on their device, without synchronising it.

        Args:
            images: Views as `views` returned them, uint8, (B, 3, R, R).
            labels: Class ids, (B,).
            uniforms: The random numbers that `views` received, (B, draws).

        Returns:
            Images (B, 3, R, R) in 0..255, uint8 or float32, and their targets.
        """
        ...


class Optimizer(Protocol):
    """Return value of an `OptimizerSpec`'s `build`."""

    def __call__(self, groups: list[dict[str, Any]], lr: float) -> torch.optim.Optimizer:
        """Returns an optimizer.

        The engine writes the learning rate into each group before each step. Checkpoints hold what
        `state_dict()` returns: tensors, numbers, texts, and lists, tuples and dicts of these.

        Args:
            groups: Parameter groups as `torch.optim` takes them. Each has "params" and "lr_factor";
                one that does not decay has a "weight_decay" of 0.
            lr: Learning rate, `train.lr`.
        """
        ...


class Schedule(Protocol):
    """Return value of a `ScheduleSpec`'s `build`: a function of its arguments alone."""

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns the factor of the learning rate in a step, finite and >= 0.

        Args:
            step: Number of the step, from 0 to under steps_per_epoch * epochs.
            steps_per_epoch: Steps in an epoch, >= 1.
            epochs: Epochs of the training, >= 1.
        """
        ...


class RefinementContext(Protocol):
    """The engine's services for a refinement.

    Attributes:
        start: Values of the learned parameters before the training, by name, on the CPU.
        learned: The learned parameters, by name.
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
        loss: Loss | None = None,
        per_class: int | None = None,
        min_steps: int = 0,
    ) -> None:
        """Trains some parameters of the model from their present values, as the run trains.

        Parameters that are not among the learned ones count as learned from then on, if the model
        keeps them.

        Args:
            parameters: Parameters to learn; all others are frozen during this training.
            epochs: Number of epochs; None: the run's.
            lr: Learning rate; None: the run's.
            sampling_weights: Frequency of each class, (K,); None: that of the run's sampling.
            seed_offset: Number added to the run's seed, for another order and other crops.
            loss: Loss; it may be a `ScheduledLoss`, and a `LossOfExtras`: it is called after the
                forward pass of its logits. None: the run's.
            per_class: Largest number of training images of a class. Others are left out, drawn by
                the seed with its offset, and the run's loss and sampling are built for the class
                counts that remain. None: all images.
            min_steps: Least number of optimizer steps: epochs are added where there are fewer.
        """
        ...


class Refinement(Protocol):
    """Return value of a `RefinementSpec`'s `build`."""

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Checks, before the training, that the refinement goes with head and method.

        Args:
            head: The head.
            learned: The parameters that will be learned, by name.

        Raises:
            ConfigError: The refinement does not go with the head or the method.
        """
        ...

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Changes the learned parameters in place, after the training."""
        ...


class Inference(Protocol):
    """Return value of an `InferenceSpec`'s `build`."""

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns V views of each image, boxes (N, V, 4), for sizes (N, 2) height and width."""
        ...

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the logits (N, K) of images from those of their views, (N, V, K)."""
        ...


@runtime_checkable
class RandomInference(Protocol):
    """An inference whose views are drawn at random, and may be changed in their pixels.

    The random numbers of an image are a function of its index in the split alone: neither the run's
    seed nor the number of loader workers changes a bit. Images that belong to no split, as those of
    `ltbench predict`, all have the numbers of index 0: a prediction depends on no other image.

    Attributes:
        draws: Number of uniform random numbers of an image.
    """

    draws: int

    def views(self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64]) -> Views:
        """Returns V views of each image, boxes (N, V, 4).

        Args:
            sizes: Height and width of the images, in pixels, (N, 2).
            uniforms: Random numbers in [0, 1), (N, draws).
        """
        ...

    def change(self, views: Tensor, uniforms: NDArray[np.float64]) -> Tensor:
        """Returns the pixels of the views in 0..255, (B, V, 3, R, R), uint8 or float32.

        Args:
            views: Pixels of the views, uint8, (B, V, 3, R, R), on their device.
            uniforms: The random numbers that `views` received, (B, draws).
        """
        ...

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the logits (N, K) of images from those of their views, (N, V, K)."""
        ...


@runtime_checkable
class TransductiveInference(Inference, Protocol):
    """An inference that uses all images of an evaluation together, without their labels.

    Its logits of an image depend on the other images. Where images arrive one by one, as in
    `ltbench predict`, there is no such set, and the engine refuses the inference.
    """

    def adjust(self, logits: Tensor) -> Tensor:
        """Returns the logits (N, K) of all images of a split from those of `reduce`, (N, K).

        Called once in an evaluation. The order of the images changes no image's logits.
        """
        ...
