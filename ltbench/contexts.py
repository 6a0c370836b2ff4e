"""Contexts: the arguments of a component's `build` besides its config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.progress import SILENT, ProgressReporter

if TYPE_CHECKING:
    from ltbench.jobs import ForkServer


@dataclass(frozen=True)
class DataContext:
    """Arguments of a data set's `build`.

    Args:
        root: Folder that holds the data sets (`--data-root`).
        data_seed: Seed of the long-tailed subset where the data set is not long-tailed by itself.
        progress: Progress reporter for slow steps, such as reading all images once.
        limit: Largest number of images of each class in a split (`--limit`); None for all images.
            The engine applies it with `ltbench.data.limit_images`. A data set that reads its images
            for its identity, or to find repeated ones, applies it before, and reads fewer.
    """

    root: Path
    data_seed: int
    progress: ProgressReporter = field(default=SILENT, repr=False, compare=False)
    limit: int | None = None


@dataclass(frozen=True)
class BackboneContext:
    """Arguments of a backbone's `build`.

    Args:
        seed: Seed of weights that start at random.
    """

    seed: int


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """Facts about the run, for the `build` of every other component.

    Args:
        num_classes: Number of classes, K.
        class_counts: Number of training images of each class, by class id, (K,).
        class_names: Names of the classes, by class id, (K,).
        width: Length of a feature vector.
        resolution: Side of the backbone's input images, in pixels.
        logit_scale: The backbone's own factor for cosine logits, if it has one.
        head_scale: The head's factor for its logits (its attribute `scale`); 1 where it has none,
            and while the head itself is built.
        stored: Whether the model is built to take the stored weights of a finished run, which its
            refinement has changed after the training.
        epochs: Number of training epochs.
        seed: The run's seed.
        device: Device of the model: "cpu", "cuda", "cuda:1", ...
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
    stored: bool = False


@dataclass(frozen=True, kw_only=True)
class ExecutorContext:
    """Arguments for building an executor.

    Args:
        jobs: Largest number of runs at the same time (`--jobs`); None lets the executor choose.
        device: Device of the runs (`--device`): "auto", "cpu", "cuda", "cuda:1", ...
        fork_server: Starts a fork server that imports the libraries of the grid's runs; its
            argument holds the variables to add to the environment of the server and of all its
            processes. None where forking does not work; the executor then starts jobs by their
            commands.
        out: Folder of the run directories.
    """

    jobs: int | None
    device: str
    fork_server: Callable[[Mapping[str, str]], ForkServer] | None = None
    out: Path = Path("runs")

    @property
    def folder(self) -> Path:
        """Absolute path of the folder for scripts and logs of jobs; it may not exist.

        `ltbench grid logs` reads the output of a job from its file `logs/<name>.log`, or a link.
        """
        return self.out.resolve() / ".jobs"


@dataclass(frozen=True, kw_only=True)
class TrackerContext:
    """Arguments of a tracker's `build`.

    Args:
        hash: Hash of the run: the same when it is resumed, or run again.
        cell: Name of the run's cell, the runs that differ in the seed alone:
            "digits_lt/clip_tiny/lift_plus/0c37d0e4c5b6".
        settings: The resolved run as dotted keys with JSON values: "method", "method.dim",
            "train.lr", "seed", ...
        directory: Directory of the run's files; a tracker writes into a folder of its name there.
    """

    hash: str
    cell: str
    settings: Mapping[str, Any]
    directory: Path
