"""The optimizers of timm, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge

from ltbench import BuildContext, OptimizerSpec, option
from ltbench.errors import ConfigError, suggestion

if TYPE_CHECKING:
    import torch

Value = bool | int | float | str | tuple[float, ...]


@dataclass(frozen=True)
class TimmConfig:
    """Options of timm's optimizers."""

    name: str = option("lamb", "name in timm's registry (timm.optim.list_optimizers())")
    weight_decay: Annotated[float, Ge(0)] = option(0.0, "weight decay")
    options: dict[str, Value] = field(
        default_factory=dict,
        metadata={"help": "options of that optimizer, such as {betas = [0.9, 0.98]}"},
    )


@dataclass(frozen=True)
class Timm:
    """An optimizer of timm's registry.

    Those with momentum start from a momentum of 0.9, as timm's own training does.
    """

    config: TimmConfig

    def __call__(self, groups: list[dict[str, Any]], lr: float) -> torch.optim.Optimizer:
        """Returns the optimizer of the groups."""
        registry: Any = import_module("timm.optim")
        name, options = self.config.name, dict(self.config.options)
        if registry.get_optimizer_info(name).has_momentum:
            options.setdefault("momentum", 0.9)
        make = registry.get_optimizer_class(name)
        optimizer: torch.optim.Optimizer = make(
            groups, lr=lr, weight_decay=self.config.weight_decay, **options
        )
        return optimizer


def build(config: TimmConfig, ctx: BuildContext) -> Timm:
    """Builds the optimizer.

    Raises:
        ConfigError: timm has no optimizer of that name, or it does not take the options, or it
            needs gradients of second order.
    """
    import torch

    registry: Any = import_module("timm.optim")
    known = registry.list_optimizers()
    if config.name not in known:
        raise ConfigError(
            f"optimizer.name: timm has no optimizer '{config.name}'",
            hint=suggestion(config.name, known),
        )
    if registry.get_optimizer_info(config.name).second_order:
        raise ConfigError(
            f"optimizer.name: '{config.name}' needs gradients of second order",
            hint="take an optimizer that needs gradients of first order alone",
        )
    built = Timm(config)
    weight = torch.nn.Parameter(torch.zeros(1, device=ctx.device))
    try:  # before a run begins, not after its data and model were built
        optimizer = built([{"params": [weight]}], 1.0)
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
    except Exception as error:  # what timm raises for wrong options, or without a library
        given = f" with optimizer.options={dict(config.options)}" if config.options else ""
        raise ConfigError(
            f"optimizer.name: timm's '{config.name}'{given} cannot be used here: {error}",
            hint=f'python -c "import timm; help(timm.optim.get_optimizer_class({config.name!r}))"',
        ) from error
    return built


TIMM = OptimizerSpec(
    name="timm",
    summary="any optimizer of timm's registry, by name",
    config=TimmConfig,
    build=build,
    examples=(
        {},
        {"name": "lion", "weight_decay": 0.1},
        {"name": "sgdw", "options": {"nesterov": True}},
    ),
    libraries=("timm.optim",),
)
