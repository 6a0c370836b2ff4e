"""Prompt head: cosine with the text features of prompts whose context is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, HeadSpec, option
from ltbench.errors import ConfigError

if TYPE_CHECKING:
    from ltbench_plugins.modules.prompt_head import PromptHead


@dataclass(frozen=True)
class PromptsConfig:
    """Options of the prompt head."""

    context: str = option(
        "a photo of a", "words before the class name that the context starts from"
    )


def build(config: PromptsConfig, ctx: BuildContext) -> PromptHead:
    """Builds the head; it starts from the backbone's text tower."""
    from ltbench_plugins.modules.prompt_head import PromptHead

    if not config.context.strip() or ctx.logit_scale is None:
        raise ConfigError(
            "head 'prompts' needs a context of at least one word, and a backbone with a text tower",
            hint='add --set "head.context=a photo of a" --backbone clip_vit_b16',
        )
    names = tuple(name.replace("_", " ") for name in ctx.class_names)
    return PromptHead(names, config.context.strip(), ctx.logit_scale)


PROMPTS = HeadSpec(
    name="prompts",
    summary="cosine with text features whose context is learned (CoOp)",
    config=PromptsConfig,
    build=build,
    reference="arXiv:2109.01134",
)
