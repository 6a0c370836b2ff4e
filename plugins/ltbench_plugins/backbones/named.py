"""Named backbones: a library's model with fixed architecture and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench import BackboneContext, BackboneSpec, option

if TYPE_CHECKING:
    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class NamedConfig:
    """Options of a backbone whose name fixes model and weights."""

    weights: Path | None = option(None, "local safetensors file instead of the published weights")


@dataclass(frozen=True)
class _Choice:
    """Fixed options of the spec that builds any model of a library."""

    library: BackboneSpec
    options: Mapping[str, Any]

    def config(self, config: NamedConfig) -> Any:
        return self.library.config(**self.options, weights=config.weights)

    def build(self, config: NamedConfig, ctx: BackboneContext) -> Backbone:
        built: Backbone = self.library.build(self.config(config), ctx)
        return built

    def identity(self, config: NamedConfig) -> str:
        return self.library.identity(self.config(config))

    def label_sets(self, config: NamedConfig) -> tuple[str, ...]:
        return self.library.label_sets(self.config(config))

    def random_weights(self, config: NamedConfig) -> bool:
        return self.library.random_weights(self.config(config))


def named(
    library: BackboneSpec, name: str, summary: str, reference: str, **options: Any
) -> BackboneSpec:
    """Returns the spec of one of a library's models.

    It has no examples, because its weights would have to be downloaded.

    Args:
        library: Spec that builds any model of the library.
        name: Name of the backbone, as in the papers.
        summary: Summary in one line, to which the library's name for model and weights is added.
        reference: Paper of the weights.
        options: Options of `library`, except for `weights`.
    """
    choice = _Choice(library, options)
    known = ", ".join(str(options[key]) for key in ("model", "tag") if key in options)
    return replace(
        library,
        name=name,
        summary=f"{summary} ({library.name} {known})",
        reference=reference,
        config=NamedConfig,
        build=choice.build,
        identity=choice.identity,
        label_sets=choice.label_sets,
        random_weights=choice.random_weights,
        examples=(),
        version=1,  # version of these weights, not of the library's spec
    )
