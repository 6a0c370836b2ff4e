"""Benchmark suite for long-tail recognition with foundation models.

`run` trains and evaluates a method, `run_grid` many at a time; `load_run` reads a finished run, and
`load_results` all runs in folders. Plugins import `hookimpl`,
`option`, the specs and the contexts from this module, and the public modules `ltbench.backbone`,
`ltbench.data`, `ltbench.errors`, `ltbench.jobs`, `ltbench.metric_names`, `ltbench.progress`,
`ltbench.protocols` and `ltbench.views`; their tests import `ltbench.testing`. A plugin that
declares another `LTBENCH_API` than `api_version` supports is refused. Importing this module loads
neither torch nor numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltbench.analysis.comparison.comparison import Comparison
    from ltbench.api.finished_run import FinishedRun, load_run
    from ltbench.api.results import Results, load_results
    from ltbench.api.run import run
    from ltbench.api.run_grid import run_grid
    from ltbench.contexts import (
        BackboneContext,
        BuildContext,
        DataContext,
        ExecutorContext,
        TrackerContext,
    )
    from ltbench.errors import LTBenchError
    from ltbench.hookspecs import hookimpl
    from ltbench.late import LateSpec, late_specs
    from ltbench.published import PublishedResult
    from ltbench.registry.api_version import VERSION as api_version
    from ltbench.specs import (
        AugmentationSpec,
        BackboneSpec,
        DatasetSpec,
        ExecutorSpec,
        HeadSpec,
        InferenceSpec,
        InitSpec,
        Layers,
        LossSpec,
        MethodSpec,
        NoOptions,
        OptimizerSpec,
        Recipe,
        RefinementSpec,
        SamplingSpec,
        ScheduleSpec,
        TrackerSpec,
        option,
    )

__version__ = "0.1.0"

_SPECS = (
    *("AugmentationSpec", "BackboneSpec", "DatasetSpec", "ExecutorSpec", "HeadSpec"),
    *("InferenceSpec", "InitSpec", "Layers", "LossSpec", "MethodSpec", "NoOptions"),
    *("OptimizerSpec", "Recipe", "RefinementSpec", "SamplingSpec", "ScheduleSpec"),
    *("TrackerSpec", "option"),
)
_CONTEXTS = ("BackboneContext", "BuildContext", "DataContext", "ExecutorContext", "TrackerContext")
_PLACES = {
    **{name: ("specs", name) for name in _SPECS},
    **{name: ("contexts", name) for name in _CONTEXTS},
    "LTBenchError": ("errors", "LTBenchError"),
    "LateSpec": ("late", "LateSpec"),
    "late_specs": ("late", "late_specs"),
    "PublishedResult": ("published", "PublishedResult"),
    "api_version": ("registry.api_version", "VERSION"),
    "hookimpl": ("hookspecs", "hookimpl"),
    "Comparison": ("analysis.comparison.comparison", "Comparison"),
    "FinishedRun": ("api.finished_run", "FinishedRun"),
    "Results": ("api.results", "Results"),
    "load_results": ("api.results", "load_results"),
    "load_run": ("api.finished_run", "load_run"),
    "run": ("api.run", "run"),
    "run_grid": ("api.run_grid", "run_grid"),
}
"""Module and name of everything public, which is imported when it is first used (PEP 562).

The command imports this module before it can handle a signal.
"""

__all__ = [
    "AugmentationSpec",
    "BackboneContext",
    "BackboneSpec",
    "BuildContext",
    "Comparison",
    "DataContext",
    "DatasetSpec",
    "ExecutorContext",
    "ExecutorSpec",
    "FinishedRun",
    "HeadSpec",
    "InferenceSpec",
    "InitSpec",
    "LTBenchError",
    "LateSpec",
    "Layers",
    "LossSpec",
    "MethodSpec",
    "NoOptions",
    "OptimizerSpec",
    "PublishedResult",
    "Recipe",
    "RefinementSpec",
    "Results",
    "SamplingSpec",
    "ScheduleSpec",
    "TrackerContext",
    "TrackerSpec",
    "__version__",
    "api_version",
    "hookimpl",
    "late_specs",
    "load_results",
    "load_run",
    "option",
    "run",
    "run_grid",
]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    value = getattr(import_module(f"ltbench.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    own = {"Any", "TYPE_CHECKING", "annotations", "import_module"}  # imports of this module
    return sorted({*globals(), *_PLACES} - own)
