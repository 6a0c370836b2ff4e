"""Options of the executor, and the resources that a run reserves with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge, Gt

from ltbench import ExecutorContext, option
from ltbench.jobs import Resources

_BYTES_PER_GB = 10**9


@dataclass(frozen=True)
class RayOptions:
    """Options of the Ray executor."""

    address: str | None = option(
        None,
        "HOST:PORT of the cluster's head; none: RAY_ADDRESS, or the cluster of this machine",
    )
    cpus: Annotated[float, Gt(0)] = option(1.0, "CPU cores that each process of a run reserves")
    gpus: Annotated[float, Ge(0)] | None = option(
        None,
        "GPUs that a run reserves, 0.5 lets two runs share one; none: those that it asks for with "
        "--device cuda, one with --device auto where the cluster has GPUs",
    )
    memory: Annotated[float, Gt(0)] | None = option(
        None, "memory in GB that a run reserves; none: Ray does not count it"
    )
    resources: tuple[str, ...] = option(
        (), "custom resources of the nodes; a run reserves one of each"
    )
    node_seconds: Annotated[float, Gt(0)] = option(
        300.0, "seconds to wait for a node that has what a run reserves, such as one that boots"
    )


@dataclass(frozen=True)
class Demand:
    """Resources that a run reserves.

    Args:
        amounts: Amount of each resource by Ray's name: "CPU", "GPU", "memory" in bytes.
    """

    amounts: Mapping[str, float]

    @classmethod
    def of(
        cls, config: RayOptions, needs: Resources, device: str, nodes: Iterable[Mapping[str, Any]]
    ) -> Demand:
        """Returns the resources of a run.

        Args:
            config: Options of the executor.
            needs: Needs of the run.
            device: Device of the runs (`--device`).
            nodes: Nodes of the cluster.
        """
        gpus: float = needs.gpus
        if config.gpus is not None:
            gpus = config.gpus
        elif not gpus and device == "auto" and any(_total(node).get("GPU") for node in nodes):
            gpus = needs.ranks
        amounts = {"CPU": config.cpus * needs.ranks, "GPU": gpus}
        amounts["memory"] = (config.memory or 0.0) * _BYTES_PER_GB
        amounts |= dict.fromkeys(config.resources, 1.0)
        return cls({name: amount for name, amount in amounts.items() if amount})

    def options(self) -> dict[str, Any]:
        """Returns the arguments of a Ray task that reserve these resources."""
        named = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
        own = {named[name]: amount for name, amount in self.amounts.items() if name in named}
        others = {name: amount for name, amount in self.amounts.items() if name not in named}
        return {**own, "resources": others} if others else own

    def capacity(self, nodes: Iterable[Mapping[str, Any]]) -> int:
        """Returns the number of runs that the living nodes hold at the same time."""
        return sum(
            int(min(_total(node).get(name, 0.0) / amount for name, amount in self.amounts.items()))
            for node in nodes
        )

    def __str__(self) -> str:
        """Returns the resources in words: "2 CPU, 1 GPU, 16 GB of memory"."""
        shown = [
            f"{amount / _BYTES_PER_GB:g} GB of memory" if name == "memory" else f"{amount:g} {name}"
            for name, amount in self.amounts.items()
        ]
        return ", ".join(shown)


def needs_of(ctx: ExecutorContext) -> Resources:
    """Returns the needs of the runs of a grid, before one of them is known."""
    return Resources(gpus=ctx.gpus if ctx.device == "cuda" else 0, ranks=ctx.gpus)


def _total(node: Mapping[str, Any]) -> Mapping[str, float]:
    """Returns all resources of a node of `ray.nodes()`; none where it is dead."""
    return node["Resources"] if node["Alive"] else {}
