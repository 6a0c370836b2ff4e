"""Environment of a run: versions and hardware, recorded with the result and in no hash."""

from __future__ import annotations

import functools
import platform
import re
import resource
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from typing import cast

import torch

from ltbench.engine.model.devices import device_name
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.ranks.group import Group
from ltbench.storage.environment_schema import Backend, Environment, UsedPrecision


def describe_environment(
    device: torch.device,
    policy: PrecisionPolicy,
    plugins: Iterable[str],
    weights: str,
    group: Group,
) -> Environment:
    """Returns the environment of a run.

    Args:
        device: Device of the model.
        policy: Precision of the matrix products.
        plugins: Distributions of the run's components, with their versions.
        weights: SHA-256 of the pretrained weights.
        group: Processes that execute the run together.
    """
    return Environment(
        command=sys.argv,
        python=platform.python_version(),
        platform=platform.platform(),
        packages={**required_packages(), **installed_extras()},
        plugins=sorted(set(plugins)),
        weights=weights,
        device=device_name(device),
        threads=torch.get_num_threads(),
        precision=cast(UsedPrecision, policy.name),
        precision_reason=policy.reason,
        ranks=group.size,
        devices=group.collect(device_name(device)),
        backend=cast(Backend | None, group.backend),
    )


def required_packages() -> dict[str, str | None]:
    """Returns the installed versions of what ltbench requires; None for what is not there."""
    return {name: _version(name) for name in _requirements(extra=False)}


def installed_extras() -> dict[str, str]:
    """Returns the versions of what ltbench can use and finds."""
    versions = {name: _version(name) for name in _requirements(extra=True)}
    return {name: found for name, found in versions.items() if found is not None}


@functools.cache
def _requirements(*, extra: bool) -> list[str]:
    """Returns what ltbench requires, or what its extras do, but for that of its developers."""
    lines = [line for line in requires("ltbench") or () if not re.search("extra == .dev", line)]
    wanted = [line for line in lines if ("extra ==" in line) == extra]
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in wanted]


def _version(name: str) -> str | None:
    try:
        return _found(name)
    except PackageNotFoundError:
        return None


@functools.cache  # reading one takes a millisecond, and what is imported stays the same
def _found(name: str) -> str:
    return version(name)


def peak_memory_mb(device: torch.device) -> float:
    """Returns the most memory used so far: of the GPU, or of this process on the CPU."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
