"""Small things to test components with: backbones, a data set, what `build` is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ltbench.errors import ConfigError, suggestion
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import BackboneContext, BuildContext, DataContext

if TYPE_CHECKING:
    from ltbench.backbone import Backbone
    from ltbench.data import Dataset


def small_backbone(name: str = "", *, seed: int = 0, registry: Registry | None = None) -> Backbone:
    """Builds a backbone of under five million weights, without a download.

    Args:
        name: Of the component, such as that of a library; or with its options, as
            `small_backbone_names` returns it. Where not given, the first there is.
        seed: For weights that start at random.
        registry: The components; those that are installed where not given.

    Raises:
        ConfigError: There is none of that name.
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
    """Returns the small backbones that there are, with their options."""
    from ltbench.testing.bench import Bench

    return [trial.name for trial in Bench.of(registry or load_plugins()).backbones()]


def long_tailed_set(counts: Sequence[int] = (6, 3, 1, 0)) -> Dataset:
    """Builds a set of noise images (32, 32, 3) uint8, with a mean colour for each class.

    Args:
        counts: Training images of each class; two more of each are for the test.
    """
    from ltbench.testing.bench import SYNTHETIC, SyntheticConfig

    config = SyntheticConfig(counts=tuple(counts))
    dataset: Dataset = SYNTHETIC.build(config, DataContext(root=Path("data"), data_seed=0))
    return dataset


def build_context(
    counts: Sequence[int] = (6, 3, 1, 0), *, width: int = 16, logit_scale: float | None = None
) -> BuildContext:
    """Returns what a component may know of a run.

    Args:
        counts: Training images of each class.
        width: Length of a feature vector.
        logit_scale: The backbone's own factor for cosine logits, if it has one.
    """
    from ltbench.testing.bench import context

    return context(tuple(counts), width, logit_scale)
