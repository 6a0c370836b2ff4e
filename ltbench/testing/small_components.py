"""Small backbones, data sets and build contexts for tests of components."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ltbench.contexts import BackboneContext, BuildContext, DataContext
from ltbench.errors import ConfigError, suggestion
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry

if TYPE_CHECKING:
    from ltbench.backbone import Backbone
    from ltbench.data import Dataset


def small_backbone(name: str = "", *, seed: int = 0, registry: Registry | None = None) -> Backbone:
    """Builds a backbone of under five million weights, without a download.

    Args:
        name: Name of the component, such as that of a library, or its name with options, as
            `small_backbone_names` returns it; empty for the first one.
        seed: Seed of random weights.
        registry: Registry of components; the installed ones by default.

    Raises:
        ConfigError: No small backbone has this name.
    """
    from ltbench.testing.bench import Bench

    bench = Bench.of(registry or load_plugins())
    for trial in bench.backbones():
        if not name or name in (trial.name, trial.name.partition("(")[0]):
            resolved = bench.resolve(trial.settings)
            backbone: Backbone = resolved.build("backbone", BackboneContext(seed=seed))
            return backbone
    known = [trial.name for trial in bench.backbones()]
    raise ConfigError(f"there is no small backbone '{name}'", hint=suggestion(name, known))


def small_backbone_names(registry: Registry | None = None) -> list[str]:
    """Returns the names of all small backbones, with their options."""
    from ltbench.testing.bench import Bench

    return [trial.name for trial in Bench.of(registry or load_plugins()).backbones()]


def long_tailed_set(counts: Sequence[int] = (6, 3, 1, 0)) -> Dataset:
    """Builds a set of noise images (32, 32, 3) uint8, with a mean colour for each class.

    Args:
        counts: Number of training images of each class; each has two more for the test split.
    """
    from ltbench.testing.bench import SYNTHETIC, SyntheticConfig

    config = SyntheticConfig(counts=tuple(counts))
    dataset: Dataset = SYNTHETIC.build(config, DataContext(root=Path("data"), data_seed=0))
    return dataset


def build_context(
    counts: Sequence[int] = (6, 3, 1, 0), *, width: int = 16, logit_scale: float | None = None
) -> BuildContext:
    """Returns a build context for tests.

    Args:
        counts: Number of training images of each class.
        width: Length of a feature vector.
        logit_scale: Factor of cosine logits of the backbone, if it has one.
    """
    from ltbench.testing.bench import context

    return context(tuple(counts), width, logit_scale)
