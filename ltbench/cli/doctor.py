"""`ltbench doctor`: diagnosis of the installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.completion import complete_name_of
from ltbench.cli.options import DataRoot, Json, read_assignments
from ltbench.config.defaults import DEFAULT_DATA_ROOT, DEFAULT_OUT
from ltbench.grid.findings import Finding, Mark

if TYPE_CHECKING:
    from ltbench.registry.registry import Registry


def doctor(
    cluster: Annotated[
        bool,
        typer.Option(
            "--cluster",
            help="Check a node of the cluster, from a job of the executor: locks, clocks, free "
            "space, weights, data.",
        ),
    ] = False,
    executor: Annotated[
        str | None,
        typer.Option(
            help="With --cluster: executor. Default: that of `ltbench config`.",
            metavar="NAME",
            autocompletion=complete_name_of("executor"),
            show_default=False,
        ),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="executor.OPTION=VALUE",
            help="With --cluster: set an option of the executor. Repeatable.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="With --cluster: folder of the run directories.")
    ] = DEFAULT_OUT,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
    json: Json = False,
) -> None:
    """Check versions, devices, plugins, caches and data sets.

    Exit code 1 if a check failed; missing data sets and weights are not failures.

    Example: `ltbench doctor --cluster --executor slurm --set executor.partition=gpu`
    """
    from ltbench.errors import ConfigError
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    settings, faults = read_assignments(assignments)
    if not cluster and (executor is not None or settings or faults):
        raise ConfigError("--executor, --set: expected --cluster with them")
    with console(stderr=True).status("checking") as status:
        registry = load_plugins()
        if cluster:
            from ltbench.grid.cluster_check import check_cluster

            command = executor, settings
            findings = check_cluster(registry, command, out, data_root, faults, status.update)
        else:
            findings = [
                *_versions(),
                *_devices(),
                *_plugins(registry),
                *_caches(),
                *_datasets(registry, data_root),
            ]
    if json:
        from ltbench.cli.output import print_json

        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if any(finding.status == "failed" for finding in findings):
        raise typer.Exit(1)


def _versions() -> Iterator[Finding]:
    import platform

    from ltbench import __version__
    from ltbench.engine.environment import required_packages

    yield Finding("versions", "ok", f"ltbench {__version__}, Python {platform.python_version()}")
    for name, version in required_packages().items():
        if version is None:
            yield Finding("versions", "failed", f"{name} is not installed", f"pip install {name}")
        else:
            yield Finding("versions", "ok", f"{name} {version}")


def _devices() -> Iterator[Finding]:
    import torch

    from ltbench.engine.model.devices import device_name
    from ltbench.engine.model.precision import MIN_GFLOPS_ON_CPU, lower_precision

    names = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    for device in map(torch.device, names):
        name, reason = lower_precision(device)
        large = f", from {MIN_GFLOPS_ON_CPU:g} GFLOP an image" if device.type == "cpu" else ""
        fastest = f"--precision auto is {name}" + (f" ({reason})" if name == "fp32" else large)
        threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
        yield Finding("devices", "ok", f"{device}: {device_name(device)}{threads}; {fastest}")


def _plugins(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.plugins:
        yield Finding("plugins", "ok", str(plugin))
    for warning in registry.remarks():
        yield Finding(
            "plugins",
            "warning",
            f"{warning.plugin} {warning.text}",
            "report it to the plugin's author",
        )
    for failure in registry.failures:
        yield Finding(
            "plugins", "failed", f"{failure.plugin}: {failure.error}", "update or remove the plugin"
        )


def _caches() -> Iterator[Finding]:
    from huggingface_hub.constants import HF_HUB_CACHE, HF_HUB_OFFLINE

    cache = Path(HF_HUB_CACHE)
    models = sorted(path.name for path in cache.glob("models--*"))
    offline = ", offline (HF_HUB_OFFLINE)" if HF_HUB_OFFLINE else ""
    if models:
        yield Finding("weights cache", "ok", f"{cache}: {len(models)} models{offline}")
    else:
        yield Finding(
            "weights cache",
            "missing",
            f"{cache} has no models{offline}",
            "the first run of a backbone downloads its weights; clip_tiny needs no download",
        )


def _datasets(registry: Registry, data_root: Path) -> Iterator[Finding]:
    from ltbench.cli.data.status import statuses

    for status in statuses(registry, data_root):
        mark: Mark = "ok" if status.state == "ready" else status.state
        text = status.message or status.name
        if status.state == "options":
            text = f"{status.name}: for your own images"
        yield Finding("data sets", mark, text, status.hint)


def _print(findings: list[Finding]) -> None:
    from rich.markup import escape

    from ltbench.io.console import console
    from ltbench.io.fitted_table import FittedTable

    out = console()
    colors = {
        "ok": "green",
        "options": "cyan",
        "missing": "yellow",
        "warning": "yellow",
        "failed": "red",
    }
    words = {"options": "needs options"}
    for topic, found in groupby(findings, key=lambda finding: finding.topic):
        out.print(f"\n[bold]{topic}[/]")
        table = FittedTable("", "")
        for finding in found:
            hint = f"\n[dim]{escape(finding.hint)}[/]" if finding.hint else ""
            mark = f"  [{colors[finding.status]}]{words.get(finding.status, finding.status)}[/]"
            table.add_row(mark, f"{escape(finding.text)}{hint}")
        out.print(table)
